"""One form goes to many authorities: a filing is one form for one incident and one authority.

Every filing before this was one to the ICO, whose form was the only one.
"""

from django.db import migrations, models

GUARDED = "id, incident_id, form, form_version, authority, opened_by_id, opened_at"
WITH_KEY = "id, incident_id, form, form_version, authority_key, authority, opened_by_id, opened_at"


def replace_in_guard(old: str, new: str) -> str:
    """The body of the trigger, with the columns that a filing keeps."""
    return f"""
DO $do$
DECLARE body text := pg_get_functiondef('guard_filing()'::regprocedure);
BEGIN
    EXECUTE replace(replace(body, '{_row("NEW", old)}', '{_row("NEW", new)}'),
        '{_row("OLD", old)}', '{_row("OLD", new)}');
    IF pg_get_functiondef('guard_filing()'::regprocedure) = body THEN
        RAISE EXCEPTION 'The guard of filings is not as it was expected.';
    END IF;
END $do$;
"""


def _row(name: str, columns: str) -> str:
    return "(" + ", ".join(f"{name}.{column}" for column in columns.split(", ")) + ")"


class Migration(migrations.Migration):
    dependencies = [("regulators", "0004_duties")]

    operations = [
        migrations.AddField(
            model_name="filing",
            name="authority_key",
            field=models.CharField(default="gb_ico", max_length=60),
            preserve_default=False,
        ),
        migrations.RemoveConstraint(model_name="filing", name="one_filing_per_form"),
        migrations.AddConstraint(
            model_name="filing",
            constraint=models.UniqueConstraint(
                fields=("incident", "form", "authority_key"), name="one_filing_per_authority"
            ),
        ),
        migrations.RunSQL(replace_in_guard(GUARDED, WITH_KEY), replace_in_guard(WITH_KEY, GUARDED)),
    ]
