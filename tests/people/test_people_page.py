import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import close_incident
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person, Upload
from breachdesk.people.uploads import sealed_path
from breachdesk.people.working import work_on_upload
from tests.factories import (
    LIST,
    check_upload,
    make_incident,
    make_organisation,
    make_people,
    make_upload,
    make_user,
    match_upload,
)
from tests.people.pages import client_of, page_of

pytestmark = pytest.mark.django_db

CLEAR = ["Amelia", "Okafor", "amelia.okafor", "Müller", "Quay Street", "HR-1"]


@pytest.fixture(autouse=True)
def _organisation() -> None:
    make_organisation()


def hand_in(client: Client, incident: Incident, content: bytes = LIST.encode(), **more: str):  # type: ignore[no-untyped-def]
    file = SimpleUploadedFile("customers.csv", content)
    return client.post(reverse("people-upload", args=[incident.reference]), {"file": file, **more})


def files_on_disk() -> list[Path]:
    return sorted((settings.BREACHDESK.state_dir / "uploads").glob("*"))


def test_the_headline_says_what_is_true() -> None:
    incident, client = make_incident(), client_of("responder")
    assert "Nobody is on the list yet" in page_of(client, incident)
    match_upload(make_upload(incident))
    assert "Nobody counts as affected yet" in page_of(client, incident)
    make_people(incident, LIST + "\n")
    page = page_of(client, incident)
    assert "4 people are affected" in page
    assert "From 6 rows in one file." in page


def test_it_counts_countries_and_languages() -> None:
    incident = make_incident()
    make_people(incident)
    page = page_of(client_of("auditor"), incident)
    for words in ("United Kingdom", "Germany", "English", "Without an email address", "1 not accepted"):
        assert words in page


@pytest.mark.parametrize("role", ["responder", "author", "approver", "dpo", "auditor"])
def test_nobody_sees_people_in_the_clear_by_just_opening_a_page(role: str) -> None:
    incident, client = make_incident(), client_of(role)
    upload = make_people(incident)
    person = Person.objects.of(incident)[0]
    pages = [
        page_of(client, incident),
        page_of(client, incident, "people-list"),
        page_of(client, incident, "people-rejected", upload.pk),
        page_of(client, incident, "person", person.pk),
    ]
    for page in pages:
        assert not [word for word in [*CLEAR, "nobody at"] if word in page]
    assert "A•••• O••••" in pages[1]
    assert "a••••@e••••.com" in pages[1]


def test_an_administrator_sees_nobody() -> None:
    incident, client = make_incident(), client_of("administrator")
    make_people(incident)
    for name in ("people", "people-list"):
        assert client.get(reverse(name, args=[incident.reference])).status_code == 403


def test_a_file_is_received_sealed(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> None:
    incident = make_incident()
    with django_capture_on_commit_callbacks():
        answer = hand_in(client_of("responder"), incident)
    upload = Upload.objects.get(incident=incident)
    assert answer.status_code == 302
    assert (upload.state, upload.file_name, upload.size) == ("received", "customers.csv", len(LIST.encode()))
    assert b"amelia" not in sealed_path(upload.pk).read_bytes().lower()
    assert check_upload(upload).rows_valid == 4


def test_its_event_holds_no_file_name() -> None:
    hand_in(client_of("responder"), make_incident())
    body = bytes(Event.objects.get(type="upload.received").body)
    assert b"customers.csv" not in body
    assert json.loads(body)["data"]["bytes"] == len(LIST.encode())


def test_the_same_file_twice_is_refused() -> None:
    incident, client = make_incident(), client_of("responder")
    hand_in(client, incident)
    before = files_on_disk()
    answer = hand_in(client, incident)
    assert answer.status_code == 422
    assert "Exactly this file was handed in before" in answer.content.decode()
    assert Upload.objects.of(incident).count() == 1
    assert files_on_disk() == before


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"responder"}))
def test_only_a_responder_hands_in_a_file(role: str) -> None:
    incident = make_incident()
    before = files_on_disk()
    answer = hand_in(client_of(role), incident)
    assert answer.status_code == 403
    assert "Incident responder" in answer.content.decode()
    assert not Upload.objects.exists()
    assert files_on_disk() == before


def test_a_stranger_is_sent_away_before_the_file_is_read() -> None:
    before = files_on_disk()
    assert hand_in(Client(), make_incident()).status_code == 302
    assert files_on_disk() == before


def test_a_forged_form_leaves_nothing() -> None:
    incident = make_incident()
    before = files_on_disk()
    assert hand_in(client_of("responder", strict=True), incident).status_code == 403
    assert not Upload.objects.exists()
    assert files_on_disk() == before


def test_a_closed_incident_takes_no_file() -> None:
    incident = make_incident()
    close_incident(incident, reason="Wrong alarm.", expected_version=incident.version, by=make_user("dpo"))
    answer = hand_in(client_of("responder"), incident)
    assert (answer.status_code, Upload.objects.count()) == (422, 0)
    assert "is closed. Nobody was added." in answer.content.decode()


@pytest.mark.parametrize(("content", "part"), [(b"", "The file is empty"), (None, "Choose the file first")])
def test_a_missing_file_is_asked_for(content: bytes | None, part: str) -> None:
    incident, client = make_incident(), client_of("responder")
    if content is None:
        answer = client.post(reverse("people-upload", args=[incident.reference]), {"other": "1"})
    else:
        answer = hand_in(client, incident, content)
    assert answer.status_code == 422
    assert part in answer.content.decode()


def watched(client: Client, incident: Incident, done: int = 0) -> HttpResponse:
    address = reverse("people-watch", args=[incident.reference])
    return client.get(f"{address}?done={done}", headers={"HX-Request": "true"})


def test_the_page_asks_for_what_is_in_hand_while_a_file_moves() -> None:
    incident, client = make_incident(), client_of("auditor")
    upload = match_upload(make_upload(incident))
    assert "hx-get" in page_of(client, incident)
    part = watched(client, incident)
    assert b"<html" not in part.content
    assert b"Waits for a worker" in part.content
    assert "HX-Refresh" not in part.headers
    work_on_upload(upload.pk)
    part = watched(client, incident)
    assert b"4 people would come in" in part.content
    assert b"hx-get" not in part.content


def test_the_whole_page_is_new_once_people_came_in() -> None:
    incident, client = make_incident(), client_of("auditor")
    make_people(incident)
    assert watched(client, incident)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in watched(client, incident, done=1).headers


def test_what_somebody_must_do_next_stands_first() -> None:
    incident, client = make_incident(), client_of("responder")
    make_upload(incident)
    page = page_of(client, incident)
    assert "Match its columns" in page
    assert "Match its columns" not in page_of(client_of("auditor"), incident)
    assert "Waiting for an incident responder" in page_of(client_of("auditor"), incident)


def test_a_browser_that_sent_the_file_itself_is_led_on() -> None:
    incident, client = make_incident(), client_of("responder")
    file = SimpleUploadedFile("customers.csv", LIST.encode())
    answer = client.post(
        reverse("people-upload", args=[incident.reference]), {"file": file}, headers={"HX-Request": "true"}
    )
    upload = Upload.objects.get()
    assert answer["HX-Redirect"] == reverse("upload-match", args=[incident.reference, upload.pk])


def test_people_of_another_incident_are_not_found() -> None:
    first, second = make_incident(), make_incident()
    make_people(first)
    person = Person.objects.of(first)[0]
    client = client_of("responder")
    assert client.get(reverse("person", args=[second.reference, person.pk])).status_code == 404
    assert client.get(reverse("people-rejected", args=[first.reference, uuid4()])).status_code == 404
