"""Who an edition is for."""

import pytest

from breachdesk.people.models import Person
from notifications.recipients import kinds_of, recipients_of
from tests.factories import make_edition, make_incident


@pytest.mark.django_db
def test_held_and_unreachable_people_are_left_out() -> None:
    edition = make_edition()
    assert recipients_of(edition).count() == 3
    Person.objects.filter(language="de").update(held=True)
    assert recipients_of(edition).count() == 2


@pytest.mark.django_db
def test_where_the_list_is_silent_the_facts_speak() -> None:
    incident = make_incident(kinds=["email", "name"])
    assert kinds_of([], incident) == ("name", "email")
    assert kinds_of(["phone"], incident) == ("phone",)
