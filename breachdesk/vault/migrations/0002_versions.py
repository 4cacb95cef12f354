from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial")]

    operations = [
        migrations.AddField(model_name="datakey", name="version", field=models.PositiveIntegerField(default=1)),
    ]
