"""The data key and the index key die separately, and each gets a share outside the database (shares.py)."""

from django.db import migrations, models
from django.db.models import Q

# Until now both died together. Written by a change of type, because a row may only be updated with its event, and this
# is no event: nothing happened.
BOTH_DIED_TOGETHER = """
ALTER TABLE vault_data_key ALTER COLUMN index_destroyed_at TYPE timestamptz USING destroyed_at
"""


class Migration(migrations.Migration):
    dependencies = [("vault", "0002_versions")]

    operations = [
        migrations.RemoveConstraint(model_name="datakey", name="data_key_destroyed_means_gone"),
        migrations.AddField(model_name="datakey", name="shared_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="datakey", name="index_destroyed_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(BOTH_DIED_TOGETHER, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.CheckConstraint(
                name="data_key_destroyed_means_gone",
                condition=Q(destroyed_at__isnull=True, wrapped_data__isnull=False)
                | Q(destroyed_at__isnull=False, wrapped_data__isnull=True),
            ),
        ),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.CheckConstraint(
                name="index_key_destroyed_means_gone",
                condition=Q(index_destroyed_at__isnull=True, wrapped_index__isnull=False)
                | Q(index_destroyed_at__isnull=False, wrapped_index__isnull=True),
            ),
        ),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.CheckConstraint(
                name="index_key_outlives_the_data_key",
                condition=Q(index_destroyed_at__isnull=True) | Q(destroyed_at__isnull=False),
            ),
        ),
    ]
