"""The database itself refuses to change or empty the trail, and remembers every event that is not linked yet.

Row triggers catch UPDATE and DELETE of any row, statement triggers also those that would touch no row, and TRUNCATE. A
superuser can go round them; that is what verify_audit detects.
"""

from django.db import migrations

APPEND_ONLY = ("audit_event", "audit_private", "audit_entry", "audit_node", "audit_checkpoint", "audit_anchor")

SIZES = {
    "audit_event_body_sha256_size": ("audit_event", "body_sha256"),
    "audit_private_salt_size": ("audit_private", "salt"),
    "audit_entry_leaf_size": ("audit_entry", "leaf"),
    "audit_node_hash_size": ("audit_node", "hash"),
    "audit_checkpoint_root_size": ("audit_checkpoint", "root"),
}

FUNCTIONS = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION audit_remember_pending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pending (event_row) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER audit_event_is_pending AFTER INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_remember_pending();
"""

REVERSED = """
DROP TRIGGER audit_event_is_pending ON audit_event;
DROP FUNCTION audit_remember_pending();
DROP FUNCTION audit_refuse_change();
"""


def triggers_of(table: str) -> str:
    return f"""
CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""


def no_triggers_of(table: str) -> str:
    return f"DROP TRIGGER {table}_stays ON {table}; DROP TRIGGER {table}_rows_stay ON {table};"


def size_check(name: str, table: str, column: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (octet_length({column}) = 32)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        *(size_check(name, table, column) for name, (table, column) in SIZES.items()),
        migrations.RunSQL(FUNCTIONS, REVERSED),
        *(migrations.RunSQL(triggers_of(table), no_triggers_of(table)) for table in APPEND_ONLY),
    ]
