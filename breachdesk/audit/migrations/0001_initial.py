import django.db.models.deletion
from django.db import migrations, models

import breachdesk.audit.models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Anchor",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("size", models.BigIntegerField()),
                ("kind", models.TextField()),
                ("target", models.TextField()),
                ("receipt", models.BinaryField(null=True)),
                ("ok", models.BooleanField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_anchor",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("root", models.BinaryField()),
                ("note", models.TextField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_checkpoint",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "level", "pos", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("level", models.SmallIntegerField()),
                ("pos", models.BigIntegerField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "db_table": "audit_node",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Pending",
            fields=[
                ("event_row", models.BigIntegerField(primary_key=True, serialize=False)),
            ],
            options={
                "db_table": "audit_pending",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("idx", models.BigIntegerField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(unique=True)),
                ("entry", models.BinaryField()),
                ("leaf", models.BinaryField(unique=True)),
                ("incident", models.UUIDField(null=True)),
                ("inc_n", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "audit_entry",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("idx__gte", 0)), name="audit_entry_idx_from_zero"),
                    models.UniqueConstraint(fields=("incident", "inc_n"), name="audit_entry_once_in_incident"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("inc_n__isnull", True), ("incident__isnull", True)),
                            models.Q(("inc_n__gte", 1), ("inc_n__isnull", False), ("incident__isnull", False)),
                            _connector="OR",
                        ),
                        name="audit_entry_incident_has_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField(unique=True)),
                ("type", models.TextField()),
                ("incident", models.UUIDField(null=True)),
                ("body", models.BinaryField()),
                ("body_sha256", models.BinaryField()),
                (
                    "xact",
                    breachdesk.audit.models.TransactionIdField(
                        db_default=models.Func(function="pg_current_xact_id"), editable=False
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_event",
                "permissions": [("view_trail", "Can read the audit trail")],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("incident__isnull", False)),
                        fields=["incident", "id"],
                        name="audit_event_of_incident",
                    ),
                    models.Index(fields=["type", "id"], name="audit_event_of_type"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrivateValue",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "event_id", "field", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("field", models.TextField()),
                ("salt", models.BinaryField()),
                ("value_enc", models.BinaryField()),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="private_values",
                        to="audit.event",
                        to_field="event_id",
                    ),
                ),
            ],
            options={
                "db_table": "audit_private",
                "default_permissions": (),
            },
        ),
    ]
