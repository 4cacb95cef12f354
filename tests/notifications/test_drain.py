"""A whole send through a real mail server that breaks: everybody once, and what cannot be known is called unknown."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings

from breachdesk.accounts.models import Organisation
from breachdesk.audit.models import Event
from breachdesk.audit.tree import root_of
from breachdesk.celery import app
from breachdesk.people.actions import hold_person
from breachdesk.people.models import Person
from notifications import claiming, sending, sweeping, tasks
from notifications.actions import pause_edition, resume_edition, start_edition
from notifications.batches import root_of_rows, rows_of_batch
from notifications.ends import End
from notifications.models import Attempt, Batch, Delivery, Edition
from notifications.routes import connect
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
    unguarded,
)
from tests.notifications.sink import Fault, Sink

pytestmark = pytest.mark.django_db(transaction=True)


def being_sent(people: int = 40) -> Edition:
    make_organisation()
    incident = make_incident()
    rows = [f"HR-{n},Ana,Person {n},person{n:04}@example.com,en" for n in range(people)]
    make_people(incident, "\n".join(["customer_id,first_name,last_name,email,language", *rows]))
    edition = make_edition_in_review(make_edition(incident))
    return start_edition(make_approved_edition(edition), by=make_user("approver"))


@pytest.fixture
def through(settings: Settings) -> Callable[..., None]:
    """Points the product at a sink. Only where it keeps silent a wait is short: a busy machine answers late."""

    def point(sink: Sink, **changes: Any) -> None:
        usual = {"smtp_port": sink.port, "smtp_timeout": 15, "lease_margin": 20, "smtp_connections": 4}
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update={**usual, **changes})

    return point


def drain(edition: Edition, **options: Any) -> End:
    return sending.drain_edition(edition.pk, connect=connect, **{"seconds": 20, **options})


def states(edition: Edition) -> Counter[str]:
    return Counter(Delivery.objects.filter(edition=edition).values_list("state", flat=True))


def addresses(people: int) -> set[str]:
    return {f"person{n:04}@example.com" for n in range(people)}


def test_everybody_gets_it_once_and_the_edition_is_finished(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink() as sink:
        through(sink)
        assert drain(edition) is End.NOTHING_DUE
    assert set(sink.times()) == addresses(40)
    assert set(sink.times().values()) == {1}
    assert states(edition) == {"handed_over": 40}
    assert Edition.objects.get().state == Edition.State.FINISHED
    finished = Event.objects.get(type="edition.finished").content["data"]
    assert (finished["handed_over"], finished["recipients"]) == (40, 40)


def test_each_message_belongs_to_its_delivery(through: Callable[..., None]) -> None:
    edition = being_sent(5)
    with Sink() as sink:
        through(sink)
        drain(edition)
    ids = set(Delivery.objects.values_list("pk", flat=True))
    for caught in sink.caught:
        named = UUID(caught.sender.split("+")[1].split("-")[0])
        assert f"Message-ID: <{named}@".encode() in caught.message
        assert f"To: {caught.to}\r\n".encode() in caught.message
        assert b"((" not in caught.message
        ids.remove(named)
    assert ids == set()


def test_one_event_for_each_batch_says_what_became_of_its_rows(
    through: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "BATCH_ROWS", 16)
    edition = being_sent()
    with Sink([Fault("rcpt", "550 5.1.1 no such person", who="person0003")]) as sink:
        through(sink)
        drain(edition)
    batches = Batch.objects.all()
    events = {
        e.content["data"]["batch"]: e.content["data"] for e in Event.objects.filter(type="delivery.batch_settled")
    }
    assert set(events) == {str(batch.pk) for batch in batches}
    assert sum(batch.rows for batch in batches) == 40
    assert sum(event["handed_over"] for event in events.values()) == 39
    assert sum(event["refused"] for event in events.values()) == 1
    for batch in batches:
        assert bytes(batch.rows_root or b"") == root_of_rows(rows_of_batch(batch.pk)) != root_of([])


TROUBLES = [
    (Fault("rcpt", "550 5.1.1 nobody", "person0002"), "refused", 0),
    (Fault("rcpt", "450 4.2.1 later", "person0007"), "retry_wait", 0),
    (Fault("dot", "451 4.3.0 later", "person0012"), "retry_wait", 0),
    (Fault("dot", "554 5.7.1 no", "person0017"), "refused", 0),
    (Fault("dot", "drop", "person0022"), "unknown", 0),
    (Fault("dot", "take_and_drop", "person0027"), "unknown", 1),
    (Fault("dot", "take_and_silence", "person0032"), "unknown", 1),
]


def test_one_persons_trouble_is_theirs_alone(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink([fault for fault, _, _ in TROUBLES]) as sink:
        through(sink, smtp_timeout=3)
        drain(edition)
        while states(edition)["planned"] or states(edition)["retry_wait"] > 2:
            time.sleep(0.2)
            drain(edition)  # whoever was put off behind the one that got no answer
    expected = {f"{fault.who}@example.com": (state, caught) for fault, state, caught in TROUBLES}
    assert became(edition, sink) == dict.fromkeys(addresses(40), ("handed_over", 1)) | expected


def became(edition: Edition, sink: Sink) -> dict[str, tuple[str, int]]:
    """Of each address: the state of its delivery, and how often the message arrived; HR-0 is in the second row."""
    rows = Delivery.objects.filter(edition=edition).values_list("person__row_number", "state")
    found = {f"person{number - 2:04}@example.com": state for number, state in rows}
    return {address: (state, sink.times()[address]) for address, state in found.items()}


def test_an_unknown_is_never_sent_again(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink([Fault("dot", "take_and_drop", "person0007")]) as sink:
        through(sink)
        for _ in range(3):
            sweeping.sweep()
            drain(edition)
    assert sink.times()["person0007@example.com"] == 1
    assert states(edition)["unknown"] == 1
    assert Edition.objects.get().state == Edition.State.FINISHED


def test_a_temporary_refusal_is_tried_again_when_it_is_due(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink([Fault("rcpt", "450 greylisted", "person0007", times=1)]) as sink:
        through(sink)
        drain(edition)
        assert Edition.objects.get().state == Edition.State.SENDING
        with unguarded():
            Delivery.objects.filter(state="retry_wait").update(next_at="2026-01-01T00:00Z")
        drain(edition)
    assert set(sink.times().values()) == {1}
    assert states(edition) == {"handed_over": 40}
    assert sorted(Attempt.objects.values_list("n", "outcome")) == [(1, "retry_wait"), (2, "handed_over")]


def test_messages_that_never_left_go_over_a_new_connection(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink([Fault("mail", "drop", times=6)]) as sink:
        through(sink)
        drain(edition)
        with unguarded():
            Delivery.objects.filter(state="retry_wait").update(next_at="2026-01-01T00:00Z")
        drain(edition)
    assert set(sink.times()) == addresses(40)
    assert set(sink.times().values()) == {1}
    assert not Attempt.objects.exists()


def test_a_relay_that_is_down_costs_nobody_a_try(through: Callable[..., None]) -> None:
    edition = being_sent()
    with Sink() as gone:
        pass
    through(gone)
    assert drain(edition) is End.ROUTE_DOWN
    assert states(edition) == {"planned": 40}
    assert not Batch.objects.exists()
    with Sink() as sink:
        through(sink)
        drain(edition)
    assert set(sink.times().values()) == {1}


def test_a_pause_takes_effect_within_a_window_and_going_on_repeats_nothing(through: Callable[..., None]) -> None:
    edition, who = being_sent(120), make_user("dpo")
    with Sink(delay=0.05) as sink:
        through(sink, send_window=4)
        worker = threading.Thread(target=drain, args=(edition,))
        worker.start()
        while len(sink.caught) < 8:
            time.sleep(0.02)
        in_air = pause_edition(Edition.objects.get(), by=who)
        on_the_wire = len(sink.caught)
        worker.join()
        assert in_air <= 4 * 4
        assert len(sink.caught) - on_the_wire <= in_air
        assert states(edition) == {"handed_over": len(sink.caught), "planned": 120 - len(sink.caught)}
        assert drain(edition) is End.CLOSED
        resume_edition(Edition.objects.get(), by=make_user("approver"))
        drain(edition)
    assert set(sink.times()) == addresses(120)
    assert set(sink.times().values()) == {1}


def test_a_worker_that_is_asked_to_stop_puts_its_rows_down(through: Callable[..., None]) -> None:
    edition = being_sent(120)
    with Sink(delay=0.02) as sink:
        through(sink)
        assert drain(edition, should_stop=lambda: len(sink.caught) > 10) is End.STOPPED
        assert states(edition) == {"handed_over": len(sink.caught), "planned": 120 - len(sink.caught)}
        assert drain(edition) is End.NOTHING_DUE
    assert set(sink.times().values()) == {1}


def test_two_workers_share_an_edition_without_a_double(
    through: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "BATCH_ROWS", 16)
    edition = being_sent(120)
    with Sink() as sink:
        through(sink)
        workers = [threading.Thread(target=drain, args=(edition,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert set(sink.times()) == addresses(120)
    assert set(sink.times().values()) == {1}


def test_a_row_that_cannot_become_a_message_is_blocked_and_harms_nobody(through: Callable[..., None]) -> None:
    edition = being_sent()
    with unguarded():
        Delivery.objects.filter(pk=Delivery.objects.values("pk")[:1]).update(tries=20)
    with Sink() as sink:
        through(sink)
        drain(edition)
    assert states(edition) == {"handed_over": 39, "blocked": 1}
    assert "20 times" in Attempt.objects.get().reason


def test_what_changed_since_the_approval_is_not_sent(through: Callable[..., None]) -> None:
    edition = being_sent()
    with unguarded():
        Organisation.objects.update(sender_name="Somebody Else")
    with Sink() as sink:
        through(sink)
        assert drain(edition) is End.CLOSED
    assert sink.caught == []
    assert Edition.objects.get().state == Edition.State.PAUSED
    assert Event.objects.get(type="edition.paused").content["data"]["why"] == "changed_since_approval"


def test_people_on_hold_are_left_out_and_counted(through: Callable[..., None]) -> None:
    edition = being_sent()
    person = Person.objects.all()[0]
    hold_person(person, reason="The police asked.", expected_version=person.version, by=make_user("dpo"))
    with Sink() as sink:
        through(sink)
        drain(edition)
    assert len(sink.caught) == 39
    assert states(edition) == {"handed_over": 39, "suppressed": 1}
    assert Event.objects.get(type="edition.finished").content["data"]["suppressed"] == 1


def test_a_lost_database_connection_doubles_nobody(through: Callable[..., None]) -> None:
    edition = being_sent(200)
    with Sink(delay=0.005) as sink:
        through(sink, smtp_timeout=5, lease_margin=2)
        worker = threading.Thread(target=drain, args=(edition,))
        worker.start()
        for caught in (20, 60):
            while len(sink.caught) < caught and worker.is_alive():
                time.sleep(0.01)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        worker.join()
        until = time.monotonic() + 60
        while Edition.objects.get().state == Edition.State.SENDING and time.monotonic() < until:
            sweeping.sweep()
            drain(edition)
            time.sleep(0.2)
    found = states(edition)
    assert set(sink.times().values()) == {1}
    assert found["handed_over"] + found["unknown"] == 200
    assert len(sink.caught) >= found["handed_over"]
    assert found["unknown"] <= 2 * 4 * 8


def test_nothing_goes_on_the_wire_before_its_intent_is_committed(through: Callable[..., None]) -> None:
    """The sink asks the database itself, at the moment the message arrives."""
    edition = being_sent(12)
    seen: list[bool] = []

    async def watched(route: int) -> Any:
        way = await connect(route)
        send = way.hand_over

        async def hand_over(sender: bytes, to: bytes, message: bytes, deadline: float, *more: Any) -> Any:
            named = UUID(sender.split(b"+")[1].split(b"-")[0].decode())
            loop = asyncio.get_running_loop()
            seen.append(await loop.run_in_executor(None, _is_handing_over, named))
            return await send(sender, to, message, deadline, *more)

        way.hand_over = hand_over  # type: ignore[method-assign]
        return way

    with Sink() as sink:
        through(sink)
        sending.drain_edition(edition.pk, connect=watched, seconds=20)
    assert seen == [True] * 12


def _is_handing_over(delivery_id: UUID) -> bool:
    try:
        return Delivery.objects.filter(pk=delivery_id, state="handing_over").exists()
    finally:
        connection.close()


def rings() -> int:
    """Doorbells that nobody has taken yet."""
    with app.connection_for_read() as broker:
        waiting: int = broker.default_channel.queue_declare("celery", passive=False, durable=True).message_count
    return waiting


@pytest.mark.parametrize(("batch", "passed_on"), [(10, 1), (50, 0)])
def test_the_ring_is_passed_on_to_who_is_free_while_there_is_more_than_one_batch(
    through: Callable[..., None], monkeypatch: pytest.MonkeyPatch, batch: int, passed_on: int
) -> None:
    monkeypatch.setattr(claiming, "BATCH_ROWS", batch)
    edition = being_sent()
    before = rings()
    with Sink() as sink:
        through(sink)
        tasks.drain(str(edition.pk))
    assert states(edition) == {"handed_over": 40}
    assert rings() - before == passed_on, "once, however many batches there were"
