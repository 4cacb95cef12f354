import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DataKey",
            fields=[
                ("scope", models.UUIDField(primary_key=True, serialize=False)),
                ("wrapped_data", models.BinaryField(null=True)),
                ("wrapped_index", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "vault_data_key",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("destroyed_at__isnull", True),
                                ("wrapped_data__isnull", False),
                                ("wrapped_index__isnull", False),
                            ),
                            models.Q(
                                ("destroyed_at__isnull", False),
                                ("wrapped_data__isnull", True),
                                ("wrapped_index__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="data_key_destroyed_means_gone",
                    )
                ],
            },
        ),
    ]
