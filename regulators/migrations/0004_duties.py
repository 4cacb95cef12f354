import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_rows


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0004_assessing"),
        ("regulators", "0003_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DutyMet",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("regime", models.CharField(max_length=60)),
                ("duty", models.CharField(max_length=60)),
                ("place", models.CharField(max_length=8)),
                ("told_at", models.DateTimeField()),
                ("how", models.TextField(max_length=1000)),
                ("delay_reason", models.TextField(blank=True, max_length=1000)),
                ("recorded_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="duties_met", to="incidents.incident"
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("incident", "regime", "duty", "place"), name="a_duty_is_met_once"),
                    models.CheckConstraint(
                        condition=models.Q(("how", ""), _negated=True), name="a_duty_is_met_somehow"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatedFact",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("key", models.CharField(max_length=80)),
                ("value", models.JSONField(null=True)),
                ("basis", models.TextField(blank=True, max_length=1000)),
                ("stated_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stated_facts",
                        to="incidents.incident",
                    ),
                ),
                (
                    "stated_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("state_fact", "Say what laws ask about a case"),
                    ("state_position", "Say what laws ask about the organisation"),
                    ("meet_duty", "Record that somebody was told outside a filing"),
                ],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_at", None)),
                        fields=("incident", "key"),
                        name="one_standing_statement_per_fact",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        guard_rows("regulators_statedfact", "regulators.statedfact"),
        guard_rows("regulators_dutymet", "regulators.dutymet"),
    ]
