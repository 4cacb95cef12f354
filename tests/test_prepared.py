"""run() has its statement planned once for a connection, and only its own; whole columns go as one parameter."""

from uuid import UUID

from django.db import connection

from breachdesk.prepared import Bytes, Integers, Texts, Uuids, run


def test_what_it_runs_is_prepared_and_nothing_else_is(db):
    for number in (1, 2, 3):
        assert run("SELECT %(number)s::int + 41", {"number": number}).fetchone() == (number + 41,)
    with connection.cursor() as cursor:
        for _ in range(7):
            cursor.execute("SELECT %s::int + 42", [1])
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements")
        prepared = [(statement, plans) for statement, plans in cursor.fetchall() if "int + 4" in statement]
    assert prepared == [("SELECT $1::int + 41", 3)]


def test_columns_arrive_as_they_are(db):
    ids, words = [UUID(int=0), UUID(int=2**128 - 1)], ["", 'Größe, "1" \\ NULL']
    numbers, bodies = [None, -(2**31)], [None, b"\x00\xff" * 200]
    sent = {"ids": Uuids(ids), "words": Texts(words), "numbers": Integers(numbers), "bodies": Bytes(bodies)}
    statement = "SELECT * FROM unnest(%(ids)s::uuid[], %(words)s::text[], %(numbers)s::int[], %(bodies)s::bytea[])"
    for binary in (True, False):
        assert run(statement, sent, binary=binary).fetchall() == list(zip(ids, words, numbers, bodies, strict=True))
    nothing = {"ids": Uuids([]), "words": Texts([]), "numbers": Integers([]), "bodies": Bytes([])}
    assert run(statement, nothing).fetchall() == []
