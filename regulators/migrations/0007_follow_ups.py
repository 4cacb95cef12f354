"""A submitted filing may be written on: its next version begins as a draft. What was signed off stays as it is."""

from django.db import migrations


def guard_filing(moves: str, unsent: str, all_sent: str) -> str:
    """`moves`: pairs of states; `unsent`, `all_sent`: what must hold of its versions, signed off and submitted."""
    kept = ["id", "incident_id", "form", "form_version", "authority_key", "authority", "opened_by_id", "opened_at"]
    new, old = (f"({', '.join(f'{row}.{column}' for column in kept)})" for row in ("NEW", "OLD"))
    return f"""
CREATE OR REPLACE FUNCTION guard_filing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A filing is never deleted.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'A filing begins as a draft.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF {new} IS DISTINCT FROM {old} THEN
        RAISE EXCEPTION 'A filing keeps its incident, form and authority.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({moves}) THEN
        RAISE EXCEPTION 'A filing does not go from % to %.', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'signed_off' AND NOT EXISTS ({unsent}) THEN
        RAISE EXCEPTION 'A filing is signed off together with its content.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'submitted' AND NOT ({all_sent}) THEN
        RAISE EXCEPTION 'A filing is submitted when its receipt says so.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
"""


ONCE = """('draft', 'in_review'), ('in_review', 'draft'), ('in_review', 'signed_off'), ('signed_off', 'submitted')"""
ANY = "SELECT FROM regulators_filingversion v WHERE v.filing_id = NEW.id"
UNSENT = f"{ANY} AND NOT EXISTS (SELECT FROM regulators_receipt r WHERE r.filing_version_id = v.id)"
SENT = f"{ANY} AND EXISTS (SELECT FROM regulators_receipt r WHERE r.filing_version_id = v.id)"

AGAIN = guard_filing(f"{ONCE}, ('submitted', 'draft')", UNSENT, f"EXISTS ({SENT}) AND NOT EXISTS ({UNSENT})")
BEFORE = guard_filing(ONCE, ANY, f"EXISTS ({SENT})")


class Migration(migrations.Migration):
    dependencies = [("regulators", "0006_reminders")]

    operations = [migrations.RunSQL(AGAIN, BEFORE)]
