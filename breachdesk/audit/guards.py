"""For migrations of every app: which tables may change only together with an event that names the change.

What each guard demands, and from whom it cannot protect, stands in migrations/0003_guards.py.
"""

from collections.abc import Collection

from django.db.migrations import RunSQL


def guard_rows(table: str, label: str, *, columns: Collection[str] = (), free: str = "") -> RunSQL:
    """For tables changed one row at a time: an event must name "label/<id>/<version>".

    `columns` are the guarded ones, all if none are named; while `free`, SQL about a row called `row`, holds before and
    after a change, the others may change alone.
    """
    listed = f"ARRAY[{', '.join(map(_quoted, columns))}]" if columns else "NULL"
    return _guard(table, f"audit_guard_rows({_quoted(table)}, {_quoted(label)}, {listed}, {_or_null(free)})")


def guard_links(table: str, column: str, *, owner: str, label: str) -> RunSQL:
    """For rows that tie something to the owner that `column` points to: an event must name the owner as it is now."""
    named = ", ".join(map(_quoted, (table, column, owner, label)))
    return _guard(table, f"audit_guard_links({named})")


def guard_statements(table: str, label: str, batch_column: str, *, free: str = "") -> RunSQL:
    """For tables loaded in bulk: an event must name "<table>/<batch>", or each of up to 100 rows in its new version.

    Rows of which `free`, SQL about a row called `row`, holds before or after a change may change without one.
    """
    named = ", ".join(map(_quoted, (table, label, batch_column)))
    return _guard(table, f"audit_guard_statements({named}, {_or_null(free)})")


def _guard(table: str, call: str) -> RunSQL:
    return RunSQL(f"SELECT {call}", f"SELECT audit_unguard({_quoted(table)})")


def _or_null(text: str) -> str:
    return _quoted(text) if text else "NULL"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
