"""Who an edition is for."""

import pytest

from breachdesk.people.models import Person
from notifications.recipients import kinds_of, languages_served, languages_wanted, recipients_of
from tests.factories import make_edition, make_incident

PRESENT = ["", "en", "en-GB", "fr", "fr-CA", "de", "pt-BR"]


@pytest.mark.parametrize(
    ("language", "editions", "served"),
    [
        ("en", [], ["", "de", "en", "en-GB", "fr", "fr-CA", "pt-BR"]),
        ("en", ["fr", "fr-CA"], ["", "de", "en", "en-GB", "pt-BR"]),
        ("fr", ["en"], ["fr", "fr-CA"]),
        ("fr", ["en", "fr-CA"], ["fr"]),
        ("pt-BR", ["en"], ["pt-BR"]),
    ],
)
def test_each_language_has_one_edition(language: str, editions: list[str], served: list[str]) -> None:
    assert languages_served(language, "en", editions, PRESENT) == served


@pytest.mark.django_db
def test_held_and_unreachable_people_are_left_out() -> None:
    edition = make_edition()
    assert recipients_of(edition).count() == 3
    Person.objects.filter(language="de").update(held=True)
    assert recipients_of(edition).count() == 2


@pytest.mark.django_db
def test_languages_without_an_edition_are_counted() -> None:
    assert languages_wanted(make_edition().notice) == {"de": 1, "fr": 1}


@pytest.mark.django_db
def test_where_the_list_is_silent_the_facts_speak() -> None:
    incident = make_incident(kinds=["email", "name"])
    assert kinds_of([], incident) == ("name", "email")
    assert kinds_of(["phone"], incident) == ("phone",)
