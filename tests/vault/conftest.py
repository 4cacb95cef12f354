import pytest
from django.db import connection


@pytest.fixture(autouse=True)
def _no_guards(request):
    """The vault is below the trail, and so are these tests: what they change, no event names."""
    if "db" in request.fixturenames:
        request.getfixturevalue("db")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
