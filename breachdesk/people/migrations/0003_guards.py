"""Lists and people change only together with an event that names the change.

While a list is read, its lease and its counts so far change by the second, over a connection of their own: none of it
counts until the list is loaded or has failed. What was handed in, by whom and when is guarded all the while.
"""

from django.db import migrations

from breachdesk.audit.guards import guard_rows, guard_statements

HANDED_IN = ["id", "incident_id", "file_name", "size", "sha256", "uploaded_by_id", "received_at"]
UNDER_WAY = "row.state IN ('received', 'reading')"


class Migration(migrations.Migration):
    dependencies = [("people", "0002_counted_when_loaded"), ("audit", "0003_guards")]

    operations = [
        guard_rows("people_upload", "people.upload", columns=HANDED_IN, free=UNDER_WAY),
        guard_rows("people_countentry", "people.countentry"),
        guard_statements("people_person", "people.person", "upload_id"),
        guard_statements("people_rejectedrow", "people.rejectedrow", "upload_id"),
    ]
