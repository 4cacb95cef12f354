"""What a file's columns become is confirmed on its real rows, and nothing of it is kept before."""

import re
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.forms import Select
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertHTMLEqual

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people.forms.matching import ColumnField, usual_choices
from breachdesk.people.models import Person, Upload
from breachdesk.people.reading.plan import plan_of
from breachdesk.vault.sealing import cipher_for
from tests.factories import LIST, make_incident, make_organisation, make_upload, make_user, match_upload
from tests.people.pages import client_of, seal_bytes

pytestmark = pytest.mark.django_db

GERMAN = """Kundennr;Name;E-Mail;Straße;Ort;Geburtstag
K-1;Jürgen Müller;j.mueller@example.org;Gartenstraße 2;Köln;03/04/1984
K-2;Øyvind Ås;oyvind@example.com;Storgata 1;Oslo;05/06/1990
"""


@pytest.fixture(autouse=True)
def _organisation() -> None:
    make_organisation()


@pytest.fixture
def incident() -> Incident:
    return make_incident()


@pytest.fixture
def client() -> Client:
    return client_of("responder")


def address(upload: Upload) -> str:
    return reverse("upload-match", args=[upload.incident.reference, upload.pk])


def form_of(page: HttpResponse) -> dict[str, Any]:
    """What a browser would send of the page: hidden fields, text and what is selected."""
    text = page.content.decode()
    fields = {
        name: value.replace("&quot;", '"')
        for name, value in re.findall(r'<input type="hidden" name="(version|shown)" value="([^"]*)"', text)
    }
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', text, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields | {"purpose": "add", "reason": "", "keep_as": ""}


def send(client: Client, upload: Upload, **changed: Any) -> HttpResponse:
    """Looks at the page, changes what is given, and presses a button of it."""
    fields = form_of(client.get(address(upload))) | {"do": "match"} | changed
    return client.post(address(upload), fields)


def stored(upload: Upload) -> dict[str, str]:
    upload.refresh_from_db()
    plan = plan_of(cipher_for(upload.incident_id), upload)
    return {column.heading: column.becomes for column in plan.columns}


def stored_nothing(upload: Upload) -> bool:
    upload.refresh_from_db()
    return (upload.state, upload.sealed_plan) == (Upload.State.RECEIVED, None)


def test_it_shows_real_rows_masked(client: Client, incident: Incident) -> None:
    page = client.get(address(make_upload(incident))).content.decode()
    assert "Row 2" in page
    assert "•ü••••" in page
    assert not [word for word in ("Jürgen", "Müller", "Amelia", "Quay", "example.com") if word in page]


def test_what_was_guessed_is_read_once_it_is_confirmed(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    answer = send(client, upload)
    assert (answer.status_code, answer["Location"]) == (302, reverse("upload", args=[incident.reference, upload.pk]))
    assert stored(upload)["date_of_birth"] == "born_on"
    assert upload.state == "queued"
    assert b"customer_id" not in bytes(Event.objects.get(type="upload.matched").body)


@pytest.mark.parametrize("chosen", ["", "email", "kind:health", "extra:shop", "nonsense"])
def test_a_columns_choices_are_those_that_django_would_write(chosen: str) -> None:
    field = ColumnField("shop_till", chosen)
    usual = Select(field.widget.attrs, [*usual_choices(), ("For the wording of notices", field.wording)])
    assert field.wording
    assertHTMLEqual(*(one.render("columns-0", chosen, {"id": "id_columns-0"}) for one in (field.widget, usual)))


def test_what_no_column_can_become_is_refused(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    page = send(client, upload, **{"columns-1": "passport", "columns-2": "kind:nonsense"})
    assert (page.status_code, stored_nothing(upload)) == (422, True)
    assert page.content.decode().count("is not one of the available choices") == 4  # beside each, and above all


def test_nothing_is_stored_before_it_is_confirmed(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    events = Event.objects.count()
    client.get(address(upload))
    send(client, upload, do="look", delimiter=";")
    upload.refresh_from_db()
    assert (upload.state, upload.sealed_plan, upload.version) == ("received", None, 1)
    assert (Person.objects.count(), Event.objects.count()) == (0, events)


def test_a_column_becomes_what_the_user_says(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    send(client, upload, **{"columns-0": "", "columns-4": "extra:street", "columns-9": "kind:health"})
    chosen = stored(upload)
    assert (chosen["customer_id"], chosen["street"], chosen["data_exposed"]) == ("", "extra:street", "kind:health")


def test_another_encoding_shows_the_rows_anew(client: Client, incident: Incident) -> None:
    upload = seal_bytes(incident, GERMAN.encode("cp1252"))
    looks = [send(client, upload, do="look", encoding=encoding).content.decode() for encoding in ("cp1252", "cp1250")]
    assert ["Ø" in look for look in looks] == [True, False]
    assert "Ř" in looks[1]


def test_htmx_gets_the_part_alone(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    fields = form_of(client.get(address(upload))) | {"encoding": "cp1252"}
    part = client.post(address(upload), fields, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert part.content.lstrip().startswith(b'<div id="matching"')


def test_what_was_chosen_stays_when_the_rows_are_shown_anew(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    page = send(client, upload, do="look", encoding="cp1252", keep_as="Larkfield", **{"columns-1": "salutation"})
    assert form_of(page)["columns-1"] == "salutation"
    assert 'value="Larkfield"' in page.content.decode()


def test_a_way_of_reading_that_nobody_looked_at_is_not_confirmed(client: Client, incident: Incident) -> None:
    upload = seal_bytes(incident, GERMAN.encode("cp1252"))
    answer = send(client, upload, encoding="cp1250")
    upload.refresh_from_db()
    assert (answer.status_code, upload.state) == (422, "received")
    assert "You changed how the file is read" in answer.content.decode()
    assert client.post(address(upload), form_of(answer) | {"do": "match", "date_order": "dmy"}).status_code == 302


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"columns-1": "", "columns-2": ""}, "No column holds a name."),
        ({"columns-3": "", "columns-4": ""}, "No column holds an email address or a street."),
        ({"columns-1": "city"}, "“first_name” and “city” cannot all be “Town”."),
        ({"purpose": "withdraw"}, "Say why these people are no longer affected."),
        ({"purpose": "remove"}, "Select a valid choice"),
        ({"columns-1": "password"}, "Select a valid choice"),
        ({"shown": "no JSON"}, "You changed how the file is read"),
        ({"shown": "[]"}, "You changed how the file is read"),
        ({"encoding": "rot13"}, "cannot be read with this encoding"),
        ({"header_row": "x"}, "cannot be read with this encoding"),
    ],
)
def test_it_refuses_with_a_sentence_and_keeps_what_was_typed(
    client: Client, incident: Incident, changed: dict[str, str], sentence: str
) -> None:
    upload = make_upload(incident)
    answer = send(client, upload, keep_as="Larkfield deliveries", **changed)
    page = answer.content.decode()
    assert (answer.status_code, Upload.objects.get().state) == (422, "received")
    assert sentence in page
    assert "Larkfield deliveries" in page


def test_a_missing_country_is_said_with_what_hangs_on_it(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    assert "No country of residence" not in client.get(address(upload)).content.decode()
    page = send(client, upload, do="look", **{"columns-6": ""}).content.decode()
    assert "No country of residence for anybody" in page
    assert "which regulators must be told" in page


def test_a_country_that_some_rows_lack_is_counted(client: Client, incident: Incident) -> None:
    upload = make_upload(incident, LIST.replace("Leeds,GB", "Leeds,"))
    assert "2 of the 6 rows looked at have no country" in client.get(address(upload)).content.decode()


def test_dates_that_can_be_read_both_ways_are_asked_about(client: Client, incident: Incident) -> None:
    upload = seal_bytes(incident, GERMAN.encode())
    answer = send(client, upload)
    assert (answer.status_code, "the day or the month" in answer.content.decode()) == (422, True)
    assert send(client, upload, date_order="dmy").status_code == 302
    upload.refresh_from_db()
    assert plan_of(cipher_for(incident.pk), upload).date_order == "dmy"


def test_a_withdrawal_keeps_its_reason(client: Client, incident: Incident) -> None:
    upload = make_upload(incident)
    assert send(client, upload, purpose="withdraw", reason="They were test entries.").status_code == 302
    upload.refresh_from_db()
    assert (upload.state, upload.purpose) == ("queued", "withdraw")


def test_another_file_of_a_zip_is_shown(client: Client, incident: Incident, tmp_path: Any) -> None:
    path = tmp_path / "lists.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("one.csv", LIST)
        archive.writestr("two.csv", GERMAN)
    upload = seal_bytes(incident, path.read_bytes(), "lists.zip")
    assert "customer_id" in client.get(address(upload)).content.decode()
    page = send(client, upload, do="look", member="two.csv").content.decode()
    assert "Geburtstag" in page
    assert "customer_id" not in page


def test_what_is_no_list_says_so_and_can_be_discarded(client: Client, incident: Incident) -> None:
    upload = seal_bytes(incident, b"%PDF-1.7 not a list", "report.pdf")
    answer = client.get(address(upload))
    assert answer.status_code == 422
    assert "cannot be read" in answer.content.decode()
    assert reverse("upload-discard", args=[incident.reference, upload.pk]) in answer.content.decode()


def test_columns_are_matched_once(client: Client, incident: Incident) -> None:
    upload = match_upload(make_upload(incident))
    assert client.get(address(upload)).status_code == 302
    assert client.post(address(upload), {"do": "match"}).status_code == 302
    assert Upload.objects.get().version == upload.version


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"responder"}))
def test_only_a_responder_matches(role: str, incident: Incident) -> None:
    upload = make_upload(incident)
    assert client_of(role).get(address(upload)).status_code == 403
    assert client_of(role).post(address(upload), {"do": "match"}).status_code == 403


def test_a_file_of_another_incident_is_not_found(client: Client, incident: Incident) -> None:
    upload, other = make_upload(incident), make_incident()
    for reference, pk in ((other.reference, upload.pk), (incident.reference, uuid4())):
        assert client.get(reverse("upload-match", args=[reference, pk])).status_code == 404


def test_a_file_is_discarded_before_it_is_read(client: Client, incident: Incident) -> None:
    upload = make_upload(incident, by=make_user("responder"))
    where = reverse("upload-discard", args=[incident.reference, upload.pk])
    assert client.post(where, {"reason": ""}).status_code == 422
    assert client.post(where, {"reason": "The wrong list."}).status_code == 302
    assert Upload.objects.get().state == "gone"
