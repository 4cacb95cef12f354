"""No delivery to somebody whose list is not taken in, or who is no longer affected; deliveries are found by person."""

from django.db import migrations, models

# Locked against whoever undoes the list meanwhile: one of the two waits, and then sees what the other did.
PLANNED = """
CREATE FUNCTION refuse_people_not_taken_in() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE lists uuid[];
DECLARE withdrawn boolean;
DECLARE taken_in bigint;
BEGIN
    -- Planned afresh, for as many rows as there are.
    EXECUTE 'SELECT array_agg(DISTINCT p.upload_id), bool_or(p.withdrawn)
        FROM planned AS d JOIN people_person AS p ON p.id = d.person_id' INTO lists, withdrawn;
    PERFORM FROM people_upload WHERE id = ANY (lists) ORDER BY id FOR SHARE;
    SELECT count(*) INTO taken_in FROM people_upload WHERE id = ANY (lists) AND state = 'loaded';
    IF taken_in < cardinality(lists) THEN
        RAISE EXCEPTION 'A delivery was planned for somebody whose list is not taken in.'
            USING ERRCODE = 'integrity_constraint_violation', TABLE = 'notifications_delivery';
    ELSIF withdrawn THEN
        RAISE EXCEPTION 'A delivery was planned for somebody who is no longer affected.'
            USING ERRCODE = 'integrity_constraint_violation', TABLE = 'notifications_delivery';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER people_are_taken_in AFTER INSERT ON notifications_delivery REFERENCING NEW TABLE AS planned
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_people_not_taken_in();
"""
NOT_PLANNED = """
DROP TRIGGER people_are_taken_in ON notifications_delivery;
DROP FUNCTION refuse_people_not_taken_in();
"""

# Whoever is no longer affected is passed over like somebody on hold, and that leaves no event of each.
PASSED_OVER = """
DO $$ BEGIN
    EXECUTE replace(pg_get_functiondef('audit_guard_of_notifications_delivery_update'::regproc),
        'SELECT p.{before} FROM people_person', 'SELECT p.{after} FROM people_person');
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0007_guards"), ("people", "0007_matches")]

    operations = [
        migrations.AddIndex("delivery", models.Index(fields=["person"], name="delivery_by_person")),
        migrations.RunSQL(PLANNED, NOT_PLANNED),
        migrations.RunSQL(
            PASSED_OVER.format(before="held", after="held OR p.withdrawn"),
            PASSED_OVER.format(before="held OR p.withdrawn", after="held"),
        ),
    ]
