"""Rejected rows are downloaded as they came, corrected and handed in again; whoever they add is new."""

import csv
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.audit.models import Event
from breachdesk.people.actions import download_rejected
from breachdesk.people.known_plans import known_plan
from breachdesk.people.models import Person, Upload
from breachdesk.people.reading.corrections import BOOKKEEPING, defused, is_correction, restored
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.reasons import REASONS
from breachdesk.people.reading.source import Source
from breachdesk.people.reading.tables import inspect
from breachdesk.people.working import work_on_upload
from tests.factories import make_incident, make_people, make_upload, make_user, match_upload
from tests.people.rows import EXAMPLES_PASS, clean, read

LIST = """Nr;Name;E-Mail;Land;Notiz
1;Ana Ng;ana@example.com;GB;x
2;=HYPERLINK("http://evil.test");nobody;GB;'tis; too many
3;Bo Ng;bo at example.com;GB;+49
4;'Cy;cy@example.com;Atlantis;-1
"""


def downloaded(upload: Upload, by=None) -> list[list[str]]:
    content = b"".join(download_rejected(upload, by=by or make_user("responder")))
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.django_db
def test_rows_come_as_they_were_with_what_is_wrong_in_front() -> None:
    upload = make_people(make_incident(), LIST)
    heading, *rows = downloaded(upload)
    assert heading == [*BOOKKEEPING, "Nr", "Name", "E-Mail", "Land", "Notiz"]
    reason = REASONS["address"]
    assert rows[1] == ["4", "Email", reason.label, reason.advice, "3", "Bo Ng", "bo at example.com", "GB", "'+49"]
    assert rows[0][0] == "3"
    assert rows[0][4:] == ["2", '\'=HYPERLINK("http://evil.test")', "nobody", "GB", "''tis", " too many"]
    assert rows[2][:2] == ["5", "Country of residence"]
    assert rows[2][4:] == ["4", "''Cy", "cy@example.com", "Atlantis", "'-1"]


@pytest.mark.django_db
def test_no_field_of_it_begins_a_formula() -> None:
    for row in downloaded(make_people(make_incident(), LIST)):
        assert not [field for field in row if field[:1] in set("=+-@\t\r")]


@pytest.mark.django_db
def test_the_corrected_file_finds_its_plan_and_adds_who_is_new() -> None:
    incident = make_incident()
    upload = make_people(incident, LIST)
    rows = downloaded(upload)
    rows[2][6] = "bo@example.com"
    rows[3][7] = "IE"
    text = io.StringIO(newline="")
    csv.writer(text).writerows([rows[0], *rows[2:]])
    again = make_upload(incident, text.getvalue(), name="corrected.csv")
    known = known_plan(again, inspect(io.BytesIO(text.getvalue().encode())))
    assert known.name == "customers.csv"
    assert [column.becomes for column in known.plan.columns][:4] == ["", "", "", ""]
    loaded = make_people(incident, text.getvalue().replace("IE", "Ireland"))
    assert (loaded.rows_valid, loaded.rows_rejected) == (2, 0)
    assert Person.objects.of(incident).count() == 3


@pytest.mark.django_db
def test_a_correction_with_faults_of_its_own_has_our_columns_once() -> None:
    incident = make_incident()
    rows = downloaded(make_people(incident, LIST))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([rows[0], rows[3]])
    upload = make_upload(incident, text.getvalue(), name="corrected.csv")
    plan = known_plan(upload, inspect(io.BytesIO(text.getvalue().encode()))).plan
    upload = work_on_upload(match_upload(upload, plan=plan).pk)
    heading, row = downloaded(upload)
    assert heading == [*BOOKKEEPING, "Nr", "Name", "E-Mail", "Land", "Notiz"]
    assert row[4:] == ["4", "''Cy", "cy@example.com", "Atlantis", "'-1"]


def test_a_corrected_row_is_read_as_it_was_before_the_apostrophes() -> None:
    known = [Column("Name", "full_name"), Column("Mail", "email"), Column("Tel", "phone")]
    ours = Plan(Source(), (*map(Column, BOOKKEEPING), *known))
    (row,) = read(["2", "", "", "", "''Cy", "cy@example.com", "'+44 1632 960123"], plan=ours, context=EXAMPLES_PASS)
    assert row.personal == {"full_name": "'Cy", "email": "cy@example.com", "phone": "+44 1632 960123"}
    assert clean(full_name="''Cy").personal["full_name"] == "''Cy", "in any other file an apostrophe stays"


@pytest.mark.django_db
def test_each_download_leaves_its_event() -> None:
    upload, user = make_people(make_incident(), LIST), make_user("responder")
    downloaded(upload, by=user)
    event = Event.objects.get(type="rejected.downloaded")
    assert (event.content["data"]["rows"], event.content["object"]["id"]) == (3, str(upload.pk))


@pytest.mark.django_db
def test_it_refuses_the_wrong_role_and_a_file_without_rejected_rows() -> None:
    upload = make_people(make_incident(), LIST)
    with pytest.raises(PermissionDenied):
        download_rejected(upload, by=make_user("auditor"))
    fine = make_people(make_incident(), "Name;E-Mail\nAna;ana@example.com\n")
    with pytest.raises(ValidationError, match="nothing to download"):
        download_rejected(fine, by=make_user("responder"))


@pytest.mark.django_db
def test_it_comes_from_the_page_as_a_stream_that_nobody_keeps(client) -> None:
    upload = make_people(make_incident(), LIST)
    client.force_login(make_user("responder"))
    address = reverse("rejected-download", args=[upload.incident.reference, upload.pk])
    assert client.get(address).status_code == 405
    response = client.post(address)
    assert response.streaming
    assert (response["Content-Type"], response["Cache-Control"]) == ("text/csv; charset=utf-8", "no-store")
    assert f'filename="{upload.incident.reference}-rejected-rows.csv"' in response["Content-Disposition"]
    assert b"bo at example.com" in b"".join(response.streaming_content)
    client.force_login(make_user("auditor"))
    assert client.post(address).status_code == 403


@pytest.mark.django_db
def test_more_rows_than_are_read_at_once_come_all_and_in_order() -> None:
    lines = "\n".join(f"{number};;a{number}@example.com;GB;x" for number in range(1_200))
    rows = downloaded(make_people(make_incident(), f"Nr;Name;E-Mail;Land;Notiz\n0;Bo;bo@example.com;GB;\n{lines}\n"))
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(3, 1_203)]


@given(st.text(max_size=12) | st.text(alphabet="'=+-@ \t＝a", max_size=6))
def test_what_is_defused_is_restored_and_harmless(text) -> None:
    assert restored(defused(text)) == text
    assert defused(text).lstrip(" ")[:1] not in set("=+-@\t\r")


def test_a_file_is_a_correction_only_with_all_our_columns() -> None:
    assert is_correction([*BOOKKEEPING, "Name"])
    assert not is_correction([*BOOKKEEPING[:3], "Name"])
