"""When a list was taken in; which row of a file was about whom, found again by later rows of the same file."""

from django.db import migrations, models
from django.db.models import Q

from breachdesk.audit.guards import guard_rows

HANDED_IN = ["id", "incident_id", "file_name", "size", "sha256", "uploaded_by_id", "received_at"]
CONFIRMED = ["purpose", "sealed_plan", "decided_by_id", "decided_at", "taken_in_at"]
UNDER_WAY = "row.state IN ('queued', 'reading')"
AS_IT_WAS = "UPDATE people_upload SET taken_in_at = finished_at WHERE state = 'loaded'"


class Migration(migrations.Migration):
    dependencies = [("people", "0006_counting")]

    operations = [
        migrations.RunSQL("SELECT audit_unguard('people_upload')", migrations.RunSQL.noop),
        migrations.AddField(model_name="upload", name="taken_in_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(AS_IT_WAS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=~Q(state="loaded") | Q(taken_in_at__isnull=False), name="taken_in_is_dated"
            ),
        ),
        migrations.AddConstraint(
            model_name="personmatch",
            constraint=models.UniqueConstraint(
                fields=["upload", "person"], condition=Q(sealed__isnull=False), name="values_come_from_one_row"
            ),
        ),
        migrations.AddIndex(
            model_name="personmatch",
            index=models.Index(
                fields=["upload", "identity_index"], condition=Q(identity_index__isnull=False), name="match_by_identity"
            ),
        ),
        migrations.AddIndex(
            model_name="personmatch",
            index=models.Index(
                fields=["upload", "reference_index"],
                condition=Q(reference_index__isnull=False),
                name="match_by_reference",
            ),
        ),
        guard_rows("people_upload", "people.upload", columns=HANDED_IN + CONFIRMED, free=UNDER_WAY),
    ]
