"""run() has its statement planned once for a connection, and only its own."""

from django.db import connection

from breachdesk.prepared import run


def test_what_it_runs_is_prepared_and_nothing_else_is(db):
    for number in (1, 2, 3):
        assert run("SELECT %(number)s::int + 41", {"number": number}).fetchone() == (number + 41,)
    with connection.cursor() as cursor:
        for _ in range(7):
            cursor.execute("SELECT %s::int + 42", [1])
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        prepared = [(statement, plans) for statement, plans in cursor.fetchall() if "int + 4" in statement]
    assert prepared == [("SELECT $1::int + 41", 3)]
