"""run(): one SQL statement on Django's connection, as fast as it can be, for the few places that run it all the time.

By psycopg's own cursor: parameters are bound on the server and the statement is planned once for each connection.
Django's cursor would write them into the text and have every execution parsed and planned anew.
"""

from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection

# Django switches psycopg's preparing off, also where it is asked for by name. This lets it be asked for, and no more.
NEVER_BY_ITSELF = 2**31


def run(statement: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """In the transaction that is open on this thread's connection. Errors are Django's; reading is the caller's."""
    connection.ensure_connection()
    if connection.connection.prepare_threshold is None:
        connection.connection.prepare_threshold = NEVER_BY_ITSELF
    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection).execute(statement, parameters, prepare=True)
