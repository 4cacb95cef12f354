"""An edition finishes for nobody whose hold ends in that very moment: they are sent to first."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from breachdesk.audit.models import Event
from breachdesk.people.actions import hold_person, release_person
from breachdesk.people.models import Person
from notifications import delivery, sweeping
from notifications.batches import close_batch
from notifications.models import Edition
from tests.factories import make_user
from tests.notifications.limited import drain, sink
from tests.notifications.test_drain import being_sent, states

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def right_after_the_question(step: Callable[[], object]) -> Iterator[None]:
    """Somebody else does this, over a connection of their own, between the finish and what follows from it."""
    done = False

    def apart() -> None:
        try:
            step()
        finally:
            connection.close()

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal done
        found = execute(sql, *rest)
        if not done and sql.lstrip().startswith(sweeping.FINISH.strip()[:60]):
            done = True
            thread = threading.Thread(target=apart)
            thread.start()
            thread.join(60)
        return found

    with connection.execute_wrapper(watch):
        yield
    assert done


def all_on_hold() -> tuple[Edition, Person]:
    """And one of them."""
    edition, dpo = being_sent(3), make_user("dpo")
    for person in Person.objects.order_by("pk"):
        hold_person(person, kind="asked", reason="Their lawyer wrote.", expected_version=person.version, by=dpo)
    return edition, Person.objects.earliest("row_number")


def let_go(person: Person) -> None:
    release_person(person, reason="It is settled.", expected_version=person.version, by=make_user("dpo"))


def test_whose_hold_ends_before_it_is_finished_is_sent_to() -> None:
    edition, person = all_on_hold()
    with right_after_the_question(lambda: let_go(person)):
        assert not sweeping.finish_if_done(edition.pk)
    assert Edition.objects.get().state == Edition.State.SENDING
    assert sweeping.sweep().unattended == [edition.pk]
    with sink() as caught:
        drain(edition)
    assert list(caught.times().values()) == [1]
    assert states(edition) == {"handed_over": 1, "suppressed": 2}
    assert Edition.objects.get().state == Edition.State.FINISHED


def test_nobody_whom_a_worker_has_taken_meanwhile_is_left_planned_by_a_finished_edition() -> None:
    edition, person = all_on_hold()
    taken = list[UUID]()

    def let_go_and_take() -> None:
        let_go(person)
        taken.append(delivery.claim(edition.pk, 3)[0])

    with right_after_the_question(let_go_and_take):
        assert not sweeping.finish_if_done(edition.pk)
    assert states(edition) == {"claimed": 1, "planned": 2}
    delivery.give_back(taken[0])
    close_batch(taken[0])
    assert sweeping.sweep().unattended == [edition.pk], "still looked for"


def test_who_is_on_hold_to_the_end_is_left_out() -> None:
    edition, _ = all_on_hold()
    assert sweeping.sweep().finished == [edition.pk]
    assert states(edition) == {"suppressed": 3}
    assert Event.objects.of_type("edition.finished").get().content["data"]["suppressed"] == 3
