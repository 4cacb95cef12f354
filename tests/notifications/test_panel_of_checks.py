"""The panel beside the text: what fails and where, a line that may cover the law, and every combination of data."""

import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.people.actions import state_count
from notifications.models import Edition
from tests.factories import make_edition, make_incident, make_people, make_user

pytestmark = pytest.mark.django_db
LIST = """customer_id,first_name,last_name,email,country,state,language,data_exposed
A-1,Ada,King,ada@example.com,US,CA,en,name;email;password
A-2,Ben,Low,ben@example.com,GB,,en,name;email
"""


@pytest.fixture(scope="module", autouse=True)
def made(made_once: None) -> Edition:
    incident = make_incident(kinds=["name", "email", "password"])
    make_people(incident, LIST)
    return make_edition(incident)


@pytest.fixture
def edition(made: Edition, client: Client) -> Edition:
    client.force_login(made.authors.get().author)
    return Edition.objects.with_incident().get(pk=made.pk)


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def panel(client: Client, edition: Edition, body: str) -> str:
    answer = client.post(address("edition-check", edition), {"subject": edition.subject, "body": body})
    return answer.content.decode()


def test_a_law_of_where_somebody_of_the_list_lives_asks_for_its_contents(client: Client, edition: Edition) -> None:
    page = panel(client, edition, edition.body)
    assert "The five headings that California prescribes" in page
    assert "Cal. Civ. Code § 1798.82" in page


def test_what_was_said_not_to_be_taken_and_was_is_named_with_its_number(client: Client, edition: Edition) -> None:
    page = panel(client, edition, edition.body)
    assert "is said not to have been taken, and of one person it was." in page
    assert "hurries people" in panel(client, edition, f"{edition.body}\nCall us within 24 hours.")


def test_a_yes_to_a_suggestion_marks_the_line(client: Client, edition: Edition) -> None:
    without = edition.body.replace(" ((covers what could happen))", "")
    page = panel(client, edition, without)
    line = next(n for n, words in enumerate(without.split("\n"), 1) if words.startswith("Somebody who"))
    assert f'value="likely_consequences:{line}"' in page
    form = {"subject": "S", "body": without, "version": edition.version, "cover": f"likely_consequences:{line}"}
    assert client.post(address("edition-edit", edition), form).status_code == 302
    edition.refresh_from_db()
    assert edition.body.split("\n")[line - 1].endswith("sound genuine. ((covers what could happen))")


def test_a_count_that_was_true_once_is_a_fault(client: Client, edition: Edition) -> None:
    body = f"{edition.body}\nIt concerns 4,300 people.\n"
    incident, dpo = edition.notice.incident, make_user("dpo")
    state_count(incident, low=4300, high=4300, basis="system", source="The carrier.", by=dpo)
    assert "“4,300”: the number of people affected" in panel(client, edition, body)
    state_count(incident, low=5100, high=5100, basis="system", source="Our own count.", by=dpo)
    page = panel(client, edition, body)
    assert "“4,300” is not so any more: the number of people is 5,100 now." in page
    assert f"{dpo.name} stated" in page, "what changed since the text was saved"


def test_every_combination_can_be_opened(client: Client, edition: Edition) -> None:
    client.force_login(make_user("approver"))
    page = client.get(address("edition-coverage", edition)).content.decode()
    assert "Two messages, one for each language and combination" in page
    assert "?kinds=name,email,password#preview" in page
    with_password = client.get(address("edition-preview", edition), {"kinds": "name,email,password"}).content.decode()
    without = client.get(address("edition-preview", edition), {"kinds": "name,email"}).content.decode()
    assert "your name, your email address and your password" in with_password
    assert "your password" not in without
