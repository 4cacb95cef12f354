"""How far a worker is with a file stands beside the file's row, which every person added to it looks at."""

import django.db.models.deletion
from django.db import migrations, models

# A reading that was broken off by the upgrade begins again.
BROKEN_OFF = """
INSERT INTO people_reading (upload_id, starts, lease_until, bytes_read, rows, repeated, rejected)
SELECT id, starts, coalesce(lease_until, now()), 0, 0, 0, 0 FROM people_upload WHERE state = 'reading';
UPDATE people_upload SET rows_read = 0, rows_valid = 0, rows_repeated = 0, rows_rejected = 0
WHERE state IN ('queued', 'reading');
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0007_matches")]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "upload",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="reading",
                        serialize=False,
                        to="people.upload",
                    ),
                ),
                ("starts", models.PositiveSmallIntegerField()),
                ("lease_until", models.DateTimeField()),
                ("bytes_read", models.PositiveBigIntegerField(default=0)),
                ("rows", models.PositiveIntegerField(default=0)),
                ("repeated", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(BROKEN_OFF, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="upload", name="bytes_read"),
        migrations.RemoveField(model_name="upload", name="lease_until"),
    ]
