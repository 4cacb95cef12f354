"""Holds with a kind and an end; exports of personal data that two people answer for."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from breachdesk.audit.guards import guard_rows, guard_statements


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0002_guards"),
        ("people", "0004_intake"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("placing", models.UUIDField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("police", "The police asked us to wait"),
                            ("deceased", "The person has died"),
                            ("dispute", "A dispute with the person"),
                            ("asked", "They asked not to be contacted"),
                            ("other", "Another reason"),
                        ],
                        max_length=10,
                    ),
                ),
                ("sealed_reason", models.BinaryField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("placed_at", models.DateTimeField()),
                ("sealed_release", models.BinaryField(null=True)),
                ("released_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="incidents.incident"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="people.person"
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(condition=Q(released_at=None), fields=["incident", "-placed_at"], name="open_holds"),
                    models.Index(
                        condition=Q(released_at=None, until__isnull=False), fields=["until"], name="holds_that_end"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(placed_by__isnull=False, sealed_reason__isnull=False)
                        | Q(placed_by=None, sealed_reason=None),
                        name="who_holds_says_why",
                    ),
                    models.CheckConstraint(
                        condition=Q(released_at__isnull=False) | Q(released_by=None, sealed_release=None),
                        name="released_is_dated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PeopleExport",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waiting for a second person"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("approved", "Allowed, not made yet"),
                            ("made", "Made, waiting to be downloaded"),
                            ("expired", "Over, its file is deleted"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "which",
                    models.CharField(
                        choices=[
                            ("all", "Everybody affected"),
                            ("held", "Only those on hold"),
                            ("without_email", "Only those without an email address"),
                            ("without_country", "Only those without a country"),
                            ("country", "Only those in one country"),
                        ],
                        max_length=16,
                    ),
                ),
                ("country", models.CharField(blank=True, max_length=2)),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), size=None),
                ),
                ("people", models.PositiveIntegerField()),
                ("sealed_reason", models.BinaryField()),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField(null=True)),
                ("file_id", models.UUIDField(null=True)),
                ("size", models.PositiveBigIntegerField(null=True)),
                ("sha256", models.BinaryField(max_length=32, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="people_exports",
                        to="incidents.incident",
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("export_people", "Ask for an export of personal data"),
                    ("approve_export", "Allow an export that a colleague asked for"),
                ],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=~Q(state__in=["refused", "approved", "made", "expired"])
                        | Q(decided_by__isnull=False) & ~Q(decided_by=F("asked_by")),
                        name="an_export_needs_two_people",
                    ),
                    models.CheckConstraint(
                        condition=Q(which="country") & ~Q(country="") | ~Q(which="country") & Q(country=""),
                        name="one_country_is_named",
                    ),
                    models.CheckConstraint(
                        condition=~Q(state="made")
                        | Q(file_id__isnull=False, sha256__isnull=False, size__isnull=False, expires_at__isnull=False),
                        name="a_made_export_is_known",
                    ),
                ],
            },
        ),
        guard_statements("people_hold", "people.hold", "placing"),
        guard_rows("people_peopleexport", "people.peopleexport"),
    ]
