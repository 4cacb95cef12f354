"""At whose mail host a message was not taken, as a blind index; and how many of one domain workers have in hand."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0019_letters_on_paper")]

    operations = [
        migrations.AddField("attempt", "domain", models.BinaryField(null=True)),
        migrations.AddField(
            "pace",
            "in_hand",
            django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list),
        ),
    ]
