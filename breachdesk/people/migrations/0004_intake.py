"""Files are matched, read, checked, accepted and, if need be, taken out again; people have sources and more marks."""

import uuid

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_rows, guard_statements

HANDED_IN = ["id", "incident_id", "file_name", "size", "sha256", "uploaded_by_id", "received_at"]
CONFIRMED = ["purpose", "sealed_plan", "decided_by_id", "decided_at"]
UNDER_WAY = "row.state IN ('queued', 'reading')"
# What was being read is matched first from now on, like any other.
READ_AGAIN = "UPDATE people_upload SET state = 'received', lease_until = NULL WHERE state = 'reading'"


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0002_guards"),
        ("people", "0003_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("SELECT audit_unguard('people_upload')", migrations.RunSQL.noop),
        migrations.RunSQL(READ_AGAIN, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=80, unique=True)),
                ("plan", models.JSONField()),
                ("saved_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
            ],
            options={
                "ordering": ["name"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PersonMatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("row_number", models.PositiveIntegerField()),
                ("row_checksum", models.BinaryField(max_length=16)),
                (
                    "found_by",
                    models.CharField(
                        choices=[("identity", "Same address and name"), ("reference", "Same customer number")],
                        max_length=10,
                    ),
                ),
                ("sealed", models.BinaryField(null=True)),
                ("email_index", models.BinaryField(null=True)),
                ("identity_index", models.BinaryField(null=True)),
                ("reference_index", models.BinaryField(null=True)),
                ("changes", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="upload",
            name="every_row_is_accounted_for",
        ),
        migrations.RemoveField(
            model_name="upload",
            name="columns",
        ),
        migrations.RemoveField(
            model_name="upload",
            name="countries",
        ),
        migrations.RemoveField(
            model_name="upload",
            name="languages",
        ),
        migrations.RemoveField(
            model_name="upload",
            name="minors",
        ),
        migrations.RemoveField(
            model_name="upload",
            name="without_email",
        ),
        migrations.AddField(
            model_name="person",
            name="deceased",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="person",
            name="has_post",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="person",
            name="row_checksum",
            field=models.BinaryField(default=b"", max_length=16),
        ),
        migrations.AddField(
            model_name="person",
            name="row_number",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="person",
            name="vulnerable",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="person",
            name="withdrawn",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="upload",
            name="decided_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("add", "Adds people; those we know stay as they are"),
                    ("update", "Brings newer data of people we know, and adds the others"),
                    ("withdraw", "Lists people who are no longer affected"),
                ],
                default="add",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="rung_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="sealed_plan",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="upload",
            name="signals",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="upload",
            name="summary",
            field=models.JSONField(default=dict),
        ),
        migrations.AlterField(
            model_name="upload",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "Match its columns"),
                    ("queued", "Waiting to be read"),
                    ("reading", "Being read"),
                    ("checked", "Waiting for your decision"),
                    ("accepted", "Being taken in"),
                    ("loaded", "Taken in"),
                    ("leaving", "Being taken out"),
                    ("gone", "Taken out"),
                    ("failed", "Not loaded"),
                ],
                default="received",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["checked", "accepted", "loaded"]), _negated=True),
                    (
                        "rows_read",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("rows_valid"), "+", models.F("rows_repeated")
                            ),
                            "+",
                            models.F("rows_rejected"),
                        ),
                    ),
                    _connector="OR",
                ),
                name="every_row_is_accounted_for",
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["queued", "reading", "checked"]), _negated=True),
                    ("sealed_plan__isnull", False),
                    _connector="OR",
                ),
                name="read_only_as_confirmed",
            ),
        ),
        migrations.AddField(
            model_name="columnmapping",
            name="saved_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="personmatch",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="matches", to="people.person"
            ),
        ),
        migrations.AddField(
            model_name="personmatch",
            name="upload",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="matches", to="people.upload"
            ),
        ),
        migrations.AddConstraint(
            model_name="personmatch",
            constraint=models.UniqueConstraint(fields=("upload", "row_number"), name="one_match_per_row"),
        ),
        guard_rows("people_upload", "people.upload", columns=HANDED_IN + CONFIRMED, free=UNDER_WAY),
        guard_rows("people_columnmapping", "people.columnmapping"),
        guard_statements("people_personmatch", "people.personmatch", "upload_id"),
    ]
