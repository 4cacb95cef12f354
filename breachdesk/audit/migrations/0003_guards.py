"""No guarded row changes without its event: the database refuses the COMMIT, whoever writes.

What an event names stands in its own column, computed from its bytes: "app.model/<id>/<version>" for a row, and
"<table>/<batch>" for the rows of one batch. Two guards demand it at the end of the transaction, because one would ruin
the other: a trigger for each row of a load of 430,000 people did not finish in ten minutes, a trigger for the statement
costs next to nothing.

- Row guard, for what is changed one row at a time: the event must name the row in its new version, and the version
  must have grown. `columns` says which columns are guarded (all, if it is null); while `free` holds of a row before
  and after its change, the others may change alone. The version is guarded always.
- Link guard, for the rows that tie two things together: the event must name their owner in its version of now.
- Statement guard, for what is loaded in bulk: one event names table and batch, or, for up to 100 rows, one event for
  each names it in its new version. Rows of which `free` holds before or after the change are passed over.

`free` is SQL about one row, called `row`: "row.state = 'reading'". Nothing is asked about rows that were there before.
A superuser who sets session_replication_role, and an owner who drops a trigger, can go round all this; so can whoever
restores a dump, whose triggers come after its rows. Backups and tests rely on that; the trail's own proof does not.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.models import F, Func

from breachdesk.audit.guards import guard_rows

# Only functions of pg_catalog: it must work while a dump is restored, when no other schema is searched.
# Bytes that are no JSON name nothing; whether they may stand in the trail is for the verifier to say.
NAMES = """
CREATE FUNCTION audit_names_of(body bytea) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    said jsonb;
    object jsonb;
    list jsonb;
    names text[] := '{}';
BEGIN
    said := convert_from(body, 'UTF8');
    object := said -> 'object';
    IF jsonb_typeof(object) = 'object' THEN
        names := ARRAY[concat_ws('/', object ->> 'kind', object ->> 'id', object ->> 'version')];
    END IF;
    FOREACH list IN ARRAY ARRAY[said #> '{data,also}', said #> '{data,batches}'] LOOP
        IF jsonb_typeof(list) = 'array' THEN
            names := names || ARRAY(SELECT jsonb_array_elements_text(list));
        END IF;
    END LOOP;
    RETURN names;
EXCEPTION WHEN OTHERS THEN
    RETURN '{}';
END $$;

CREATE FUNCTION audit_stamp_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact := pg_current_xact_id();
    RETURN NEW;
END $$;

CREATE TRIGGER audit_event_is_of_its_transaction BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_stamp_transaction();
"""

NO_NAMES = """
DROP TRIGGER audit_event_is_of_its_transaction ON audit_event;
DROP FUNCTION audit_stamp_transaction();
DROP FUNCTION audit_names_of(bytea);
"""

# An index on the transaction leads to its few events. A plan made while the table was small must not outlive that.
DEMANDS = """
CREATE FUNCTION audit_is_named(wanted text[]) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    RETURN EXISTS (SELECT FROM audit_event WHERE xact = pg_current_xact_id() AND names && wanted);
END $$;

CREATE FUNCTION audit_demand_event(of_table text, label text, id text, VARIADIC versions bigint[])
    RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT audit_is_named(ARRAY(SELECT concat_ws('/', label, id, version) FROM unnest(versions) AS version)) THEN
        RAISE EXCEPTION 'Row % of % was changed and no event of this transaction names it at version %.',
            id, of_table, versions[1]
            USING ERRCODE = 'integrity_constraint_violation', TABLE = of_table,
            HINT = 'Make the change through its action, which records it. Nothing was committed.';
    END IF;
END $$;

CREATE FUNCTION audit_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is guarded: its rows go one by one, each with its event. TRUNCATE is refused.', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TABLE audit_touched (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    of_table text NOT NULL,
    batch text NOT NULL,
    names text[]
);

CREATE FUNCTION audit_check_touched() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT audit_is_named(ARRAY[concat_ws('/', NEW.of_table, NEW.batch)]) AND (NEW.names IS NULL OR EXISTS (
        SELECT FROM unnest(NEW.names) AS wanted WHERE NOT audit_is_named(ARRAY[wanted]))) THEN
        RAISE EXCEPTION 'Rows of % were changed and no event of this transaction names %.', NEW.of_table,
            concat_ws(' or each of ', NEW.of_table || '/' || NEW.batch, array_to_string(NEW.names[1:3], ', '))
            USING ERRCODE = 'integrity_constraint_violation', TABLE = NEW.of_table,
            HINT = 'Make the change through its action, which records it. Nothing was committed.';
    END IF;
    DELETE FROM audit_touched WHERE id = NEW.id;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER audit_touched_has_its_event AFTER INSERT ON audit_touched
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_check_touched();
"""

NO_DEMANDS = """
DROP TABLE audit_touched;
DROP FUNCTION audit_check_touched(), audit_refuse_truncate(), audit_is_named(text[]);
DROP FUNCTION audit_demand_event(text, text, text, bigint[]);
"""

# Each guarded table gets trigger functions of its own, so that no row is taken apart at run time.
PARTS = """
CREATE FUNCTION audit_name_of(guarded regclass) RETURNS text LANGUAGE sql AS $$
    SELECT relname::text FROM pg_class WHERE oid = guarded
$$;

CREATE FUNCTION audit_key_of(guarded regclass) RETURNS text LANGUAGE sql AS $$
    SELECT quote_ident(attname) FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = guarded AND indisprimary AND indnkeyatts = 1
$$;

CREATE FUNCTION audit_counts_versions(guarded regclass) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = guarded AND attname = 'version' AND NOT attisdropped)
$$;

CREATE FUNCTION audit_about(condition text, called text) RETURNS text LANGUAGE sql AS $$
    SELECT '(' || regexp_replace(condition, '\\mrow\\.', called || '.', 'g') || ')'
$$;

CREATE FUNCTION audit_unguard(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found record;
BEGIN
    FOR found IN SELECT tgname FROM pg_trigger
        WHERE tgrelid = guarded AND tgname LIKE 'audit\\_guard%'
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, guarded);
    END LOOP;
    FOR found IN SELECT oid::regprocedure AS function FROM pg_proc
        WHERE proname LIKE 'audit\\_guard\\_of\\_%' AND proname = ANY (ARRAY(
            SELECT 'audit_guard_of_' || audit_name_of(guarded) || suffix
            FROM unnest(ARRAY['', '_insert', '_update', '_delete']) AS suffix))
    LOOP
        EXECUTE format('DROP FUNCTION %s', found.function);
    END LOOP;
END $$;

CREATE FUNCTION audit_guard_truncate(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_truncate()', guarded);
END $$;
"""

NO_PARTS = """
DROP FUNCTION audit_guard_truncate(regclass), audit_unguard(regclass), audit_about(text, text),
    audit_counts_versions(regclass), audit_key_of(regclass), audit_name_of(regclass);
"""

ROWS = """
CREATE FUNCTION audit_guard_rows(guarded regclass, label text, columns text[] DEFAULT NULL, free text DEFAULT NULL)
    RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
    name text := audit_name_of(guarded);
    key text := audit_key_of(guarded);
    counts boolean := audit_counts_versions(guarded);
    differs text := 'OLD.* IS DISTINCT FROM NEW.*';
    always text;
BEGIN
    PERFORM audit_unguard(guarded);
    SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', column_name), ' OR ') INTO always
        FROM unnest(CASE WHEN counts THEN array_append(array_remove(columns, 'version'), 'version') ELSE columns END) AS column_name;
    IF columns IS NOT NULL AND free IS NULL THEN
        differs := always;
    ELSIF free IS NOT NULL THEN
        differs := format('%s OR (%s AND NOT (%s AND %s))',
            coalesce(always, 'false'), differs, audit_about(free, 'OLD'), audit_about(free, 'NEW'));
    END IF;
    EXECUTE format($code$
        CREATE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                PERFORM audit_demand_event(%2$L, %3$L, OLD.%4$s::text, %5$s, %5$s + 1);
                RETURN NULL;
            ELSIF TG_OP = 'UPDATE' AND (NEW.%4$s <> OLD.%4$s OR NOT (%7$s)) THEN
                RAISE EXCEPTION 'Row %% of %% was changed and its version stayed at %%.', OLD.%4$s, %2$L, %5$s
                    USING ERRCODE = 'integrity_constraint_violation', TABLE = %2$L,
                    HINT = 'Make the change through its action, which counts it. Nothing was committed.';
            END IF;
            PERFORM audit_demand_event(%2$L, %3$L, NEW.%4$s::text, %6$s);
            RETURN NULL;
        END $body$ $code$,
        'audit_guard_of_' || name, name, label, key,
        CASE WHEN counts THEN 'OLD.version' ELSE '0' END, CASE WHEN counts THEN 'NEW.version' ELSE '0' END,
        CASE WHEN counts THEN 'NEW.version > OLD.version' ELSE 'true' END);
    EXECUTE format('CREATE CONSTRAINT TRIGGER audit_guard_rows AFTER INSERT OR DELETE ON %s
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %I()', guarded, 'audit_guard_of_' || name);
    EXECUTE format('CREATE CONSTRAINT TRIGGER audit_guard_changes AFTER UPDATE ON %s
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %I()',
        guarded, differs, 'audit_guard_of_' || name);
    PERFORM audit_guard_truncate(guarded);
END $outer$;

CREATE FUNCTION audit_guard_links(guarded regclass, column_name text, owner regclass, label text)
    RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE name text := audit_name_of(guarded);
BEGIN
    PERFORM audit_unguard(guarded);
    EXECUTE format($code$
        CREATE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = public, pg_temp AS $body$
        DECLARE owner record;
        BEGIN
            FOR owner IN SELECT %5$s AS id, %6$s AS version FROM %7$s AS of_now WHERE %5$s = ANY (CASE TG_OP
                WHEN 'INSERT' THEN ARRAY[NEW.%4$I] WHEN 'DELETE' THEN ARRAY[OLD.%4$I]
                ELSE ARRAY[OLD.%4$I, NEW.%4$I] END)
            LOOP
                PERFORM audit_demand_event(%2$L || ' (its rows in ' || %8$L || ')', %3$L, owner.id::text, owner.version);
            END LOOP;
            RETURN NULL;
        END $body$ $code$,
        'audit_guard_of_' || name, audit_name_of(owner), label, column_name, audit_key_of(owner),
        CASE WHEN audit_counts_versions(owner) THEN 'of_now.version' ELSE '0' END, owner, name);
    EXECUTE format('CREATE CONSTRAINT TRIGGER audit_guard_links AFTER INSERT OR UPDATE OR DELETE ON %s
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %I()', guarded, 'audit_guard_of_' || name);
    PERFORM audit_guard_truncate(guarded);
END $outer$;
"""

NO_ROWS = """
DROP FUNCTION audit_guard_rows(regclass, text, text[], text), audit_guard_links(regclass, text, regclass, text);
"""

# Which rows a statement changed, once each with the batch it was in and the batch it is in now.
# A row whose id was changed is in nobody's old rows: its name can stand in no event, so its batch must be named.
STATEMENTS = """
CREATE FUNCTION audit_guard_statements(
    guarded regclass, label text, batch_column text, free text DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $outer$
DECLARE
    name text := audit_name_of(guarded);
    key text := audit_key_of(guarded);
    counts boolean := audit_counts_versions(guarded);
    operation text;
    changed text;
    batches text;
    named text;
BEGIN
    PERFORM audit_unguard(guarded);
    FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
        IF operation = 'UPDATE' THEN
            changed := format('new_rows AS n FULL JOIN old_rows AS o ON n.%1$s = o.%1$s
                WHERE n IS DISTINCT FROM o', key);
            IF free IS NOT NULL THEN
                changed := changed || format(' AND (%s OR %s) IS NOT TRUE', audit_about(free, 'n'), audit_about(free, 'o'));
            END IF;
            batches := format('ARRAY[n.%1$I::text, o.%1$I::text]', batch_column);
            named := format('CASE WHEN %s THEN concat_ws(''/'', %L, n.%s, %s) ELSE %s END',
                CASE WHEN counts THEN 'n.version > o.version' ELSE format('n.%1$s = o.%1$s', key) END, label, key,
                CASE WHEN counts THEN 'n.version' ELSE '0' END,
                format('concat_ws('' '', n.%s, ''with its version not grown'')', key));
        ELSE
            changed := 'changed AS r' || coalesce(' WHERE ' || audit_about(free, 'r') || ' IS NOT TRUE', '');
            batches := format('ARRAY[r.%I::text]', batch_column);
            named := format('concat_ws(''/'', %L, r.%s, %s)', label, key, CASE WHEN counts THEN 'r.version' ELSE '0' END);
        END IF;
        EXECUTE format($code$
            CREATE FUNCTION %1$I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
                SET search_path = public, pg_temp AS $body$
            BEGIN
                IF (SELECT count(*) FROM (SELECT FROM %2$s LIMIT 101) AS few) <= 100 THEN
                    INSERT INTO audit_touched (of_table, batch, names)
                    SELECT %3$L, batch, array_agg(DISTINCT name)
                    FROM (SELECT %5$s AS name, %4$s AS batches FROM %6$s) AS found,
                         unnest(array_replace(batches, NULL, '-')) AS batch GROUP BY batch;
                ELSE  -- planned afresh, for as many rows as there are
                    EXECUTE %7$L;
                END IF;
                RETURN NULL;
            END $body$ $code$,
            format('audit_guard_of_%s_%s', name, lower(operation)),
            CASE operation WHEN 'UPDATE' THEN 'new_rows' ELSE 'changed' END,
            name, batches, named, changed,
            format('INSERT INTO audit_touched (of_table, batch) SELECT DISTINCT %L, batch FROM (SELECT DISTINCT %s AS
                batches FROM %s) AS found, unnest(array_replace(batches, NULL, ''-'')) AS batch', name, batches, changed));
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            'audit_guard_' || lower(operation), operation, guarded,
            CASE operation WHEN 'INSERT' THEN 'NEW TABLE AS changed' WHEN 'DELETE' THEN 'OLD TABLE AS changed'
                ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows' END,
            format('audit_guard_of_%s_%s', name, lower(operation)));
    END LOOP;
    PERFORM audit_guard_truncate(guarded);
END $outer$;
"""

NO_STATEMENTS = "DROP FUNCTION audit_guard_statements(regclass, text, text, text);"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only"), ("vault", "0002_versions")]

    operations = [
        migrations.RunSQL(NAMES, NO_NAMES),
        migrations.AddField(
            model_name="event",
            name="names",
            field=models.GeneratedField(
                expression=Func(F("body"), function="audit_names_of"),
                output_field=ArrayField(models.TextField()),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(model_name="event", index=models.Index(fields=["xact"], name="audit_event_of_transaction")),
        migrations.RunSQL(DEMANDS, NO_DEMANDS),
        migrations.RunSQL(PARTS, NO_PARTS),
        migrations.RunSQL(ROWS, NO_ROWS),
        migrations.RunSQL(STATEMENTS, NO_STATEMENTS),
        # The vault is below the trail and knows nothing of it.
        guard_rows("vault_data_key", "vault.datakey"),
    ]
