"""Whoever answers a caller learns what we sent them, and why not; what the caller says takes effect and is kept."""

import re
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from breachdesk.accounts.decisions import waiting_for
from breachdesk.accounts.models import Organisation
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import hold_person
from breachdesk.people.models import Hold, Person
from breachdesk.vault.sealing import cipher_for
from notifications import delivery
from notifications.actions import create_notice, pause_edition, start_edition
from notifications.batches import recipient_commitment
from notifications.hotline import Said, answer_caller, note_caller, settle_dispute
from notifications.models import Delivery, Edition, Notice
from notifications.transport import Kind, Outcome, Phase
from notifications.verification_codes import code_of, printer
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

pytestmark = pytest.mark.django_db
HEADING = "customer_id,first_name,last_name,email,country,language,street,city\n"
LIST = HEADING + "\n".join(
    [
        "HR-1,Amelia,Okafor,amelia@example.com,GB,en,2 Mill Lane,Leeds",
        "HR-2,Ben,Low,ben@example.com,GB,en,2 Mill Lane,Leeds",
        "HR-3,Carla,Rossi,,IT,en,1 Via Larga,Milano",
        "HR-4,Dan,Moss,dan@example.com,GB,en,2 Mill Lane,Leeds",
        "HR-5,Ella,Gray,ella@example.com,GB,en,2 Mill Lane,Leeds",
    ]
)
WHY = {"reason": "The hotline."}
ANSWERS = {"responder", "dpo"}


@pytest.fixture(scope="module")
def case(made_once: None, django_db_blocker: DjangoDbBlocker) -> Incident:
    """Amelia got the message, Ben's was blocked, Dan's and Ella's wait; a second notice is a draft."""
    with django_db_blocker.unblock():
        make_organisation()
        incident = make_incident()
        make_people(incident, LIST)
        edition = make_approved_edition(make_edition_in_review(make_edition(incident)))
        edition = start_edition(edition, by=make_user("approver"))
        hand_over(edition, "HR-1", "amelia@example.com")
        block(edition, "HR-2")
        create_notice(incident, title="Follow-up", by=make_user("author"))
    return incident


def one(number: str) -> Person:
    """HR-1 stands in the second row of the list, below the heading."""
    return Person.objects.get(row_number=1 + int(number.removeprefix("HR-")))


def delivery_of(number: str) -> Delivery:
    return Delivery.objects.get(person=one(number))


def hand_over(edition: Edition, number: str, address: str) -> None:
    token, _ = delivery.claim(edition.pk, 10)
    row = delivery_of(number)
    delivery.share_hand_overs(edition.pk)
    commitment = recipient_commitment(cipher_for(edition.incident_id), row.pk, 1, address.encode())
    delivery.begin_hand_over(token, {row.pk: commitment})
    delivery.settle(token, [(row.pk, 0, Outcome(Kind.HANDED_OVER, Phase.DOT, 250))])
    delivery.give_back(token)


def block(edition: Edition, number: str) -> None:
    token, _ = delivery.claim(edition.pk, 10)
    delivery.block(token, {delivery_of(number).pk: "Their first name cannot stand in a message."})
    delivery.give_back(token)


def claimed() -> set[str]:
    """Whose messages a worker would take now."""
    _, rows = delivery.claim(Edition.objects.exclude(started_at=None).get().pk, 10)
    people = Person.objects.filter(pk__in=[row.person for row in rows])
    return {f"HR-{person.row_number - 1}" for person in people}


@pytest.fixture
def answering(client: Client, case: Incident) -> Client:
    client.force_login(make_user("responder"))
    return client


def address(name: str, case: Incident, *more: object) -> str:
    return reverse(name, args=[case.reference, *more])


def ask(client: Client, case: Incident, typed: str) -> str:
    answer = client.post(address("hotline", case), {"typed": typed, **WHY})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def code(number: str) -> str:
    return code_of(printer(), delivery_of(number).pk)


def body_of(page: str) -> str:
    return re.sub(r'value="[A-Za-z0-9]{40,}"', "", page.partition("<main")[2].partition("</main>")[0])


def test_a_code_an_address_and_a_number_find_what_was_sent(answering: Client, case: Incident) -> None:
    edition = Edition.objects.exclude(started_at=None).get()
    for typed in (code("HR-1"), code("HR-1").lower().replace("-", " "), "Amelia@Example.com", "hr-1"):
        page = ask(answering, case, typed)
        assert "We sent them one message" in page
        assert edition.subject in page
        assert Organisation.current().sender_email in page
        assert "Dear Amelia," in page
        assert code("HR-1") in page
        assert "has changed since" not in page
        assert "Nobody has been sent this notice yet" in page, "the draft"
        assert "amelia@example.com" not in page.lower(), "masked, as the look-up shows people"
        assert "Okafor" not in page


def test_the_box_has_the_focus_and_takes_enter(answering: Client, case: Incident) -> None:
    page = answering.get(address("hotline", case)).content.decode()
    assert re.search(r'<input type="text" name="typed"[^>]* autofocus', page)
    assert f'<form method="post" action="{address("hotline", case)}"' in page
    assert "Who is calling?" in answering.get(address("hotline", case), {"typed": "HR-1"}).content.decode(), (
        "by POST alone"
    )
    empty = answering.post(address("hotline", case), {"typed": " "})
    assert (empty.status_code, "Type a code" in empty.content.decode()) == (422, True)


def test_what_is_not_known_is_answered_in_the_same_words(answering: Client, case: Incident) -> None:
    pages = {
        body_of(ask(answering, case, typed)) for typed in ("7HTM-2WKD", "7HTM-2WK", "nobody@example.com", "HR-999")
    }
    assert len(pages) == 1
    assert "Nobody matches exactly that" in pages.pop()


def test_a_look_says_why_once_and_leaves_a_trail_without_what_was_typed(answering: Client, case: Incident) -> None:
    asked = answering.post(address("hotline", case), {"typed": "HR-1"}).content.decode()
    assert "Why do you look at these people?" in asked
    assert '<input type="hidden" name="typed" value="HR-1">' in asked
    assert not Event.objects.of_types(["caller.answered", "people.searched"]).exists()
    secret = code("HR-1")
    for typed in (secret, "amelia@example.com"):
        ask(answering, case, typed)
    assert answering.post(address("hotline", case), {"typed": "HR-1"}).status_code == 200, "said once"
    kinds = ["caller.answered", "people.searched", "people.revealed", "people.looking_began"]
    events = list(Event.objects.of_types(kinds).oldest_first())
    assert [event.type for event in events].count("people.looking_began") == 1
    assert [event.type for event in events].count("people.revealed") == 3
    by_code, by_address, _ = (event.content["data"] for event in events if event.type == "caller.answered")
    assert by_code == {
        "count": 1,
        "by_code": True,
        "people": [str(one("HR-1").pk)],
        "deliveries": [str(delivery_of("HR-1").pk)],
    }
    assert (by_address["by_code"], by_address["deliveries"]) == (False, [])
    for event in events:
        assert secret.encode() not in bytes(event.body)
        assert b"amelia" not in bytes(event.body).lower()


def test_two_who_share_a_code_are_both_shown_and_one_is_opened(answering: Client, case: Incident) -> None:
    shared = Delivery.objects.get(person=one("HR-1")).verification
    with unguarded():
        Delivery.objects.filter(person=one("HR-4")).update(verification=shared)
    page = ask(answering, case, code("HR-1"))
    assert "Two people match" in page
    assert page.count("Open the one who is calling first") == 2
    assert "Dear Amelia," not in page
    assert not Event.objects.of_type("people.revealed").exists()
    closed = answering.get(address("hotline-caller", case, one("HR-1").pk)).content.decode()
    assert "Dear Amelia," not in closed
    opened = answering.post(address("hotline-caller", case, one("HR-1").pk)).content.decode()
    assert "Dear Amelia," in opened
    assert Event.objects.of_type("people.revealed").count() == 1


def test_why_somebody_got_nothing_is_said(answering: Client, case: Incident) -> None:
    assert "Not sent: we have no email address of them" in ask(answering, case, "HR-3")
    assert "Not sent: their first name cannot stand in a message" in ask(answering, case, "HR-2")
    assert "Not sent yet: it is being sent, and their turn will come" in ask(answering, case, "HR-4")
    dan = one("HR-4")
    hold_person(dan, kind="police", reason="Asked.", expected_version=dan.version, by=make_user("dpo"))
    assert "Not sent: they are on hold (the police asked us to wait)" in ask(answering, case, "HR-4")
    pause_edition(Edition.objects.exclude(started_at=None).get(), by=make_user("dpo"))
    assert "Not sent yet: the send is paused" in ask(answering, case, "HR-5")
    make_people(case, HEADING + "HR-5,Ella,Gray,ella@example.com,GB,en,2 Mill Lane,Leeds", purpose="withdraw")
    page = ask(answering, case, "HR-5")
    assert "Not sent: they are no longer affected" in page
    assert "We have sent them nothing" in page


def test_a_notice_to_those_no_longer_affected_says_so_of_the_others(answering: Client, case: Incident) -> None:
    with unguarded():
        Notice.objects.filter(title="Follow-up").update(audience={"affected": "no_longer"})
    assert "Not sent: they are still affected" in ask(answering, case, "HR-4")


def test_the_very_text_says_what_may_differ(answering: Client, case: Incident) -> None:
    with unguarded():
        Organisation.objects.update(hotline="01632 960999")
    assert "a fact has changed since" in ask(answering, case, "HR-1")
    with unguarded():
        Delivery.objects.filter(person=one("HR-1")).update(recipient=b"x" * 32)
    assert "Their data has changed since" in ask(answering, case, "HR-1")


def test_a_message_in_its_frame_is_for_whoever_was_shown_it(answering: Client, case: Incident) -> None:
    page = ask(answering, case, "HR-1")
    [frame] = re.findall(r'<iframe title="The message they got" sandbox[^>]*src="([^"]*)"', page)
    assert "amelia" not in frame.lower()
    answer = answering.get(frame)
    assert "Dear Amelia," in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer["Cache-Control"] == "no-store"
    assert answering.get(frame[:-3]).status_code == 404
    assert answering.get(frame.replace(case.reference, make_incident().reference)).status_code == 404
    answering.force_login(make_user("dpo"))
    assert answering.get(frame).status_code == 404, "a colleague's"


def test_a_code_of_another_case_leads_there(answering: Client, case: Incident) -> None:
    other = make_incident()
    page = ask(answering, other, code("HR-1"))
    assert "Nobody matches exactly that" in page
    assert f'href="{address("hotline", case)}"' in page
    assert "Okafor" not in page


def say(client: Client, case: Incident, number: str, said: str, words: str = "I never bought there.") -> str:
    form = {"said": said, "words": words, **WHY}
    answer = client.post(address("hotline-said", case, one(number).pk), form, follow=True)
    return unescape(answer.content.decode())


@pytest.mark.parametrize(("said", "kind"), [("no_customer", "not_ours"), ("no_contact", "asked")])
def test_whoever_is_no_customer_or_wants_no_contact_gets_nothing_more(
    answering: Client, case: Incident, said: str, kind: str
) -> None:
    page = say(answering, case, "HR-4", said)
    assert "They are on hold: nothing more goes to them" in page
    assert "“I never bought there.”" in page
    [hold] = Hold.objects.open()
    assert (hold.kind, hold.person, hold.until) == (kind, one("HR-4"), None)
    assert claimed() == {"HR-5"}
    events = [event.content for event in Event.objects.newest_first()[:2]]
    assert [event["type"] for event in events] == ["caller.noted", "person.held"]
    assert (events[0]["data"], events[1]["data"]["kind"]) == ({"said": said}, kind)
    assert b"never bought" not in b"".join(bytes(event.body) for event in Event.objects.all())


def test_wrong_data_is_decided_by_the_data_protection_officer_and_messages_go_on(
    answering: Client, case: Incident
) -> None:
    dpo = make_user("dpo")
    page = say(answering, case, "HR-4", "wrong_data", "My name is Daniel.")
    assert "The data protection officer is asked to decide" in page
    assert "They say that their data is wrong" in page
    assert not Hold.objects.exists()
    [waits] = waiting_for(dpo)
    assert "Dan" not in waits.sentence
    assert waits.url == address("hotline-caller", case, one("HR-4").pk)
    settle = address("hotline-settle", case, one("HR-4").pk)
    assert answering.post(settle, {"words": "Done."}).status_code == 403
    answering.force_login(dpo)
    shown = unescape(answering.get(waits.url).content.decode())
    assert "“My name is Daniel.”" in shown
    assert answering.post(settle, {"words": " "}).status_code == 409
    assert answering.post(settle, {"words": "A newer list was asked for."}).status_code == 302
    assert not waiting_for(dpo).exists()
    assert answering.post(settle, {"words": "Again."}).status_code == 409
    assert Event.objects.newest_first()[0].type == "caller.settled"
    assert claimed() == {"HR-4", "HR-5"}


def test_a_note_needs_words_and_is_not_made_twice(answering: Client, case: Incident) -> None:
    assert "Write down what the caller said" in say(answering, case, "HR-4", "no_contact", " ")
    assert "Choose what the caller says" in say(answering, case, "HR-4", "everything")
    assert not Hold.objects.exists()
    say(answering, case, "HR-4", "no_contact")
    assert "on hold for that already" in say(answering, case, "HR-4", "no_contact")
    assert Hold.objects.count() == Event.objects.of_type("caller.noted").count() == 1


def test_only_those_who_answer_people_may(answering: Client, case: Incident) -> None:
    person = one("HR-1")
    for role in sorted(ROLES.keys() - ANSWERS):
        user = make_user(role)
        answering.force_login(user)
        pages = [address(name, case) for name in ("hotline", "hotline-message")]
        pages.append(address("hotline-caller", case, person.pk))
        assert {answering.get(page).status_code for page in pages} == {403}
        assert answering.post(address("hotline-said", case, person.pk), {"said": "no_contact"}).status_code == 403
        with pytest.raises(PermissionDenied):
            answer_caller(case, "HR-1", by=user)
        with pytest.raises(PermissionDenied):
            note_caller(person, said=Said.NO_CONTACT, words="x", by=user)
    with pytest.raises(PermissionDenied):
        settle_dispute(person, words="x", by=make_user("responder"))
    with pytest.raises(ValidationError, match="Choose what"):
        note_caller(person, said="other", words="x", by=make_user("responder"))
    for role, there in (("dpo", True), ("author", False)):
        answering.force_login(make_user(role))
        listed = answering.get(reverse("notice-list", args=[case.reference])).content.decode()
        assert (address("hotline", case) in listed) is there


def test_somebody_of_another_case_is_not_opened_here(answering: Client, case: Incident) -> None:
    other = make_incident()
    for name in ("hotline-caller", "hotline-said"):
        assert (
            answering.post(
                address(name, other, one("HR-1").pk), {"said": "no_contact", "words": "x", **WHY}
            ).status_code
            == 404
        )
    assert not Hold.objects.exists()
