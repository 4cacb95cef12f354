"""A hold for people who say that they are no customer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0008_reading_apart")]

    operations = [
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("police", "The police asked us to wait"),
                    ("deceased", "The person has died"),
                    ("dispute", "A dispute with the person"),
                    ("asked", "They asked not to be contacted"),
                    ("not_ours", "They say they are no customer of ours"),
                    ("other", "Another reason"),
                ],
                max_length=10,
            ),
        ),
    ]
