"""The page of one file: watched while it is read, explained and taken in, or taken out again."""

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person, Reading, Upload
from breachdesk.people.working import work_on_upload
from tests.factories import (
    LIST,
    check_upload,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_upload,
    match_upload,
    take_in,
    unguarded,
)
from tests.people.pages import client_of, page_of

pytestmark = pytest.mark.django_db

WITHOUT_COUNTRY = LIST.replace(",GB,", ",,")


@pytest.fixture(autouse=True)
def _organisation() -> None:
    make_organisation()


@pytest.fixture
def incident() -> Incident:
    return make_incident()


@pytest.fixture
def client() -> Client:
    return client_of("responder")


def post(client: Client, upload: Upload, name: str, **typed: str) -> HttpResponse:
    return client.post(reverse(name, args=[upload.incident.reference, upload.pk]), typed)


def page(client: Client, upload: Upload, name: str = "upload") -> str:
    return page_of(client, upload.incident, name, upload.pk)


def explained(upload: Upload, text: str = "The carrier confirmed it.") -> dict[str, str]:
    return {f"why-{signal['key']}": text for signal in upload.signals if signal["share"] > signal["limit"]}


def half_read(upload: Upload, starts: int) -> Upload:
    """As a worker leaves it in the middle of its work."""
    with unguarded():
        Upload.objects.filter(pk=upload.pk).update(
            state="reading",
            starts=starts,
            started_at=timezone.now() - timedelta(seconds=10),
        )
    Reading.objects.create(
        upload=upload,
        starts=starts,
        lease_until=timezone.now() + timedelta(minutes=1),
        bytes_read=(upload.size + 1) // 2,
        rows=4_100,
        rejected=39,
    )
    upload.refresh_from_db()
    return upload


def test_what_would_come_in_is_seen_before_anybody_counts(client: Client, incident: Incident) -> None:
    upload = check_upload(make_upload(incident))
    text = page(client, upload)
    for words in ("4 people would come in", "Take in 4 people", "Germany", "English", "Under 18", "1 row not accepted"):
        assert words in text
    assert "The email address is malformed" in text
    assert not Person.objects.of(incident).exists()


def test_what_is_above_its_limit_must_be_explained(client: Client, incident: Incident) -> None:
    upload = check_upload(make_upload(incident, WITHOUT_COUNTRY))
    assert "have no country" in page(client, upload)
    answer = post(client, upload, "upload-accept")
    assert answer.status_code == 422
    assert "Say why that is right, or discard the file." in answer.content.decode()
    assert Upload.objects.get().state == "checked"


def test_an_explanation_that_was_typed_stays(client: Client, incident: Incident) -> None:
    upload = check_upload(make_upload(incident, WITHOUT_COUNTRY))
    typed = explained(upload)
    key = next(iter(typed))
    assert len(typed) > 1
    answer = post(client, upload, "upload-accept", **{key: "The carrier only drives in Leeds."})
    assert "The carrier only drives in Leeds." in answer.content.decode()


def test_once_explained_it_is_taken_in(client: Client, incident: Incident) -> None:
    upload = check_upload(make_upload(incident, WITHOUT_COUNTRY))
    answer = post(client, upload, "upload-accept", **explained(upload))
    assert (answer.status_code, Upload.objects.get().state) == (302, "accepted")
    assert work_on_upload(upload.pk).state == "loaded"
    assert "4 people came in with this file" in page(client, upload)
    assert b"carrier" not in bytes(Event.objects.get(type="upload.accepted").body)


def test_a_second_press_changes_nothing(client: Client, incident: Incident) -> None:
    upload = make_people(incident)
    assert post(client, upload, "upload-accept").status_code == 302
    assert Event.objects.filter(type="upload.accepted").count() == 1


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"responder"}))
@pytest.mark.parametrize("name", ["upload-accept", "upload-discard", "upload-undo"])
def test_only_a_responder_decides(role: str, name: str, incident: Incident) -> None:
    upload = check_upload(make_upload(incident))
    assert post(client_of(role), upload, name, reason="No.").status_code == 403
    assert Upload.objects.get().state == "checked"


def test_an_auditor_sees_what_waits_and_cannot_decide(incident: Incident) -> None:
    text = page(client_of("auditor"), check_upload(make_upload(incident)))
    assert "4 people would come in" in text
    assert "Take in 4 people" not in text


def test_watching_tells_how_far_it_is(client: Client, incident: Incident) -> None:
    text = page(client, half_read(match_upload(make_upload(incident)), starts=1))
    for words in (
        "is being read",
        "50 %",
        "4,100",
        "about 10 s left",
        "Not accepted so far",
        "You can leave this page",
    ):
        assert words in text
    assert re.search(r"about \d+ s left", text)
    assert "started again by itself" not in text


def test_after_a_killed_worker_it_says_that_it_began_again(client: Client, incident: Incident) -> None:
    assert "started again by itself" in page(client, half_read(match_upload(make_upload(incident)), starts=2))


def test_a_file_that_waits_says_what_for(client: Client, incident: Incident) -> None:
    make_first = check_upload(make_upload(incident, name="first.csv"))
    second = match_upload(make_upload(incident, LIST + "\n", "second.csv"))
    assert "Waits for first.csv" in page(client, second)
    post(client, make_first, "upload-discard", reason="The wrong list.")
    work_on_upload(make_first.pk)
    assert "Waits for a worker" in page(client, second)


def test_the_watched_part_leads_to_the_next_page(client: Client, incident: Incident) -> None:
    upload = half_read(match_upload(make_upload(incident)), starts=1)
    address = reverse("upload-watch", args=[incident.reference, upload.pk])
    part = client.get(f"{address}?state=reading", headers={"HX-Request": "true"})
    assert b"4,100" in part.content
    assert b"<html" not in part.content
    assert b"50 per cent of customers.csv are read." in part.content
    assert client.get(f"{address}?state=queued", headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_what_was_said_is_not_said_again(client: Client, incident: Incident) -> None:
    upload = half_read(match_upload(make_upload(incident)), starts=1)
    address = reverse("upload-watch", args=[incident.reference, upload.pk])
    part = client.get(address, {"state": "reading", "said": "50 per cent of customers.csv are read."})
    assert b"milestone" not in part.content


def test_it_is_discarded_with_a_reason(client: Client, incident: Incident) -> None:
    upload = check_upload(make_upload(incident))
    assert "Discard customers.csv?" in page(client, upload, "upload-discard")
    assert post(client, upload, "upload-discard", reason=" ").status_code == 422
    assert post(client, upload, "upload-discard", reason="The wrong list.").status_code == 302
    assert work_on_upload(upload.pk).state == "gone"
    assert "Nothing of customers.csv is kept" in page(client, upload)


def test_what_came_in_is_taken_out_again_with_a_reason(client: Client, incident: Incident) -> None:
    upload = make_people(incident)
    assert "Take 4 people out again?" in page(client, upload, "upload-undo")
    assert post(client, upload, "upload-undo", reason="").status_code == 422
    assert post(client, upload, "upload-undo", reason="It was last year’s list.").status_code == 302
    assert work_on_upload(upload.pk).state == "gone"
    assert not Person.objects.of(incident).exists()


def test_what_a_notice_holds_is_not_taken_out(client: Client) -> None:
    edition = make_edition_in_review()
    upload = Upload.objects.get()
    assert edition.notice.incident == upload.incident
    assert "That is not possible now." in page(client, upload, "upload-undo")
    answer = post(client, upload, "upload-undo", reason="It was last year’s list.")
    assert (answer.status_code, Upload.objects.get().state) == (422, "loaded")


def test_a_file_that_could_not_be_read_says_why(client: Client, incident: Incident) -> None:
    upload = make_upload(incident, LIST.splitlines()[0] + "\n")
    match_upload(upload)
    assert work_on_upload(upload.pk).state == "failed"
    text = page(client, upload)
    assert "could not be read" in text
    assert Upload.objects.get().failure in text


def test_the_rejected_rows_are_shown_with_their_reasons(client: Client, incident: Incident) -> None:
    text = page(client, make_people(incident), "people-rejected")
    assert "1 row of customers.csv was not accepted" in text
    assert "The email address is malformed" in text
    assert "nobody at" not in text


def test_how_its_columns_were_read_stays_visible(client: Client, incident: Incident) -> None:
    text = page(client, take_in(check_upload(make_upload(incident))))
    assert "How its 10 columns are read" in text
    assert "Country of residence" in text
