"""Letters are for those whom nothing else reached: nobody who was, may have been, or must not be written to."""

import pytest
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from breachdesk.people.actions import hold_person
from breachdesk.people.models import Person
from notifications.letters import people_for_letters
from notifications.models import Delivery, Edition
from tests.factories import make_user, unguarded
from tests.notifications.undelivered import delivery_of, make_undelivered, person

pytestmark = pytest.mark.django_db
CAME_TO_NOTHING = {Delivery.State.REFUSED, Delivery.State.BOUNCED}


@pytest.fixture(scope="module")
def sent(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_undelivered()


@pytest.mark.parametrize("state", Delivery.State.values)
def test_of_those_with_an_email_address_whose_message_came_to_nothing_alone(sent: Edition, state: str) -> None:
    """Ben was refused; in no other state he would get one, least of all if he has the message or may have it."""
    due = timezone.now() if state in ("planned", "retry_wait") else None
    with unguarded():
        Delivery.objects.filter(pk=delivery_of("HR-2").pk).update(state=state, next_at=due)
    assert (person("HR-2").pk in people_for_letters(sent)) is (state in CAME_TO_NOTHING)


def test_nobody_whose_address_is_gone_but_whom_the_message_reached(sent: Edition) -> None:
    with unguarded():
        Person.objects.filter(pk=person("HR-1").pk).update(has_email=False, email_index=None)
    assert person("HR-1").pk not in people_for_letters(sent)


def test_nobody_on_hold_who_never_had_an_email_address(sent: Edition) -> None:
    carla = person("HR-3")
    assert carla.pk in people_for_letters(sent)
    hold_person(carla, kind="asked", reason="She rang.", expected_version=carla.version, by=make_user("dpo"))
    assert carla.pk not in people_for_letters(sent)
