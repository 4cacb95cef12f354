"""Nothing about a notice, and no row of a batch that was sealed, changes without an event that names it.

- A delivery under the token of a batch that is not settled yet is its worker's: what came of it is sealed with the
  batch, in one event. Every other change must be named: by the edition for rows without a token (planned, cancelled,
  left out), by the batch for rows of one that is settled (a late answer, a report of the provider), or by each row.
  What a person decides about one (a second sending, an end of waiting) is named even in an open batch.
- Of a batch everything but its lease is guarded, which is renewed every few seconds and says nothing of the case. A
  worker opens one as it likes; it is deleted only while no delivery is under its token.
- A provider's report waits without effect until it is applied; from then on it is guarded.

The statement guard of deliveries runs twice for each window of messages. So it looks first, by one aggregate, whether
all rows are in open batches; only what is not is compared with its old row. That is planned afresh, because a plan made
for three rows is no plan for half a million.
"""

from django.db import migrations

from breachdesk.audit.guards import guard_links, guard_rows, guard_statements

BATCH_COLUMNS = ("id", "edition_id", "epoch", "opened_at", "settled_at", "rows", "rows_root")

BATCHES = """
DROP TRIGGER audit_guard_rows ON notifications_batch;
CREATE CONSTRAINT TRIGGER audit_guard_rows AFTER INSERT ON notifications_batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.settled_at IS NOT NULL OR NEW.rows <> 0 OR NEW.rows_root IS NOT NULL)
    EXECUTE FUNCTION audit_guard_of_notifications_batch();

CREATE FUNCTION refuse_batch_with_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notifications_delivery WHERE token = OLD.id) THEN
        RAISE EXCEPTION 'A batch that deliveries belong to is never deleted.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER guard_batch_rows BEFORE DELETE ON notifications_batch
    FOR EACH ROW EXECUTE FUNCTION refuse_batch_with_rows();
"""

NO_BATCHES = """
DROP TRIGGER guard_batch_rows ON notifications_batch;
DROP FUNCTION refuse_batch_with_rows();
"""

# A person on hold is looked at again later: that moves next_at alone, and leaves no event.
DELIVERIES = """
CREATE OR REPLACE FUNCTION audit_guard_of_notifications_delivery_update() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $guard$
DECLARE tokens uuid[] := (SELECT array_agg(DISTINCT token) FROM new_rows);
BEGIN
    IF tokens IS NULL OR cardinality(tokens) = (
        SELECT count(*) FROM notifications_batch WHERE id = ANY (tokens) AND settled_at IS NULL) THEN
        RETURN NULL;
    END IF;
    EXECUTE $changed$
        INSERT INTO audit_touched (of_table, batch, names)
        SELECT 'notifications_delivery', batch,
            CASE WHEN count(*) <= 100 THEN array_agg('notifications.delivery/' || id || '/0') END
        FROM (
            SELECT coalesce(n.token, n.edition_id)::text AS batch, n.id
            FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
            LEFT JOIN notifications_batch AS present ON present.id = n.token AND present.settled_at IS NULL
            LEFT JOIN notifications_batch AS left_one ON left_one.id = o.token AND left_one.settled_at IS NULL
            WHERE n IS DISTINCT FROM o AND present.id IS NULL
              AND NOT (n.token IS NULL AND n.state IN ('planned', 'retry_wait') AND left_one.id IS NOT NULL)
              AND NOT (
                (n.state, n.token, n.tries, n.generation, n.code, n.reply_sha256, n.recipient, n.handing_over_at,
                    n.settled_at)
                IS NOT DISTINCT FROM
                (o.state, o.token, o.tries, o.generation, o.code, o.reply_sha256, o.recipient, o.handing_over_at,
                    o.settled_at)
                AND (SELECT p.held FROM people_person AS p WHERE p.id = n.person_id))
        ) AS found GROUP BY batch
    $changed$;
    RETURN NULL;
END $guard$;

CREATE FUNCTION audit_guard_of_notifications_delivery() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_touched (of_table, batch, names)
    VALUES ('notifications_delivery', NEW.edition_id::text, ARRAY['notifications.delivery/' || NEW.id || '/0']);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_guard_decisions AFTER UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state IN ('unknown', 'blocked') AND NEW.state IN ('planned', 'cancelled', 'assumed_sent'))
    EXECUTE FUNCTION audit_guard_of_notifications_delivery();
"""

NO_DELIVERIES = "SELECT audit_unguard('notifications_delivery');"

ATTEMPTS = """
CREATE OR REPLACE FUNCTION audit_guard_of_notifications_attempt_insert() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE batches uuid[] := (SELECT array_agg(DISTINCT batch_id) FROM changed);
BEGIN
    IF batches IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit_touched (of_table, batch, names)
    SELECT 'notifications_attempt', batch_id::text,
        CASE WHEN count(*) <= 100 THEN array_agg('notifications.attempt/' || id || '/0') END
    FROM changed WHERE batch_id <> ALL (ARRAY(
        SELECT id FROM notifications_batch WHERE id = ANY (batches) AND settled_at IS NULL))
    GROUP BY batch_id;
    RETURN NULL;
END $$;
"""

MAIL_EVENTS = """
CREATE OR REPLACE FUNCTION audit_guard_of_notifications_mailevent_insert() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_touched (of_table, batch)
    SELECT DISTINCT 'notifications_mailevent', source FROM changed WHERE applied_at IS NOT NULL;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_recipient_commitments"), ("audit", "0003_guards")]

    operations = [
        guard_rows("notifications_notice", "notifications.notice"),
        guard_rows("notifications_edition", "notifications.edition"),
        guard_links(
            "notifications_editionauthor", "edition_id", owner="notifications_edition", label="notifications.edition"
        ),
        guard_rows("notifications_approval", "notifications.approval"),
        guard_rows("notifications_batch", "notifications.batch", columns=BATCH_COLUMNS),
        migrations.RunSQL(BATCHES, NO_BATCHES),
        guard_statements("notifications_delivery", "notifications.delivery", "edition_id"),
        migrations.RunSQL(DELIVERIES, NO_DELIVERIES),
        guard_statements("notifications_attempt", "notifications.attempt", "batch_id"),
        migrations.RunSQL(ATTEMPTS, migrations.RunSQL.noop),
        guard_statements("notifications_mailevent", "notifications.mailevent", "source"),
        migrations.RunSQL(MAIL_EVENTS, migrations.RunSQL.noop),
    ]
