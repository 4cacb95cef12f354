"""What the sweeper does for many, one after the other: what cannot be done for one keeps no other waiting."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error, OperationalError, connection, transaction

logger = logging.getLogger(__name__)


@contextmanager
def kept_apart(name: str) -> Iterator[None]:
    """What cannot be done now is told in the log and looked at again. A connection that was lost is everybody's: that
    is raised."""
    try:
        yield
    except (Error, OSError, ValueError) as problem:
        if connection.connection is None or connection.connection.closed:
            raise
        # A lock that somebody holds, a frozen worker for instance, is no fault: the server ends that soon.
        told = logger.warning if isinstance(problem, OperationalError) else logger.exception
        told("%s: looked at again later. %s", name, str(problem).strip())


@contextmanager
def apart_from_others(name: str) -> Iterator[None]:
    """The same for a transaction, which waits for nobody's lock longer than three seconds."""
    with kept_apart(name), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '3s'")
        yield
