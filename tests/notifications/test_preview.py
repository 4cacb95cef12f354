"""The message as one real person gets it: of each group one, by the rules of looking; and the bytes as they go out."""

import email
import re
from email import policy
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from breachdesk.accounts.models import Organisation
from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from notifications import segments
from notifications.actions import save_draft
from notifications.editions import skeleton_of
from notifications.models import Delivery, Edition
from notifications.previewing import MADE_UP_ADDRESS
from notifications.recipients import kinds_of, values_of
from notifications.rendering import CODE, Recipient, render_message
from notifications.segments import first_of, segments_of
from notifications.verification_codes import SAMPLE
from tests.factories import (
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)

pytestmark = pytest.mark.django_db
WHY = {"reason": "To see whether the wording fits."}
PEOPLE = """customer_id,first_name,last_name,email,country,language,data_exposed
HR-1,Amelia,Okafor,amelia@example.com,GB,en,name;email
HR-2,Brian,Hughes,brian@example.com,GB,en,email;name
HR-3,Carla,Rossi,carla@example.com,IT,en,name;email
HR-4,Dewi,Pugh,dewi@example.com,GB,en,name;email;identity_document
HR-5,Ella,Moss,,GB,en,name;bank_account
HR-6,Finn,Kerr,finn@example.com,,en,
"""


@pytest.fixture(scope="module")
def case(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        make_organisation()
        incident = make_incident(kinds=["name", "phone"])
        make_people(incident, PEOPLE)
        return make_edition(incident)


@pytest.fixture
def author(client: Client, case: Edition) -> Client:
    client.force_login(make_user("author"))
    return client


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def opened(client: Client, edition: Edition, **asked: str) -> str:
    """The pass in the address that a look leads to."""
    answer = client.post(address("edition-person", edition), {"page": "edit", **WHY, **asked})
    assert answer.status_code == 302
    return str(answer["Location"]).split("?as=")[1].split("#")[0]


def parsed(source: bytes) -> dict[str, str]:
    message = email.message_from_bytes(source, policy=policy.SMTP)
    parts = {part.get_content_type(): part.get_content() for part in message.iter_parts()}
    return {name: str(message[name]) for name in ("To", "From", "Subject", "Message-ID", "Date")} | parts


def test_each_group_of_people_who_get_it_is_listed_the_largest_first(author: Client, case: Edition) -> None:
    found = segments_of(case)
    assert [(one.kinds, one.country, one.people) for one in found.listed] == [
        (("name", "email"), "GB", 2),
        (("name", "email", "identity_document"), "GB", 1),
        (("name", "email"), "IT", 1),
        (("name", "phone"), "", 1),
    ]
    page = unescape(author.get(address("edition-edit", case)).content.decode())
    assert [one.key for one in found.listed] == re.findall(r'name="segment" value="([^"]*)"', page)
    assert f"of 2 people: {', '.join(found.listed[0].labels)}, United Kingdom" in page
    assert "no country given" in page


def test_few_are_listed_and_the_others_are_counted(
    author: Client, case: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SHOWN", 2)
    segments._remembered.cache_clear()
    page = author.get(address("edition-detail", case)).content.decode()
    segments._remembered.cache_clear()
    assert page.count('name="segment"') == 2
    assert "And 2 smaller groups" in page


def test_choosing_a_group_opens_its_first_person_and_leaves_a_trail(author: Client, case: Edition) -> None:
    group = segments_of(case).listed[0]
    amelia, brian = (Person.objects.get(row_number=row) for row in (2, 3))
    first = min(amelia, brian, key=lambda person: person.pk)
    assert first_of(case, group.key) == first
    given = opened(author, case, segment=group.key)
    assert Event.objects.newest_first()[0].content["data"]["people"] == [str(first.pk)]
    frame = author.get(address("edition-preview", case), {"as": given}).content.decode()
    assert f"Dear {'Amelia' if first == amelia else 'Brian'}," in frame


def test_a_group_asks_why_once_and_keeps_what_was_chosen(author: Client, case: Edition) -> None:
    passport = "name,email,identity_document|GB"
    asked = author.post(address("edition-person", case), {"segment": passport, "page": "edit"}).content.decode()
    assert "Why do you look at these people?" in asked
    assert f'<input type="hidden" name="segment" value="{passport}">' in asked
    assert not Event.objects.of_type("people.revealed").exists()
    opened(author, case, segment=passport)
    again = author.post(address("edition-person", case), {"segment": passport, "page": "edit"})
    assert again.status_code == 302


def test_a_group_that_is_gone_says_so(author: Client, case: Edition) -> None:
    for key in ("name,bank_account|GB", "name|XX", "|", "x" * 900):
        answer = author.post(address("edition-person", case), {"segment": key, "page": "edit", **WHY})
        assert (answer.status_code, "Nobody is in this group any more" in answer.content.decode()) == (409, True)


def test_the_groups_of_a_frozen_list_are_those_that_were_frozen(case: Edition) -> None:
    edition = make_edition_in_review(case)
    make_people(edition.notice.incident, PEOPLE.splitlines()[0] + "\nHR-9,Gus,Late,gus@example.com,FR,en,name")
    assert "FR" not in {one.country for one in segments_of(edition).listed}
    assert first_of(edition, "name|FR") is None


def test_the_source_is_the_message_that_the_send_would_write(author: Client, case: Edition) -> None:
    given = opened(author, case, find="HR-4")
    answer = author.get(address("edition-source", case), {"as": given})
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'self'"
    told = parsed(answer.content)
    person = Person.objects.get(row_number=5)
    values = values_of({"given_name": "Dewi", "family_name": "Pugh", "reference": "HR-4"}) | {CODE: SAMPLE}
    kinds = kinds_of(person.kinds, case.notice.incident)
    nobody = told["Message-ID"][1:37]
    recipient = Recipient(nobody, "dewi@example.com", kinds, values)  # type: ignore[arg-type]
    assert answer.content == render_message(skeleton_of(case), recipient, told["Date"].encode())
    assert (told["To"], told["Subject"]) == ("dewi@example.com", case.subject)
    assert Organisation.current().sender_email in told["From"]
    assert "Dear Dewi," in told["text/plain"]
    assert nobody == "00000000-0000-0000-0000-000000000000"


def test_the_source_names_the_delivery_once_there_is_one(author: Client, case: Edition) -> None:
    edition = make_edition_in_review(case)
    given = opened(author, edition, find="HR-4")
    told = parsed(author.get(address("edition-source", edition), {"as": given}).content)
    delivery = Delivery.objects.get(person__row_number=5)
    assert told["Message-ID"].startswith(f"<{delivery.pk}@")


def test_without_a_pass_the_source_is_of_somebody_made_up(author: Client, case: Edition) -> None:
    told = parsed(author.get(address("edition-source", case)).content)
    assert told["To"] == MADE_UP_ADDRESS
    assert "Dear Anwen," in told["text/plain"]
    assert "your phone number" in told["text/plain"]
    fewer = parsed(author.get(address("edition-source", case), {"kinds": "name"}).content)
    assert "your phone number" not in fewer["text/plain"]
    page = author.get(address("edition-edit", case)).content.decode()
    [frame] = re.findall(r'<iframe title="The source of the message"[^>]*>', page)
    assert f'src="{address("edition-source", case)}"' in frame
    assert " sandbox " in frame


def test_a_pass_ends_with_the_right_to_look(author: Client, case: Edition) -> None:
    given = opened(author, case, find="HR-4")
    user = make_user("author", "auditor")
    author.force_login(user)
    mine = opened(author, case, find="HR-4")
    assert "dewi" in author.get(address("edition-source", case), {"as": mine}).content.decode()
    assert "dewi" not in author.get(address("edition-source", case), {"as": given}).content.decode(), "a colleague's"
    user.groups.set(user.groups.filter(name="auditor"))
    assert "dewi" not in author.get(address("edition-source", case), {"as": mine}).content.decode()


def test_a_message_that_cannot_be_made_says_why(author: Client, case: Edition) -> None:
    save_draft(case, subject="S", body="Dear ((friend)),", by=make_user("author"))
    answer = author.get(address("edition-source", case))
    assert (answer.status_code, answer.content) == (422, b"The text has 1 fault. Mend it to see the message.\r\n")
    assert author.post(address("edition-source", case)).status_code == 405
