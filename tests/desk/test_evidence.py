"""The evidence report: everything in it comes from the case and from the trail, and can be checked against both."""

import json
from hashlib import sha256

import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.audit.models import Entry, Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.desk.evidence_pdf import elapsed, slices_of
from breachdesk.people.actions import hold_person
from breachdesk.people.models import Person
from regulators.actions import NewAnswer, open_filing, save_answers
from tests.factories import make_approved_edition, make_incident, make_user
from tests.pdfs import attachment_of, text_of_pdf

pytestmark = pytest.mark.django_db


def report_of(client, incident):
    response = client.post(reverse("incident-evidence", args=[incident.reference]))
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


@pytest.fixture(scope="module")
def case(made_once):
    """A case with people, one of them on hold for a reason, and an approved notice; all of it linked."""
    incident = make_approved_edition().notice.incident
    person = Person.objects.of(incident).first()
    reason = "The police asked us to wait."
    hold_person(person, reason=reason, expected_version=person.version, by=make_user("dpo"))
    sequence_pending()
    return incident


@pytest.fixture(scope="module")
def exported(case):
    """The report as a data protection officer gets it, and who that was."""
    client = Client()
    client.user = make_user("dpo")
    client.force_login(client.user)
    return report_of(client, case), client.user


def test_it_says_what_was_decided_why_by_whom_and_where_the_log_has_it(exported):
    evidence = json.loads(attachment_of(exported[0], "evidence.json"))
    decided = {one["what"]: one for one in evidence["decisions"]}
    held = decided["Put a person on hold"]
    assert held["why"] == "The police asked us to wait."
    event = Event.objects.of_type("person.held").get()
    assert held["n"] == Entry.objects.get(event_id=event.event_id).idx
    assert any(what.startswith("Approved the English edition") for what in decided)


def test_it_holds_the_notices_and_the_extract_names_the_bytes_of_the_trail(exported, case):
    evidence = json.loads(attachment_of(exported[0], "evidence.json"))
    [notice] = evidence["notices"]
    assert (notice["state"], notice["recipients"], len(notice["approvals"])) == ("Approved, not started", 3, 1)
    assert evidence["people"] == 4
    hashes = {line["sha256"] for line in evidence["extract"]}
    before = Event.objects.of_incident(case.pk).exclude(type="report.exported")
    assert {bytes(event.body_sha256).hex() for event in before.without_machinery()} == hashes
    assert evidence["left_out"]["by_itself"] == before.count() - len(hashes)


# Whoever reads evidence.json by a program knows by its "v" which keys there are.
KEYS = {
    2: {
        "": "kind v as_of incident title organisation prepared_by aware_at zone people facts moments timeline "
        "decisions obligations notices extract left_out checkpoint",
        "notices": "notice language revision state digest approvals approvers_needed glass_broken recipients results "
        "reached letters_posted",
        "moments": "label at zone precision basis replaced reason",
        "extract": "n at who type sha256",
    }
}


def test_its_keys_are_those_of_its_shape(exported):
    evidence = json.loads(attachment_of(exported[0], "evidence.json"))
    for part, keys in KEYS[evidence["v"]].items():
        for one in evidence[part] if part else [evidence]:
            assert one.keys() == set(keys.split()), part


def test_no_affected_person_is_named_in_it(exported):
    text = attachment_of(exported[0], "evidence.json").decode()
    assert "Okafor" not in text
    assert "example.com" not in text


def test_that_it_left_the_product_is_in_the_trail_with_its_hashes(exported):
    pdf, user = exported
    event = Event.objects.of_type("report.exported").get()
    assert event.content["actor"]["id"] == str(user.pk)
    assert event.content["object"]["sha256"]
    assert event.content["data"]["bytes"] == len(pdf)
    assert sha256(attachment_of(pdf, "evidence.json")).hexdigest()[:8] in text_of_pdf(pdf)


def test_it_carries_the_checkpoint_it_was_made_under(signed_in, signing, case):
    checkpoint = signing.sign()
    pdf = report_of(signed_in("auditor"), case)
    assert attachment_of(pdf, "checkpoint.note").decode() == checkpoint.note
    evidence = json.loads(attachment_of(pdf, "evidence.json"))
    assert evidence["checkpoint"]["size"] == checkpoint.size
    assert f"{checkpoint.size:,} entries, root {bytes(checkpoint.root).hex()[:8]}" in text_of_pdf(pdf)


def test_it_refuses_who_may_not_see_the_case_and_a_mere_look(signed_in):
    incident = make_incident()
    address = reverse("incident-evidence", args=[incident.reference])
    assert signed_in("administrator").post(address).status_code == 403
    assert signed_in("dpo").get(address).status_code == 405
    assert not Event.objects.of_type("report.exported").of_incident(incident.pk).exists()


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-22T17:45:00.000000Z", "32 h 45 min"),
        ("2026-11-21T09:10:00.000000Z", "10 min"),
        ("2026-11-21T08:00:00.000000Z", "−1 h 00 min"),
    ],
)
def test_elapsed_time_counts_from_becoming_aware(moment, said):
    assert elapsed("2026-11-21T09:00:00.000000Z", moment) == said


def test_the_bar_of_a_notice_is_as_long_as_its_people():
    parts = slices_of([{"label": "Handed over", "number": 75}, {"label": "Unknown", "number": 25}])
    assert [(part.x, part.width, part.share, part.is_solid) for part in parts] == [
        (0.0, 480.0, "75.0 %", True),
        (480.0, 160.0, "25.0 %", False),
    ]
    assert slices_of([]) == []


def test_many_small_changes_by_one_colleague_are_one_step_of_the_timeline(signed_in, case):
    client = signed_in("dpo")
    filing = open_filing(case, "uk_ico", by=client.user)
    for words in ("It was a list.", "It was two lists."):
        save_answers(filing, {"what_happened": NewAnswer(int("two" in words), words)}, by=client.user)
    evidence = json.loads(attachment_of(report_of(client, case), "evidence.json"))
    assert f"{client.user.name} gave 2 answers in the form" in [step["text"] for step in evidence["timeline"]]
    assert [line["type"] for line in evidence["extract"]].count("filing.answered") == 2
