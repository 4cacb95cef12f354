import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_rows

OF_REMINDER = ["id", "incident_id", "duty", "warning", "due_at", "calls_deputies", "made_at", "version"]


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0004_assessing"),
        ("regulators", "0005_filings_by_authority"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("duty", models.CharField(max_length=140)),
                ("warning", models.CharField(max_length=20)),
                ("due_at", models.DateTimeField()),
                ("calls_deputies", models.BooleanField()),
                ("made_at", models.DateTimeField()),
                ("tried_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reminders", to="incidents.incident"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("incident", "duty", "warning", "due_at"), name="a_warning_is_made_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("token_sha256", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calendar_feeds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)), fields=("user",), name="one_open_feed_per_user"
                    )
                ],
            },
        ),
        guard_rows("regulators_reminder", "regulators.reminder", columns=OF_REMINDER),
        guard_rows("regulators_calendarfeed", "regulators.calendarfeed"),
    ]
