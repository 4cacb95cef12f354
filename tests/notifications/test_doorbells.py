"""What Celery is used for, and how little: a ring is one id, acknowledged before the work, without result or retry."""

import base64
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings

from breachdesk.celery import app
from notifications import tasks

app.loader.import_default_modules()
EVERY_TASK = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
OF_SENDING = {"drain", "sweep", "make_letters", "restart_letters"}


@pytest.fixture
def queue() -> Any:
    """The broker itself, and no rings of other tests."""
    broker = redis.Redis.from_url(settings.BREACHDESK.redis_url)
    broker.delete("celery")
    yield broker
    broker.delete("celery")


def test_a_ring_in_the_broker_is_an_id_and_nothing_else(queue: redis.Redis) -> None:
    edition = uuid4()
    tasks.ring(edition)
    [message] = [json.loads(one) for one in queue.lrange("celery", 0, -1)]  # type: ignore[union-attr]
    arguments, named, embedded = json.loads(base64.b64decode(message["body"]))
    assert [UUID(one) for one in arguments] == [edition]
    assert named == {}
    assert {name: value for name, value in embedded.items() if value} == {}, "no chain, chord or callback"
    headers = message["headers"]
    assert headers["task"] == "notifications.tasks.drain"
    assert (headers["retries"], headers["ignore_result"]) == (0, True)
    assert [headers[name] for name in ("eta", "expires", "group", "parent_id", "replaced_task_nesting")] == [
        None, None, None, None, 0,
    ]  # fmt: skip


def test_no_task_keeps_a_result_acknowledges_late_or_repeats_itself() -> None:
    assert {f"notifications.tasks.{name}" for name in OF_SENDING} <= EVERY_TASK.keys()
    for name, task in EVERY_TASK.items():
        assert (task.ignore_result, task.acks_late, getattr(task, "autoretry_for", ())) == (True, False, ()), name
    assert app.conf.result_backend is None
    assert (app.conf.worker_prefetch_multiplier, app.conf.task_publish_retry) == (1, False)
    ours = settings.BREACHDESK
    assert app.conf.task_time_limit >= 45 + ours.smtp_timeout + 30, "it never kills a wait for the last answer"
