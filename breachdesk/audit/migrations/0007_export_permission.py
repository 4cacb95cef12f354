"""Exporting an evidence bundle is a right of its own."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_anchors")]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={
                "default_permissions": (),
                "permissions": [
                    ("view_trail", "Can read the audit trail"),
                    ("export_bundle", "Can export evidence bundles"),
                ],
            },
        ),
    ]
