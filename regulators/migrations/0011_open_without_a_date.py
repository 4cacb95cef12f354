from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("regulators", "0010_open_dates")]

    operations = [
        migrations.AddField(model_name="opendates", name="undated", field=models.PositiveIntegerField(default=0)),
    ]
