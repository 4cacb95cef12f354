"""What may happen to a message once it has left, and by whose word.

- A hand-over of which the journal of a dead worker has no dot is planned again: nothing was on the wire.
- Whatever a worker may not decide (an unknown, a refusal, a message that was stopped) moves only by a decision that
  stands in this database, is confirmed, is about this edition and fits the move. Sending an unknown again takes two
  people, and they agree on rows that were named before the second of them said yes.
- A finished edition goes on for such rows alone. How fast and by which way an edition goes may be changed while it is
  sent; either begins a new epoch, so that no hand-over of the old one follows.
"""

import importlib

from django.db import migrations

from breachdesk.audit.guards import guard_rows, guard_statements

four_eyes = importlib.import_module("notifications.migrations.0013_approving_guards")
states = importlib.import_module("notifications.migrations.0003_delivery_states")

MOVES = [*states.MOVES, "handing_over>planned", "refused>planned", "bounced>planned"]

UPDATE = """
DROP TRIGGER guard_delivery_update ON notifications_delivery;
CREATE TRIGGER guard_delivery_update BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (
        (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state <> ALL ('{moves}'))
        OR OLD.id <> NEW.id OR OLD.notice_id <> NEW.notice_id
        OR OLD.edition_id <> NEW.edition_id OR OLD.person_id <> NEW.person_id
        OR NEW.generation <> OLD.generation + ({again} AND NEW.state = 'planned')::int
        OR (NEW.token IS DISTINCT FROM OLD.token AND NEW.token IS NOT NULL AND NEW.state <> 'claimed')
        OR (NEW.state = 'handing_over' AND NEW.token IS DISTINCT FROM OLD.token)
    ) EXECUTE FUNCTION refuse_delivery_change();
"""
AGAIN = """(OLD.state IN ('unknown', 'refused', 'bounced')
            OR (OLD.state = 'blocked' AND NEW.decision_id IS DISTINCT FROM OLD.decision_id))"""
UPDATE_NOW = UPDATE.format(moves="{" + ",".join(MOVES) + "}", again=AGAIN)
UPDATE_BEFORE = UPDATE.format(moves="{" + ",".join(states.MOVES) + "}", again="OLD.state = 'unknown'")

DECIDED = """
CREATE FUNCTION guard_decided_delivery() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE given notifications_deliverydecision;
BEGIN
    SELECT * INTO given FROM notifications_deliverydecision WHERE id = NEW.decision_id;
    IF NEW.state = OLD.state THEN
        IF NEW.rung <> OLD.rung OR given.id IS NULL OR given.kind <> 'resend' OR OLD.state <> 'unknown'
           OR given.edition_id <> NEW.edition_id OR given.confirmed_at IS NOT NULL OR given.voided_at IS NOT NULL
           OR EXISTS (SELECT FROM notifications_deliverydecision AS o
                      WHERE o.id = OLD.decision_id AND o.confirmed_at IS NULL AND o.voided_at IS NULL) THEN
            RAISE EXCEPTION 'Only an unknown is put before a second person, by one decision at a time.'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF given.confirmed_at IS NULL OR given.voided_at IS NOT NULL OR given.edition_id <> NEW.edition_id
       OR (given.kind, OLD.state, NEW.state) NOT IN (
           ('resend', 'unknown', 'planned'), ('assume_sent', 'unknown', 'assumed_sent'),
           ('second_address', 'refused', 'planned'), ('second_address', 'bounced', 'planned'),
           ('try_again', 'blocked', 'planned'), ('give_up', 'blocked', 'cancelled'))
       OR NEW.rung <> OLD.rung + (given.kind = 'second_address')::int
       OR (given.kind = 'resend' AND (given.confirmed_by_id = given.asked_by_id
           OR NEW.decision_id IS DISTINCT FROM OLD.decision_id)) THEN
        RAISE EXCEPTION 'No decision that stands lets this delivery go from % to %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'blocked' AND EXISTS (
        SELECT FROM notifications_batch AS b WHERE b.id = OLD.token AND b.settled_at IS NULL) THEN
        RAISE EXCEPTION 'A worker may still hold this delivery.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery_decided BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.decision_id IS DISTINCT FROM NEW.decision_id OR OLD.rung <> NEW.rung
        OR (OLD.state IN ('unknown', 'refused', 'bounced') AND NEW.state IN ('planned', 'assumed_sent'))
        OR (OLD.state = 'blocked' AND NEW.state IN ('planned', 'cancelled')
            AND (NEW.amendment_id IS NULL OR NEW.state = 'cancelled')))
    EXECUTE FUNCTION guard_decided_delivery();
DROP TRIGGER guard_delivery_insert ON notifications_delivery;
CREATE TRIGGER guard_delivery_insert BEFORE INSERT ON notifications_delivery FOR EACH ROW
    WHEN (NEW.tries <> 0 OR NEW.token IS NOT NULL OR NEW.generation <> 0 OR NEW.rung <> 0 OR NEW.decision_id IS NOT NULL
        OR NEW.state <> CASE WHEN NEW.amendment_id IS NULL THEN 'planned' ELSE 'blocked' END
        OR (NEW.amendment_id IS NULL) <> (NEW.amended IS NULL)
        OR (NEW.amendment_id IS NOT NULL AND NEW.frozen IS NOT NULL))
    EXECUTE FUNCTION refuse_delivery_change();
DROP TRIGGER audit_guard_decisions ON notifications_delivery;
CREATE TRIGGER audit_guard_decisions AFTER UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state IN ('unknown', 'blocked', 'refused', 'bounced')
        AND NEW.state IN ('planned', 'cancelled', 'assumed_sent'))
    EXECUTE FUNCTION audit_guard_of_notifications_delivery();
"""
UNDECIDED = """
DROP TRIGGER audit_guard_decisions ON notifications_delivery;
CREATE TRIGGER audit_guard_decisions AFTER UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state IN ('unknown', 'blocked') AND NEW.state IN ('planned', 'cancelled', 'assumed_sent'))
    EXECUTE FUNCTION audit_guard_of_notifications_delivery();
DROP TRIGGER guard_delivery_decided ON notifications_delivery;
DROP FUNCTION guard_decided_delivery();
"""

# A turn put off is `next_at` moved alone: see 0016. The new columns belong to those that must stand still.
PUT_OFF = """
DO $$ BEGIN
    EXECUTE replace(replace(pg_get_functiondef('audit_guard_of_notifications_delivery_update'::regproc),
        'n.amendment_id)', 'n.amendment_id, n.decision_id, n.rung)'),
        'o.amendment_id)', 'o.amendment_id, o.decision_id, o.rung)');
END $$
"""

DECISION = """
CREATE FUNCTION guard_delivery_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A decision about deliveries is never deleted, only taken back.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.voided_at IS NOT NULL OR (NEW.kind = 'resend') <> (NEW.confirmed_at IS NULL)
           OR (NEW.confirmed_at IS NULL) <> (NEW.confirmed_by_id IS NULL) THEN
            RAISE EXCEPTION 'Sending an unknown again begins as a question, any other decision as an answer.'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.confirmed_at IS NOT NULL OR OLD.voided_at IS NOT NULL
       OR (NEW.confirmed_at IS NULL) <> (NEW.confirmed_by_id IS NULL)
       OR (NEW.confirmed_at IS NOT NULL AND NEW.voided_at IS NOT NULL)
       OR (NEW.id, NEW.edition_id, NEW.kind, NEW.rule, NEW.reason, NEW.people, NEW.rows_root, NEW.asked_by_id,
           NEW.asked_at) IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.kind, OLD.rule, OLD.reason, OLD.people,
           OLD.rows_root, OLD.asked_by_id, OLD.asked_at) THEN
        RAISE EXCEPTION 'A decision about deliveries can only be confirmed or taken back, once.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery_decision BEFORE INSERT OR UPDATE OR DELETE ON notifications_deliverydecision
    FOR EACH ROW EXECUTE FUNCTION guard_delivery_decision();
"""
NO_DECISION = """
DROP TRIGGER guard_delivery_decision ON notifications_deliverydecision;
DROP FUNCTION guard_delivery_decision();
"""

LETTERS = """
CREATE FUNCTION guard_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.voided_at IS NOT NULL
       OR (NEW.id, NEW.run_id, NEW.notice_id, NEW.person_id, NEW.number)
          IS DISTINCT FROM (OLD.id, OLD.run_id, OLD.notice_id, OLD.person_id, OLD.number) THEN
        RAISE EXCEPTION 'A letter keeps its person and its place, and is never deleted.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_letter BEFORE UPDATE OR DELETE ON notifications_letter
    FOR EACH ROW EXECUTE FUNCTION guard_letter();

CREATE FUNCTION guard_letter_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state = 'posted' OR OLD.voided_at IS NOT NULL
       OR (NEW.id, NEW.edition_id, NEW.people, NEW.made_by_id, NEW.made_at)
          IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.people, OLD.made_by_id, OLD.made_at)
       OR (NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
           ('making', 'ready'), ('making', 'failed'), ('ready', 'posted')))
       OR (NEW.state = 'posted' AND (NEW.posted_at IS NULL OR NEW.posted_by_id IS NULL OR NEW.voided_at IS NOT NULL))
    THEN
        RAISE EXCEPTION 'Letters are made, then posted or voided; what was posted stays so.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_letter_run BEFORE UPDATE OR DELETE ON notifications_letterrun
    FOR EACH ROW EXECUTE FUNCTION guard_letter_run();
"""
NO_LETTERS = """
DROP TRIGGER guard_letter_run ON notifications_letterrun;
DROP TRIGGER guard_letter ON notifications_letter;
DROP FUNCTION guard_letter_run, guard_letter;
"""

EPOCH = """
CREATE FUNCTION guard_sending_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.number <= OLD.number THEN
        RAISE EXCEPTION 'The epoch of sending only grows.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_sending_epoch BEFORE UPDATE OR DELETE ON notifications_sendingepoch
    FOR EACH ROW EXECUTE FUNCTION guard_sending_epoch();
"""
NO_EPOCH = """
DROP TRIGGER guard_sending_epoch ON notifications_sendingepoch;
DROP FUNCTION guard_sending_epoch();
"""


def edition_guard() -> str:
    """That of 0013 with the finished edition that goes on, and the rate and the route that change on the way."""
    changes = [
        (
            "('paused', 'sending'), ('paused', 'finished'), ('paused', 'cancelled')) THEN",
            "('paused', 'sending'), ('paused', 'finished'), ('paused', 'cancelled'), ('finished', 'sending')) THEN",
        ),
        (
            "(OLD.state <> 'sending' AND NEW.state = 'sending')::int THEN",
            """(NEW.state = 'sending' AND (OLD.state <> 'sending'
        OR (NEW.rate, NEW.route) IS DISTINCT FROM (OLD.rate, OLD.route)))::int THEN""",
        ),
        (
            "    RETURN NEW;\nEND $$;",
            """    IF (NEW.rate, NEW.route) IS DISTINCT FROM (OLD.rate, OLD.route)
       AND (OLD.state NOT IN ('sending', 'paused') OR NEW.state <> OLD.state) THEN
        RAISE EXCEPTION 'Rate and route are changed while an edition is sent or paused.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.state, NEW.state) = ('finished', 'sending') AND NOT EXISTS (
        SELECT FROM notifications_deliverydecision AS d WHERE d.edition_id = NEW.id AND d.voided_at IS NULL
          AND d.confirmed_at > OLD.finished_at) THEN
        RAISE EXCEPTION 'A finished edition goes on only by a decision about some of its deliveries.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;""",
        ),
    ]
    function: str = four_eyes.EDITION
    for before, after in changes:
        head, found, tail = function.rpartition(before)
        assert found, before
        function = head + after + tail
    return function


class Migration(migrations.Migration):
    dependencies = [("notifications", "0017_after_the_send")]

    operations = [
        guard_rows("notifications_deliverydecision", "notifications.deliverydecision"),
        guard_rows("notifications_letterrun", "notifications.letterrun"),
        guard_statements("notifications_letter", "notifications.letter", "run_id"),
        migrations.RunSQL(DECISION, NO_DECISION),
        migrations.RunSQL(UPDATE_NOW, UPDATE_BEFORE),
        migrations.RunSQL(DECIDED, UNDECIDED),
        migrations.RunSQL(PUT_OFF, migrations.RunSQL.noop),
        migrations.RunSQL(LETTERS, NO_LETTERS),
        migrations.RunSQL(EPOCH, NO_EPOCH),
        migrations.RunSQL(edition_guard(), four_eyes.EDITION),
    ]
