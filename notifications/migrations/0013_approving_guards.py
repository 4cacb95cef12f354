"""One yes or two, by people who wrote none of it and opened what must be seen; or one, and two who answer for it.

Replaces the functions of migration 0002 and adds those of what came since.
"""

from importlib import import_module

from django.db import migrations

four_eyes = import_module("notifications.migrations.0002_four_eyes")

# Who may approve, and whether enough did. Somebody who changed the organisation's page while the notice was being
# written, or last of all, wrote a part of every message.
WHO = """
CREATE FUNCTION notifications_wrote(of_edition uuid, who uuid) RETURNS boolean STABLE LANGUAGE sql
    SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM notifications_editionauthor WHERE edition_id = of_edition AND author_id = who)
        OR EXISTS (SELECT FROM notifications_noticeauthor AS a
            JOIN notifications_edition AS e ON e.notice_id = a.notice_id WHERE e.id = of_edition AND a.author_id = who)
        OR EXISTS (SELECT FROM accounts_organisationauthor AS a WHERE a.author_id = who AND (
            a.at = (SELECT max(at) FROM accounts_organisationauthor)
            OR a.at >= (SELECT n.created_at FROM notifications_notice AS n
                JOIN notifications_edition AS e ON e.notice_id = n.id WHERE e.id = of_edition)))
$$;

CREATE FUNCTION notifications_is_approved(edition notifications_edition) RETURNS boolean STABLE LANGUAGE sql
    SET search_path = public, pg_temp AS $$
    WITH yes AS (
        SELECT DISTINCT a.approver_id AS who FROM notifications_approval AS a
        WHERE a.edition_id = edition.id AND a.digest = edition.digest AND a.voided_at IS NULL
          AND NOT notifications_wrote(edition.id, a.approver_id)
    ), glass AS (
        SELECT DISTINCT b.given_by_id FROM notifications_breakglass AS b
        WHERE b.edition_id = edition.id AND b.digest = edition.digest AND b.voided_at IS NULL
          AND NOT notifications_wrote(edition.id, b.given_by_id) AND b.given_by_id NOT IN (SELECT who FROM yes)
    )
    SELECT (SELECT count(*) FROM yes) >= edition.approvers_needed
        OR (SELECT count(*) FROM yes) = 1 AND edition.approvers_needed = 2 AND (SELECT count(*) FROM glass) >= 2
$$;
"""

APPROVAL = """
CREATE OR REPLACE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE reviewed notifications_edition;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An approval is never deleted, only voided.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
           OR (NEW.id, NEW.edition_id, NEW.digest, NEW.subject, NEW.body, NEW.approver_id, NEW.approved_at)
              IS DISTINCT FROM
              (OLD.id, OLD.edition_id, OLD.digest, OLD.subject, OLD.body, OLD.approver_id, OLD.approved_at) THEN
            RAISE EXCEPTION 'An approval can only be voided.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO reviewed FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF reviewed.state <> 'in_review' THEN
        RAISE EXCEPTION 'Only an edition that waits for approval can be approved.' USING ERRCODE = 'check_violation';
    END IF;
    IF (reviewed.digest, reviewed.subject, reviewed.body) IS DISTINCT FROM (NEW.digest, NEW.subject, NEW.body)
       OR NEW.voided_at IS NOT NULL THEN
        RAISE EXCEPTION 'This approval is for something else than what waits for approval.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF notifications_wrote(NEW.edition_id, NEW.approver_id) THEN
        RAISE EXCEPTION 'Whoever wrote a part of an edition cannot approve it.' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements_text(reviewed.renderings) AS wanted WHERE NOT EXISTS (
        SELECT FROM notifications_opening AS o WHERE o.edition_id = NEW.edition_id AND o.digest = NEW.digest
          AND o.opened_by_id = NEW.approver_id AND o.rendering = wanted)) THEN
        RAISE EXCEPTION 'This approver has not opened everything that must be seen first.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

EDITION = """
CREATE OR REPLACE FUNCTION guard_edition() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE asked int;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An edition is never deleted, only cancelled.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.epoch <> 0 OR NEW.digest IS NOT NULL THEN
            RAISE EXCEPTION 'An edition begins as a draft.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.notice_id, NEW.language, NEW.revision) IS DISTINCT FROM
       (OLD.id, OLD.notice_id, OLD.language, OLD.revision) THEN
        RAISE EXCEPTION 'An edition keeps its notice, language and revision.' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.subject, NEW.body) IS DISTINCT FROM (OLD.subject, OLD.body)
       AND NOT (OLD.state = 'draft' AND NEW.state = 'draft') THEN
        RAISE EXCEPTION 'Only the text of a draft can be changed.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.schedule IS DISTINCT FROM OLD.schedule AND NEW.state <> 'draft' THEN
        RAISE EXCEPTION 'Only the schedule of a draft can be changed.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'in_review'), ('draft', 'cancelled'),
        ('in_review', 'draft'), ('in_review', 'approved'), ('in_review', 'cancelled'),
        ('approved', 'draft'), ('approved', 'sending'), ('approved', 'cancelled'),
        ('sending', 'paused'), ('sending', 'finished'), ('sending', 'cancelled'),
        ('paused', 'sending'), ('paused', 'finished'), ('paused', 'cancelled')) THEN
        RAISE EXCEPTION 'An edition cannot go from % to %.', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.digest, NEW.recipients_root, NEW.recipients_count, NEW.approvers_needed, NEW.renderings)
       IS DISTINCT FROM
       (OLD.digest, OLD.recipients_root, OLD.recipients_count, OLD.approvers_needed, OLD.renderings)
       AND (OLD.state, NEW.state) NOT IN (('draft', 'in_review'), ('in_review', 'draft'), ('approved', 'draft'))
       OR (NEW.published IS DISTINCT FROM OLD.published AND (OLD.state, NEW.state) <> ('draft', 'in_review')) THEN
        RAISE EXCEPTION 'What waits for approval or is approved is frozen.' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.armed_by_id, NEW.armed_at) IS DISTINCT FROM (OLD.armed_by_id, OLD.armed_at)
       AND OLD.state <> 'approved' AND NOT (NEW.armed_by_id IS NULL AND NEW.armed_at IS NULL) THEN
        RAISE EXCEPTION 'Only an approved edition can be made to start by itself.' USING ERRCODE = 'check_violation';
    END IF;
    IF (OLD.state, NEW.state) = ('draft', 'in_review') THEN
        asked := coalesce((SELECT min(approvers_needed) FROM accounts_organisation), 1);
        IF NEW.approvers_needed IS NULL OR NEW.approvers_needed < asked OR NEW.approvers_needed > 2
           OR jsonb_typeof(NEW.renderings) <> 'array' OR jsonb_array_length(NEW.renderings) = 0 THEN
            RAISE EXCEPTION 'An edition is submitted with the number of approvals that is asked for, and with what an '
                'approver must open.' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.epoch <> OLD.epoch + (OLD.state <> 'sending' AND NEW.state = 'sending')::int THEN
        RAISE EXCEPTION 'The epoch grows by one with every start, and only then.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('approved', 'sending')
       AND notifications_is_approved(NEW) IS NOT TRUE THEN
        RAISE EXCEPTION 'No approval stands for exactly this edition, or not as many as it needs.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""

# What was said yes to is gone: nothing of it may stay in force beside a draft.
DRAFT = """
CREATE OR REPLACE FUNCTION guard_draft_has_no_approval() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF (SELECT state FROM notifications_edition WHERE id = NEW.id) = 'draft' AND (
        EXISTS (SELECT FROM notifications_approval WHERE edition_id = NEW.id AND voided_at IS NULL)
        OR EXISTS (SELECT FROM notifications_breakglass WHERE edition_id = NEW.id AND voided_at IS NULL)
        OR EXISTS (SELECT FROM notifications_amendment WHERE edition_id = NEW.id AND voided_at IS NULL)) THEN
        RAISE EXCEPTION 'The approvals of an edition are voided when it becomes a draft again.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""

OPENING = """
CREATE FUNCTION guard_opening() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'Who opened what is never changed or forgotten.' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM notifications_edition AS e WHERE e.id = NEW.edition_id AND e.state = 'in_review'
                   AND e.digest = NEW.digest AND e.renderings @> jsonb_build_array(NEW.rendering)) THEN
        RAISE EXCEPTION 'Only what must be seen of an edition that waits for approval is noted as opened.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_opening BEFORE INSERT OR UPDATE OR DELETE ON notifications_opening
    FOR EACH ROW EXECUTE FUNCTION guard_opening();
"""

COMMENT = """
CREATE FUNCTION guard_comment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.settled_at IS NOT NULL OR NEW.settled_at IS NULL
       OR (NEW.id, NEW.edition_id, NEW.quote, NEW.text, NEW.made_by_id, NEW.made_at)
          IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.quote, OLD.text, OLD.made_by_id, OLD.made_at) THEN
        RAISE EXCEPTION 'A comment can only be settled.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_comment BEFORE UPDATE OR DELETE ON notifications_comment
    FOR EACH ROW EXECUTE FUNCTION guard_comment();
"""

GLASS = """
CREATE FUNCTION guard_break_glass() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE reviewed notifications_edition;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A broken glass is never deleted, only voided.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
           OR (NEW.id, NEW.edition_id, NEW.digest, NEW.reason, NEW.given_by_id, NEW.given_at)
              IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.digest, OLD.reason, OLD.given_by_id, OLD.given_at) THEN
            RAISE EXCEPTION 'A broken glass can only be voided.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO reviewed FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF reviewed.state <> 'in_review' OR reviewed.digest IS DISTINCT FROM NEW.digest OR NEW.voided_at IS NOT NULL
       OR reviewed.approvers_needed <> 2 OR NOT EXISTS (
           SELECT FROM notifications_approval AS a
           WHERE a.edition_id = NEW.edition_id AND a.digest = NEW.digest AND a.voided_at IS NULL) THEN
        RAISE EXCEPTION 'The glass is broken only for an edition that has one approval of two.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF notifications_wrote(NEW.edition_id, NEW.given_by_id) OR EXISTS (
        SELECT FROM notifications_approval AS a
        WHERE a.edition_id = NEW.edition_id AND a.approver_id = NEW.given_by_id AND a.voided_at IS NULL) THEN
        RAISE EXCEPTION 'Whoever wrote a part of an edition or approved it cannot break the glass for it.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_break_glass BEFORE INSERT OR UPDATE OR DELETE ON notifications_breakglass
    FOR EACH ROW EXECUTE FUNCTION guard_break_glass();
"""

UNDO = """
DROP TRIGGER guard_break_glass ON notifications_breakglass;
DROP TRIGGER guard_comment ON notifications_comment;
DROP TRIGGER guard_opening ON notifications_opening;
DROP FUNCTION guard_break_glass, guard_comment, guard_opening;
"""
NOBODY = """
DROP FUNCTION notifications_is_approved(notifications_edition);
DROP FUNCTION notifications_wrote(uuid, uuid);
"""


def as_before(guard: str) -> str:
    """The function of migration 0002 without its trigger, which stays."""
    function = guard.partition("CREATE TRIGGER")[0].partition("CREATE CONSTRAINT TRIGGER")[0]
    return function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0012_audience_guards"),
        ("accounts", "0006_who_changed_it_stays"),
    ]

    operations = [
        migrations.AlterModelOptions(
            "notice",
            {
                "default_permissions": (),
                "permissions": [
                    ("view_notice", "See notices"),
                    ("write_notice", "Write notices"),
                    ("comment_edition", "Comment on a notice"),
                    ("approve_edition", "Approve a notice"),
                    ("break_glass", "Let one approval of two be enough"),
                    ("send_edition", "Start and resume a send"),
                    ("pause_edition", "Pause or cancel a send"),
                    ("test_edition", "Send a test to colleagues"),
                    ("answer_callers", "Answer people who call about a notice"),
                ],
            },
        ),
        migrations.RunSQL(WHO, NOBODY),
        migrations.RunSQL(APPROVAL, as_before(four_eyes.GUARD_APPROVAL)),
        migrations.RunSQL(EDITION, as_before(four_eyes.GUARD_EDITION)),
        migrations.RunSQL(DRAFT, as_before(four_eyes.GUARD_DRAFT)),
        migrations.RunSQL("".join([OPENING, COMMENT, GLASS]), UNDO),
    ]
