"""One way, and only one, to delete a sealed value: audit_erase(), after an event of the same transaction names it.

0002 refuses every DELETE. Here audit_private's own triggers let those rows pass that stand in audit_erasing, a table
that nobody may write: audit_erase() fills it as its owner, deletes, and empties it again. A setting of the session
would not do, because every role may set one; a row in a table cannot be faked without the right to insert it.
"""

from django.db import migrations

ERASING = """
CREATE TABLE audit_erasing (event_id uuid, field text, PRIMARY KEY (event_id, field));

CREATE FUNCTION audit_refuse_private_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'STATEMENT' AND EXISTS (SELECT FROM audit_erasing) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' AND TG_LEVEL = 'ROW' AND EXISTS (
        SELECT FROM audit_erasing WHERE event_id = OLD.event_id AND field = OLD.field
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""

NOT_ERASING = "DROP FUNCTION audit_refuse_private_change(); DROP TABLE audit_erasing;"

# The search path is fixed: a role that could put its own table in front would decide what is looked at.
ERASE = """
CREATE FUNCTION audit_erase(events uuid[], fields text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    unnamed text;
    wanted bigint;
    erased bigint;
BEGIN
    INSERT INTO audit_erasing SELECT DISTINCT event, field FROM unnest(events, fields) AS pair (event, field);
    GET DIAGNOSTICS wanted = ROW_COUNT;

    WITH named AS (
        SELECT jsonb_array_elements_text(content -> 'data' -> 'erased') AS name
        FROM audit_event, LATERAL (SELECT convert_from(body, 'UTF8')::jsonb AS content) AS parsed
        WHERE xact = pg_current_xact_id() AND type = 'privacy.erased' AND content ->> 'type' = 'privacy.erased'
    )
    SELECT event_id || '/' || field INTO unnamed FROM audit_erasing
    WHERE event_id || '/' || field NOT IN (SELECT name FROM named) LIMIT 1;
    IF unnamed IS NOT NULL THEN
        RAISE EXCEPTION 'No event privacy.erased of this transaction names %. Nothing was erased.', unnamed
            USING ERRCODE = 'insufficient_privilege';
    END IF;

    DELETE FROM audit_private USING audit_erasing
    WHERE audit_private.event_id = audit_erasing.event_id AND audit_private.field = audit_erasing.field;
    GET DIAGNOSTICS erased = ROW_COUNT;
    IF erased <> wanted THEN
        RAISE EXCEPTION '% of % values are not there, or not any more. Nothing was erased.', wanted - erased, wanted
            USING ERRCODE = 'no_data_found';
    END IF;
    DELETE FROM audit_erasing;
    RETURN erased;
END $$;

REVOKE ALL ON FUNCTION audit_erase(uuid[], text[]) FROM PUBLIC;
"""


def triggers_by(function: str) -> str:
    return f"""
DROP TRIGGER audit_private_stays ON audit_private;
DROP TRIGGER audit_private_rows_stay ON audit_private;
CREATE TRIGGER audit_private_rows_stay BEFORE UPDATE OR DELETE ON audit_private
    FOR EACH ROW EXECUTE FUNCTION {function}();
CREATE TRIGGER audit_private_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_private
    FOR EACH STATEMENT EXECUTE FUNCTION {function}();
"""


# Whoever may add an event need not be able to write the sequencer's list.
PENDING_AS_OWNER = (
    "ALTER FUNCTION audit_remember_pending() SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp"
)
PENDING_AS_CALLER = "ALTER FUNCTION audit_remember_pending() SECURITY INVOKER RESET search_path"


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_guards")]

    operations = [
        migrations.AlterModelOptions(
            name="privatevalue",
            options={"default_permissions": (), "permissions": [("erase_values", "Can erase sealed values")]},
        ),
        migrations.RunSQL(ERASING, NOT_ERASING),
        migrations.RunSQL(triggers_by("audit_refuse_private_change"), triggers_by("audit_refuse_change")),
        migrations.RunSQL(ERASE, "DROP FUNCTION audit_erase(uuid[], text[])"),
        migrations.RunSQL(PENDING_AS_OWNER, PENDING_AS_CALLER),
    ]
