import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_rows


class Migration(migrations.Migration):
    dependencies = [
        ("regulators", "0008_typing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SignedPdf",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=160)),
                ("sealed", models.BinaryField()),
                ("sha256", models.BinaryField()),
                ("made_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "filing_version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="signed_pdf",
                        to="regulators.filingversion",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        guard_rows("regulators_signedpdf", "regulators.signedpdf"),
    ]
