"""Whom a notice is for cannot be changed under an edition that waits for a yes, has one, or went out.

An approval binds it by its digest already; so no code, and nobody with a line of SQL, can make the two differ.
"""

from django.db import migrations

# Locked first: somebody who submits an edition in this moment is waited for, and then seen.
NOTICE = """
CREATE FUNCTION guard_notice_audience() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM notifications_edition WHERE notice_id = NEW.id FOR UPDATE;
    IF EXISTS (SELECT FROM notifications_edition WHERE notice_id = NEW.id
               AND (state NOT IN ('draft', 'cancelled') OR started_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'Whom a notice is for is changed only while all its editions are drafts.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_notice_audience BEFORE UPDATE ON notifications_notice FOR EACH ROW
    WHEN ((OLD.audience, OLD.fallback, OLD.starter, OLD.default_language)
        IS DISTINCT FROM (NEW.audience, NEW.fallback, NEW.starter, NEW.default_language))
    EXECUTE FUNCTION guard_notice_audience();
"""

# A notice for those who are no longer affected is the one that they alone may get; and whoever is affected again is
# passed over there, as everybody else is who is not of those a notice is for.
_EDIT = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('{function}'::regproc), '{before}', '{after}');
END $$;
"""
_FOR_WHOM = "SELECT m.audience ? ''affected'' FROM notifications_notice AS m WHERE m.id = n.notice_id"
EDITS = (
    (
        "refuse_people_not_taken_in",
        "JOIN people_person AS p ON p.id = d.person_id",
        "JOIN people_person AS p ON p.id = d.person_id JOIN notifications_notice AS m ON m.id = d.notice_id",
    ),
    (
        "refuse_people_not_taken_in",
        "bool_or(p.withdrawn)",
        "bool_or(p.withdrawn <> (m.audience ? ''''affected''''))",  # inside a string of the function
    ),
    ("refuse_people_not_taken_in", "who is no longer affected.", "whom the notice is not for."),
    (
        "audit_guard_of_notifications_delivery_update",
        "p.held OR p.withdrawn FROM people_person",
        f"p.held OR p.withdrawn <> ({_FOR_WHOM}) FROM people_person",
    ),
)


def edits(*, back: bool) -> str:
    changed = [(function, *((after, before) if back else (before, after))) for function, before, after in EDITS]
    return "".join(_EDIT.format(function=name, before=old, after=new) for name, old, new in changed)


# A notice from before has its general language as the one that everybody falls back on; so it was until now.
ORDERS = """
ALTER TABLE notifications_notice DISABLE TRIGGER USER;
UPDATE notifications_notice SET fallback = ARRAY[default_language] WHERE fallback = '{}';
ALTER TABLE notifications_notice ENABLE TRIGGER USER;
"""

AUTHORS = """
CREATE FUNCTION guard_notice_authors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Who said whom a notice is for is never changed or forgotten.' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_notice_authors BEFORE UPDATE OR DELETE ON notifications_noticeauthor
    FOR EACH ROW EXECUTE FUNCTION guard_notice_authors();
"""

UNDO = """
DROP TRIGGER guard_notice_authors ON notifications_noticeauthor;
DROP TRIGGER guard_notice_audience ON notifications_notice;
DROP FUNCTION guard_notice_authors, guard_notice_audience;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0012_who_tests_and_who_answers")]

    operations = [
        migrations.RunSQL(ORDERS, migrations.RunSQL.noop),
        migrations.RunSQL(NOTICE + AUTHORS, UNDO),
        migrations.RunSQL(edits(back=False), edits(back=True)),
    ]
