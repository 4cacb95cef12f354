"""What came of each try to leave a checkpoint with somebody outside, in words; and a quick way to the last good one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_checkpoints")]

    operations = [
        migrations.AddField("anchor", "answer", models.TextField(db_default="")),
        migrations.AddIndex("anchor", models.Index(fields=["kind", "target", "-id"], name="audit_anchor_of_target")),
    ]
