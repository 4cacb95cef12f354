"""Why a report that was signed off in time was sent late."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("regulators", "0011_open_without_a_date")]

    operations = [
        migrations.AddField(
            model_name="receipt", name="delay_reason", field=models.CharField(blank=True, max_length=1000)
        )
    ]
