import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0005_effects"), ("regulators", "0009_signed_pdfs")]

    operations = [
        migrations.CreateModel(
            name="OpenDates",
            fields=[
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="incidents.incident",
                    ),
                ),
                ("worked_from", models.BinaryField()),
                ("worked_out_at", models.DateTimeField()),
                ("first", models.JSONField(null=True)),
                ("ends", models.JSONField(default=list)),
                ("elsewhere", models.JSONField(default=list)),
                ("dates", models.JSONField(default=list)),
            ],
            options={"default_permissions": ()},
        ),
    ]
