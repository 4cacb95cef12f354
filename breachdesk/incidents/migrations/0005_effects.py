from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0004_assessing"),
    ]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="action_taken",
            field=models.TextField(blank=True, max_length=4000),
        ),
        migrations.AddField(
            model_name="incident",
            name="effects",
            field=models.TextField(blank=True, max_length=4000),
        ),
    ]
