"""Who comes to a frozen list, or changed on it, waits for a yes of their own.

Such a row stands in `blocked` under its amendment, and is planned only once somebody else has approved that amendment.
"""

from django.db import migrations

AMENDMENT = """
CREATE FUNCTION guard_amendment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE standing text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An amendment is never deleted, only voided.' USING ERRCODE = 'check_violation';
    END IF;
    SELECT state INTO standing FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF TG_OP = 'INSERT' THEN
        IF standing NOT IN ('approved', 'sending', 'paused') OR NEW.approved_at IS NOT NULL
           OR NEW.approved_by_id IS NOT NULL OR NEW.voided_at IS NOT NULL THEN
            RAISE EXCEPTION 'An amendment begins as a question about an approved edition.'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.voided_at IS NOT NULL
       OR (NEW.id, NEW.edition_id, NEW.digest, NEW.rows_root, NEW.added, NEW.changed, NEW.asked_by_id, NEW.asked_at)
          IS DISTINCT FROM
          (OLD.id, OLD.edition_id, OLD.digest, OLD.rows_root, OLD.added, OLD.changed, OLD.asked_by_id, OLD.asked_at)
       OR (NEW.approved_at, NEW.approved_by_id) IS DISTINCT FROM (OLD.approved_at, OLD.approved_by_id)
          AND (OLD.approved_at IS NOT NULL OR NEW.approved_by_id IS NULL OR NEW.voided_at IS NOT NULL) THEN
        RAISE EXCEPTION 'An amendment can only be approved once, or voided.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.approved_at IS NOT NULL AND OLD.approved_at IS NULL THEN
        IF standing NOT IN ('approved', 'sending', 'paused') OR NEW.approved_by_id = NEW.asked_by_id
           OR notifications_wrote(NEW.edition_id, NEW.approved_by_id) THEN
            RAISE EXCEPTION 'Whoever asked for an amendment or wrote a part of the edition cannot approve it.'
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.added + NEW.changed <> (
            SELECT count(*) FROM notifications_delivery WHERE edition_id = NEW.edition_id AND amendment_id = NEW.id) THEN
            RAISE EXCEPTION 'These are not the rows that were asked about.' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_amendment BEFORE INSERT OR UPDATE OR DELETE ON notifications_amendment
    FOR EACH ROW EXECUTE FUNCTION guard_amendment();
"""

# A row of an amendment begins blocked, so that no worker can take it; the frozen list takes no other row.
DELIVERIES = """
DROP TRIGGER guard_delivery_insert ON notifications_delivery;
CREATE TRIGGER guard_delivery_insert BEFORE INSERT ON notifications_delivery FOR EACH ROW
    WHEN (NEW.tries <> 0 OR NEW.token IS NOT NULL OR NEW.generation <> 0
        OR NEW.state <> CASE WHEN NEW.amendment_id IS NULL THEN 'planned' ELSE 'blocked' END
        OR (NEW.amendment_id IS NULL) <> (NEW.amended IS NULL)
        OR (NEW.amendment_id IS NOT NULL AND NEW.frozen IS NOT NULL))
    EXECUTE FUNCTION refuse_delivery_change();
DROP TRIGGER guard_delivery_delete ON notifications_delivery;
CREATE TRIGGER guard_delivery_delete BEFORE DELETE ON notifications_delivery FOR EACH ROW
    WHEN ((OLD.state <> 'planned' AND (OLD.state <> 'blocked' OR OLD.amendment_id IS NULL))
        OR OLD.tries <> 0 OR OLD.generation <> 0)
    EXECUTE FUNCTION refuse_delivery_change();

CREATE FUNCTION refuse_planning_into_a_frozen_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE late boolean;
BEGIN
    -- Planned afresh, for as many rows as there are.
    EXECUTE 'SELECT bool_or(CASE WHEN d.amendment_id IS NULL THEN e.state <> ''draft'' ELSE NOT EXISTS (
            SELECT FROM notifications_amendment AS a WHERE a.id = d.amendment_id AND a.edition_id = d.edition_id
              AND a.approved_at IS NULL AND a.voided_at IS NULL) END)
        FROM planned AS d JOIN notifications_edition AS e ON e.id = d.edition_id' INTO late;
    IF late THEN
        RAISE EXCEPTION 'Nobody comes to a frozen list but by an amendment that waits for approval.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lists_are_frozen AFTER INSERT ON notifications_delivery REFERENCING NEW TABLE AS planned
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_planning_into_a_frozen_list();

CREATE FUNCTION refuse_taking_from_a_started_list() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE started boolean;
BEGIN
    EXECUTE 'SELECT bool_or(e.started_at IS NOT NULL AND (d.amendment_id IS NULL OR d.frozen IS NOT NULL
            OR d.state <> ''blocked'')) FROM taken AS d JOIN notifications_edition AS e ON e.id = d.edition_id'
        INTO started;
    IF started THEN
        RAISE EXCEPTION 'Nobody is taken off the list of an edition that was started.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER started_lists_stay AFTER DELETE ON notifications_delivery REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_taking_from_a_started_list();

CREATE FUNCTION guard_amended_delivery() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE given notifications_amendment;
BEGIN
    SELECT * INTO given FROM notifications_amendment WHERE id = NEW.amendment_id;
    IF (NEW.amendment_id, NEW.amended) IS NOT DISTINCT FROM (OLD.amendment_id, OLD.amended) THEN
        IF given.approved_at IS NULL OR given.voided_at IS NOT NULL THEN
            RAISE EXCEPTION 'A row of an amendment is planned once the amendment is approved.'
                USING ERRCODE = 'check_violation';
        END IF;
    ELSIF given.id IS NULL OR given.edition_id <> NEW.edition_id OR given.approved_at IS NOT NULL
        OR given.voided_at IS NOT NULL OR NEW.state <> 'blocked' OR OLD.state NOT IN ('planned', 'retry_wait', 'blocked')
        OR NEW.amended IS DISTINCT FROM
            (SELECT notifications_frozen_row(p) FROM people_person AS p WHERE p.id = NEW.person_id) THEN
        RAISE EXCEPTION 'A row is amended as the person is now, by an amendment that waits for approval.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery_amended BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.amendment_id IS DISTINCT FROM NEW.amendment_id OR OLD.amended IS DISTINCT FROM NEW.amended
        OR (OLD.state = 'blocked' AND NEW.state = 'planned' AND NEW.amendment_id IS NOT NULL))
    EXECUTE FUNCTION guard_amended_delivery();
"""

UNDO = """
DROP TRIGGER guard_delivery_amended ON notifications_delivery;
DROP TRIGGER started_lists_stay ON notifications_delivery;
DROP TRIGGER lists_are_frozen ON notifications_delivery;
DROP TRIGGER guard_delivery_delete ON notifications_delivery;
CREATE TRIGGER guard_delivery_delete BEFORE DELETE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state <> 'planned' OR OLD.tries <> 0 OR OLD.generation <> 0)
    EXECUTE FUNCTION refuse_delivery_change();
DROP TRIGGER guard_delivery_insert ON notifications_delivery;
CREATE TRIGGER guard_delivery_insert BEFORE INSERT ON notifications_delivery FOR EACH ROW
    WHEN (NEW.state <> 'planned' OR NEW.tries <> 0 OR NEW.token IS NOT NULL OR NEW.generation <> 0)
    EXECUTE FUNCTION refuse_delivery_change();
DROP TRIGGER guard_amendment ON notifications_amendment;
DROP FUNCTION guard_amended_delivery, refuse_taking_from_a_started_list, refuse_planning_into_a_frozen_list,
    guard_amendment;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0013_approving_guards")]

    operations = [migrations.RunSQL(AMENDMENT + DELIVERIES, UNDO)]
