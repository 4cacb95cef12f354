"""What a worker holds stays its own for as long as it works on it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from notifications.ends import End
from tests.notifications.sink import Sink
from tests.notifications.test_drain import being_sent, drain, states, through

__all__ = ["through"]
pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def claims_wait(seconds: float) -> Iterator[None]:
    """Nobody can claim for so long, as on a database that is very busy."""
    holding, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE notifications_batch IN SHARE ROW EXCLUSIVE MODE")
            holding.set()
            over.wait(seconds)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait()
    yield
    over.set()
    thread.join()


def test_a_claim_that_takes_longer_than_a_renewal_ends_nothing(through: Callable[..., Any]) -> None:
    edition = being_sent()
    with Sink() as sink, claims_wait(1.6):
        through(sink, lease_margin=4)  # renewed every second
        assert drain(edition) is End.NOTHING_DUE
    assert states(edition) == {"handed_over": 40}
