"""The count ledger: a number, a range or not known; by whom, when and on what basis; nothing in it is ever changed."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.incidents.actions import close_incident
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import state_count, undo_upload
from breachdesk.people.models import CountEntry
from breachdesk.people.working import work_on_upload
from regulators.actions import open_filing
from regulators.prefill import known_facts
from tests.factories import LIST, make_incident, make_organisation, make_people, make_user, unguarded

pytestmark = pytest.mark.django_db

SOURCE = "A letter of the carrier, 3 May"


@pytest.fixture
def incident() -> Incident:
    make_organisation()
    return make_incident()


def state(incident: Incident, low: int | None, high: int | None, **more: str) -> CountEntry:
    given = {"basis": "processor", "source": SOURCE} | more
    return state_count(incident, low=low, high=high, by=make_user("dpo"), **given)


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def post(client: Client, incident: Incident, **answers: str):  # type: ignore[no-untyped-def]
    given = {"how_many": "about", "number": "500", "basis": "estimate", "source": SOURCE} | answers
    return client.post(reverse("people-counts", args=[incident.reference]), given)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (500, 500, "500"),
        (400, 600, "400 to 600"),
        (400, None, "at least 400"),
        (None, 600, "at most 600"),
        (None, None, "not known"),
    ],
)
def test_a_number_a_range_or_not_known(incident: Incident, low: int | None, high: int | None, words: str) -> None:
    entry = state(incident, low, high)
    assert (str(entry), entry.source, entry.stated_by.email) == (words, SOURCE, entry.stated_by.email)
    [line] = describe(Event.objects.of_type("people.count_stated"), private=True)
    assert line.sentence == f"stated how many people are affected: {words}"
    assert line.private == {"source": SOURCE}


def test_what_was_typed_does_not_stand_in_the_trails_own_bytes(incident: Incident) -> None:
    state(incident, 500, 500, source="Maren Holt of the carrier")
    assert b"Maren" not in bytes(Event.objects.of_type("people.count_stated").get().body)


@pytest.mark.parametrize(
    ("low", "high", "more", "field"),
    [
        (0, 0, {}, "low"),
        (0, 500, {}, "low"),
        (None, 0, {}, "low"),
        (600, 400, {}, "high"),
        (5, 5, {"basis": "list"}, "basis"),
        (5, 5, {"basis": "hearsay"}, "basis"),
        (5, 5, {"source": "  "}, "source"),
    ],
)
def test_it_refuses(incident: Incident, low: int | None, high: int | None, more: dict[str, str], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        state(incident, low, high, **more)
    assert list(refusal.value.message_dict) == [field]
    assert not CountEntry.objects.exists()


@pytest.mark.parametrize("column", ["low", "high"])
def test_the_database_keeps_nothing_from_being_unknown_as_zero(incident: Incident, column: str) -> None:
    entry = state(incident, 5, None)
    with pytest.raises(IntegrityError), transaction.atomic(), unguarded():
        CountEntry.objects.filter(pk=entry.pk).update(**{column: 0})


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"responder", "dpo"}))
def test_it_refuses_the_wrong_role(incident: Incident, role: str) -> None:
    with pytest.raises(PermissionDenied):
        state_count(incident, low=5, high=5, basis="estimate", source=SOURCE, by=make_user(role))
    assert post(client_of(role), incident).status_code == 403
    assert not CountEntry.objects.exists()


def test_a_closed_incident_takes_no_count(incident: Incident) -> None:
    close_incident(incident, reason="Wrong alarm.", expected_version=incident.version, by=make_user("dpo"))
    with pytest.raises(ValidationError, match="is closed"):
        state(incident, 5, 5)


def test_each_list_taken_in_or_out_adds_an_entry_of_its_own(incident: Incident) -> None:
    by = make_user("responder")
    upload = make_people(incident, by=by)
    undo_upload(upload, reason="Wrong file.", by=by, ring=False)
    work_on_upload(upload.pk)
    make_people(incident, LIST + "\n", by=by)
    entries = CountEntry.objects.of(incident).newest_first()
    assert [(str(entry), entry.basis, entry.stated_by_id) for entry in entries] == [
        ("4", "list", by.pk),
        ("not known", "list", by.pk),
        ("4", "list", by.pk),
    ]


@pytest.mark.parametrize(
    ("answers", "stated"),
    [
        ({}, (500, 500)),
        ({"how_many": "range", "low": "400", "high": "600"}, (400, 600)),
        ({"how_many": "range", "low": "", "high": "600"}, (None, 600)),
        ({"how_many": "not_known"}, (None, None)),
    ],
)
def test_the_form_states_it(incident: Incident, answers: dict[str, str], stated: tuple[int | None, int | None]) -> None:
    client = client_of("responder")
    assert post(client, incident, **answers).status_code == 302
    assert CountEntry.objects.values_list("low", "high").get() == stated
    page = client.get(reverse("people-counts", args=[incident.reference])).content.decode()
    assert SOURCE in page
    assert str(CountEntry.objects.get()).capitalize() in page


@pytest.mark.parametrize(
    "answers",
    [
        {"number": ""},
        {"number": "0"},
        {"how_many": "range", "low": "", "high": ""},
        {"how_many": "range", "low": "7", "high": "5"},
        {"how_many": ""},
        {"basis": "list"},
        {"source": ""},
        {"number": "99999999999"},
    ],
)
def test_the_form_says_what_is_missing(incident: Incident, answers: dict[str, str]) -> None:
    answer = post(client_of("dpo"), incident, **answers)
    assert answer.status_code == 422
    assert "No count was added" in answer.content.decode()
    assert not CountEntry.objects.exists()


def test_who_may_only_read_sees_no_form(incident: Incident) -> None:
    page = client_of("auditor").get(reverse("people-counts", args=[incident.reference])).content.decode()
    assert "Add it to the ledger" not in page
    assert "is not known" in page


def test_a_new_form_is_prefilled_with_the_newest_count(incident: Incident) -> None:
    filing = open_filing(incident, "uk_ico", by=make_user("dpo"))
    state(incident, 700, 900)
    facts = known_facts(filing, at=incident.opened_at)
    assert facts["people.count"].value == 900
    assert facts["people.count"].origin == (
        "From the count of people: 700 to 900 (the company that works for us says so)."
    )
    make_people(incident)
    assert known_facts(filing, at=incident.opened_at)["people.count"].value == 4
    state(incident, None, None)
    assert "people.count" not in known_facts(filing, at=incident.opened_at)
