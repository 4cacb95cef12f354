"""Filled by its owner."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_checkpoints")]

    operations: list[migrations.operations.base.Operation] = []
