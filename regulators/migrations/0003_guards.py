"""Filings, answers, signed versions and receipts change only together with an event that names the change."""

from django.db import migrations

from breachdesk.audit.guards import guard_rows


class Migration(migrations.Migration):
    dependencies = [("regulators", "0002_nothing_changes_after_sign_off"), ("audit", "0003_guards")]

    operations = [
        guard_rows("regulators_filing", "regulators.filing"),
        guard_rows("regulators_answer", "regulators.answer"),
        guard_rows("regulators_filingversion", "regulators.filingversion"),
        guard_rows("regulators_receipt", "regulators.receipt"),
    ]
