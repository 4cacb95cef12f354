"""Who changed what is said about the organisation is never changed or forgotten: it decides who may approve."""

from django.db import migrations

GUARD = """
CREATE FUNCTION guard_organisation_authors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Who changed what is said about the organisation is never changed or forgotten.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_organisation_authors BEFORE UPDATE OR DELETE ON accounts_organisationauthor
    FOR EACH ROW EXECUTE FUNCTION guard_organisation_authors();
"""
UNDO = """
DROP TRIGGER guard_organisation_authors ON accounts_organisationauthor;
DROP FUNCTION guard_organisation_authors();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_who_changed_the_layout")]

    operations = [migrations.RunSQL(GUARD, UNDO)]
