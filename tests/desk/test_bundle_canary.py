"""No typed word and no name gets into a bundle that is to hold none, nor into the log's own bytes in any bundle."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from breachdesk.accounts.models import User
from breachdesk.audit.models import Entry, Event
from breachdesk.incidents.actions import Facts, StatedMoment, close_incident, open_incident, state_moment
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import find_people, hold_person, reveal_person
from notifications import actions as notices
from regulators import actions as filings
from regulators.actions import NewAnswer, ReceiptFile
from tests.desk.exporting import Exporting, check, exporting, members_of, pointing, send
from tests.factories import approve, make_organisation, make_people, make_user
from tests.notifications.sink import Sink
from tests.regulators.conftest import ANSWERS, fresh, sign, submit

pytestmark = pytest.mark.django_db(transaction=True)

# Long enough that no hash holds one by chance, and nothing that a form or a template says by itself.
MARK = "zqxcanary"
PEOPLE = {f"{MARK}{what}" for what in ("given", "family", "address", "street", "reference")}
STAFF = {f"{MARK}{what}" for what in ("colleague", "mailbox")}
TYPED = {
    f"{MARK}{what}"
    for what in (
        "title",
        "happened",
        "processor",
        "basis",
        "correction",
        "filename",
        "heading",
        "hold",
        "notice",
        "rejection",
        "pause",
        "authorityref",
        "receiptname",
        "closing",
        "refusedwording",
    )
}
# The organisation's own statements: what the approved notice says, and what the filing answers (the facts among it).
WORDING = {f"{MARK}wording"}
ANSWERED = {f"{MARK}answer", f"{MARK}happened", f"{MARK}processor", f"{MARK}basis"}
EVERYTHING = PEOPLE | STAFF | TYPED | WORDING | ANSWERED
ALLOWED = {
    "sections/notices.json": WORDING,
    "sections/filings.json": ANSWERED,
    "index.html": WORDING | ANSWERED,
}
LIST = (
    f"customer_id,first_name,last_name,email,street,{MARK}heading\n"
    + "".join(
        f"{MARK}reference{n},{MARK}given,{MARK}family,{MARK}address{n}@example.com,{MARK}street {n},x\n"
        for n in range(5)
    )
    + f"{MARK}reference,{MARK}given,,nobody at all,,\n"
)


@pytest.fixture
def export(db: None, settings: Settings, tmp_path: Path) -> Exporting:
    return exporting(settings, tmp_path)


@pytest.fixture
def told(export: Exporting, settings: Settings) -> Incident:
    """Every field that takes a word has one of ours."""
    make_organisation()
    roles = ("responder", "author", "dpo")
    colleague = make_user(*roles, name=f"{MARK}colleague", email=f"{MARK}mailbox@halden-rowe.example")
    aware = StatedMoment("aware", timezone.now() - timedelta(hours=5), basis=f"{MARK}basis")
    facts = Facts(f"{MARK}happened.", f"{MARK}title", "processor", f"{MARK}processor", kinds=["email"])
    incident = open_incident(facts, [aware], by=colleague)
    earlier = StatedMoment("aware", timezone.now() - timedelta(hours=6), basis=f"{MARK}basis")
    state_moment(incident, earlier, expected_version=incident.version, reason=f"{MARK}correction", by=colleague)
    look_at_people(incident, colleague)
    tell_people(incident, colleague, pointing(settings))
    file_it(incident, colleague)
    incident.refresh_from_db()
    return close_incident(incident, reason=f"{MARK}closing", expected_version=incident.version, by=colleague)


def look_at_people(incident: Incident, colleague: User) -> None:
    make_people(incident, LIST, name=f"{MARK}filename.csv", by=colleague)
    [person] = find_people(incident, f"{MARK}reference2", by=colleague)
    reveal_person(person, by=colleague)
    hold_person(person, reason=f"{MARK}hold", expected_version=person.version, by=colleague)


def tell_people(incident: Incident, colleague: User, through: Callable[[Sink], None]) -> None:
    """Refused once with other words, then approved, paused, and sent over a server that says things, too."""
    edition = notices.create_notice(incident, title=f"{MARK}notice", by=colleague).editions.with_incident().get()
    approver = make_user("approver", name=f"{MARK}colleague")
    written, subject = edition.body, edition.subject
    edition = notices.save_draft(edition, subject=subject, body=f"{written}\n\n{MARK}refusedwording.", by=colleague)
    edition = notices.submit_for_review(edition, by=colleague)
    edition = notices.reject_edition(edition, reason=f"{MARK}rejection", by=approver)
    edition = notices.save_draft(edition, subject=subject, body=f"{written}\n\n{MARK}wording.", by=colleague)
    edition = approve(notices.submit_for_review(edition, by=colleague), by=approver)
    edition = notices.start_edition(edition, by=approver)
    notices.pause_edition(edition, reason=f"{MARK}pause", by=approver)
    edition.refresh_from_db()
    send(notices.resume_edition(edition, by=approver), through)


def file_it(incident: Incident, colleague: User) -> None:
    filing = filings.open_filing(incident, "uk_ico", by=colleague)
    answers = ANSWERS | {"actions_taken": f"{MARK}answer"}
    filing = filings.save_answers(filing, {key: NewAnswer(0, value) for key, value in answers.items()}, by=colleague)
    filing = filings.submit_for_sign_off(filing, expected_version=filing.version, by=colleague)
    sign(filing, colleague)
    receipt = ReceiptFile(f"{MARK}receiptname.pdf", b"%PDF- thank you")
    submit(fresh(filing), colleague, authority_reference=f"{MARK}authorityref", file=receipt)


def canaries_in(content: bytes) -> set[str]:
    found = {canary for canary in EVERYTHING if canary.encode() in content}
    assert found or MARK.encode() not in content, "a canary that this test does not know"
    return found


def test_a_bundle_holds_no_canary_but_the_organisations_own_statements(told: Incident, export: Exporting) -> None:
    bundle = export(told)
    for name, content in members_of(bundle).items():
        assert canaries_in(content) <= ALLOWED.get(name, set()), name
    for name, said in ALLOWED.items():
        assert canaries_in(members_of(bundle)[name]) == said, name
    assert check(bundle)["verdict"] == "VALID"


def test_a_whole_log_holds_no_more(told: Incident, export: Exporting) -> None:
    for name, content in members_of(export(told, "--whole")).items():
        assert canaries_in(content) <= ALLOWED.get(name, set()), name


def test_with_private_they_are_in_the_openings_and_sections_and_never_in_the_log(
    told: Incident, export: Exporting
) -> None:
    bundle = export(told, "--private")
    files = members_of(bundle)
    assert canaries_in(files["entries.jsonl"] + files["deliveries.jsonl"] + files["anchors.jsonl"]) == set()
    assert canaries_in(files["sections/people_of_record.json"]) == {f"{MARK}colleague"}
    sealed = canaries_in(files["private.jsonl"])
    assert sealed >= TYPED - {f"{MARK}heading", f"{MARK}receiptname"}
    assert not PEOPLE & canaries_in(b"".join(files.values()))
    assert check(bundle)["verdict"] == "VALID"


def test_the_logs_own_bytes_hold_none(told: Incident, export: Exporting) -> None:
    export(told, "--private")
    for body in Event.objects.values_list("body", flat=True):
        assert canaries_in(bytes(body)) == set()
    for entry in Entry.objects.values_list("entry", flat=True):
        assert canaries_in(bytes(entry)) == set()
