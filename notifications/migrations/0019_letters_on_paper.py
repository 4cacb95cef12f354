"""A letter has a code of its own, and the row of its person as it was when the letters were begun.

Who is made later is compared with that row, as a message is; and a run knows for which envelopes it is printed.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0019_where_we_sent_from")]

    operations = [
        migrations.AddField(
            model_name="letterrun",
            name="window",
            field=models.CharField(default="uk", max_length=4),
        ),
        migrations.AddField(
            model_name="letter",
            name="frozen",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="letter",
            name="verification",
            field=models.BinaryField(null=True),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(
                condition=models.Q(("verification__isnull", False)), fields=["verification"], name="letter_by_code"
            ),
        ),
    ]
