"""How the database of the tests begins, and how a transactional test leaves it: as it is right after an installation.

That is with permissions and roles, which every user made for a test needs, and with an empty trail. The trail's
triggers refuse to be emptied by anyone but a replica. Most tables are empty anyway, and of most others a few rows are
deleted sooner than the table is truncated.
"""

import json

from django.db import connection, transaction

from notifications import epochs

STANDING = ("django_content_type", "auth_permission", "auth_group", "auth_group_permissions")

EMPTY = """
DO $$
DECLARE
    wanted text;
    is_filled boolean;
BEGIN
    FOREACH wanted IN ARRAY ARRAY[{tables}] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', wanted) INTO is_filled;
        IF is_filled AND pg_relation_size(wanted::regclass) < 1000000 THEN
            EXECUTE format('DELETE FROM %I', wanted);
        ELSIF is_filled THEN
            EXECUTE format('TRUNCATE %I CASCADE', wanted);
        END IF;
    END LOOP;
END
$$
"""


class Installed:
    """What every test finds in the database."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"SELECT (SELECT json_agg(t)::text FROM {t} t)" for t in STANDING))
            self.rows = [json.loads(found or "[]") for (found,) in cursor.fetchall()]
        tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
        self.empty = EMPTY.format(tables=", ".join(f"'{name}'" for name in sorted({*tables} - {*STANDING})))

    def restore(self) -> None:
        epochs.file_path().unlink(missing_ok=True)  # it remembers more than an emptied database
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(self.empty)
            for table, rows in zip(STANDING, self.rows, strict=True):
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(
                    f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)", [json.dumps(rows)]
                )
