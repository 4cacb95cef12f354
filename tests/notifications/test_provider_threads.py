"""Each connection to a provider has a thread and a backend of its own, so that one slow call holds up no other."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from anymail.backends.test import EmailBackend
from django.core import mail
from django.core.mail import EmailMessage

from notifications.providers import ProviderConnection
from notifications.transport import Kind
from tests.notifications.test_rendering import render

BOTH = threading.Barrier(2)
USED: dict[int, set[int]] = defaultdict(set)  # threads by backend


class Meeting(EmailBackend):
    """Answers only while two calls are under way at the same time."""

    def send_messages(self, messages: Sequence[EmailMessage]) -> Any:
        USED[id(self)].add(threading.get_ident())
        BOTH.wait(20)
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def _nothing_before() -> None:
    mail.outbox = []
    USED.clear()
    BOTH.reset()


def test_two_connections_call_at_the_same_time_each_by_its_own_thread_and_backend() -> None:
    async def three_each() -> list[Kind]:
        ways = [ProviderConnection(f"{__name__}.{Meeting.__name__}", 30) for _ in range(2)]
        deadline = asyncio.get_running_loop().time() + 60

        async def send(way: ProviderConnection) -> list[Kind]:
            message = render({"first name": "Zoë"})
            return [
                (await way.hand_over(b"b@example.com", b"ana@example.com", message, deadline)).kind for _ in range(3)
            ]

        kinds = await asyncio.gather(*(send(way) for way in ways))
        for way in ways:
            await way.close()
        return [kind for some in kinds for kind in some]

    assert asyncio.run(three_each()) == [Kind.HANDED_OVER] * 6
    assert [len(threads) for threads in USED.values()] == [1, 1]
    assert len(set.union(*USED.values())) == 2
    assert threading.get_ident() not in set.union(*USED.values()), "nor by the one that drives the others"
