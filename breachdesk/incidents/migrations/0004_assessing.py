import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_rows


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0003_keeping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="moment",
            name="kind",
            field=models.CharField(
                choices=[
                    ("aware", "We became aware"),
                    ("told_by_processor", "The processor told us"),
                    ("began", "The breach began"),
                    ("ended", "The breach ended"),
                    ("contained", "Contained"),
                    ("suspected", "We first suspected it"),
                    ("detected", "It was detected"),
                    ("discovered", "We discovered it"),
                    ("should_have_known", "We should have known"),
                    ("confirmed", "It was confirmed"),
                    ("determined", "We determined it to be a breach"),
                    ("assessed", "Our assessment was finished"),
                    ("classified", "It was classified as major"),
                    ("material", "It was decided to be material"),
                    ("identified", "The people were identified"),
                    ("ransom_paid", "A ransom was paid"),
                    ("handled", "The incident was handled"),
                    ("fix_available", "A fix was available"),
                    ("requested", "The authority asked"),
                    ("statement_ready", "The statement was ready"),
                ],
                max_length=20,
            ),
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("method", models.CharField(max_length=40)),
                ("inputs", models.JSONField()),
                ("score", models.DecimalField(decimal_places=2, max_digits=4)),
                ("level", models.CharField(max_length=20)),
                ("note", models.TextField(blank=True, max_length=4000)),
                ("made_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assessments", to="incidents.incident"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "permissions": [
                    ("assess_risk", "Assess the risk to people"),
                    ("decide_notification", "Decide whether the authority and the people are told"),
                ],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "about",
                    models.CharField(
                        choices=[("authority", "Tell the authority"), ("people", "Tell the people")], max_length=20
                    ),
                ),
                ("tell", models.BooleanField()),
                ("reason", models.TextField(max_length=4000)),
                ("facts", models.BinaryField()),
                ("decided_at", models.DateTimeField()),
                ("superseded_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "assessment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="incidents.assessment",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="incidents.incident"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.UniqueConstraint(fields=("incident", "number"), name="one_assessment_per_number"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("superseded_at", None)), fields=("incident", "about"), name="one_standing_decision"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_decision_has_a_reason"
            ),
        ),
        guard_rows("incidents_assessment", "incidents.assessment"),
        guard_rows("incidents_decision", "incidents.decision"),
    ]
