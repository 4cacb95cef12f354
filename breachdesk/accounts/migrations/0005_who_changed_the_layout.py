"""Whoever changed what stands in every message is one of its authors; a notice may ask for two approvals."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_links


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_guards"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="approvers_needed",
            field=models.PositiveSmallIntegerField(choices=[(1, "One"), (2, "Two")], default=1),
        ),
        migrations.CreateModel(
            name="OrganisationAuthor",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="authors", to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["author", "at"], name="organisation_by_author")],
            },
        ),
        guard_links(
            "accounts_organisationauthor",
            "organisation_id",
            owner="accounts_organisation",
            label="accounts.organisation",
        ),
    ]
