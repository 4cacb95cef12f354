"""A case and its moments change only together with an event that names the change."""

from django.db import migrations

from breachdesk.audit.guards import guard_rows


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial"), ("audit", "0003_guards")]

    operations = [
        guard_rows("incidents_incident", "incidents.incident"),
        guard_rows("incidents_moment", "incidents.moment"),
    ]
