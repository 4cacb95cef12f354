"""Exports of personal data: two people, a passphrase that is shown once, a day, and a CSV that works nothing out."""

import csv
import io
import logging
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import pyzipper
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from breachdesk.accounts.models import PendingDecision, User
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import actions, ending
from breachdesk.people.exports import ALPHABET, defused, opened_file
from breachdesk.people.models import PeopleExport, Person
from breachdesk.vault.sealing import cipher_for
from tests.factories import make_incident, make_organisation, make_people, make_user, unguarded
from tests.people.test_canary import undressed

pytestmark = pytest.mark.django_db
State = PeopleExport.State
FIELDS = ["reference", "given_name", "family_name", "email", "country", "minor"]
REASON = "For Zyxlaw LLP, who write the letters."


@pytest.fixture(autouse=True)
def _no_files() -> Iterator[None]:
    """A test's rows go by themselves, its files do not."""
    yield
    for path in sealed_files():
        path.unlink()


@pytest.fixture
def incident() -> Incident:
    make_organisation()
    incident = make_incident()
    make_people(incident)
    return incident


@pytest.fixture
def asker(incident: Incident) -> User:
    return make_user("dpo")


def ask(incident: Incident, by: User, **said) -> PeopleExport:  # type: ignore[no-untyped-def]
    return actions.ask_export(incident, **{"which": "all", "fields": FIELDS, "reason": REASON, **said}, by=by)


def allowed(incident: Incident, by: User, **said) -> PeopleExport:  # type: ignore[no-untyped-def]
    return actions.approve_export(ask(incident, by, **said), by=make_user("approver"))


def zip_of(export: PeopleExport) -> bytes:
    with opened_file(export, cipher_for(export.incident_id)) as file:
        return file.readall() or b""


def rows_in(content: bytes, passphrase: str) -> list[dict[str, str]]:
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(passphrase.encode())
        return list(csv.DictReader(io.StringIO(archive.read("people.csv").decode("utf-8-sig"), newline="")))


def client_for(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def post(user: User, name: str, export: PeopleExport, **said: object):  # type: ignore[no-untyped-def]
    return client_for(user).post(reverse(name, args=[export.incident.reference, export.pk]), said)


def sealed_files() -> list[Path]:
    return sorted((settings.BREACHDESK.state_dir / "exports").glob("*"))


# Two people


def test_what_was_allowed_is_made_and_opens_with_its_passphrase(incident: Incident, asker: User) -> None:
    export, passphrase = actions.make_export(allowed(incident, asker), by=asker)
    content = zip_of(export)
    rows = rows_in(content, passphrase)
    assert len(rows) == export.people == 4
    amelia = next(row for row in rows if row["First name"] == "Amelia")
    assert (amelia["Email"], amelia["Country of residence"], amelia["Under 18"]) == (
        "amelia.okafor@example.com",
        "United Kingdom",
        "no",
    )
    assert (bytes(export.sha256 or b""), export.size) == (sha256(content).digest(), len(content))


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo"}))
def test_only_the_dpo_asks(incident: Incident, role: str) -> None:
    with pytest.raises(PermissionDenied):
        ask(incident, make_user(role))


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"dpo", "approver"}))
def test_only_dpo_and_approver_decide(incident: Incident, asker: User, role: str) -> None:
    export = ask(incident, asker)
    for refused in (
        lambda: actions.approve_export(export, by=make_user(role)),
        lambda: actions.refuse_export(export, reason="No.", by=make_user(role)),
    ):
        with pytest.raises(PermissionDenied):
            refused()


def test_whoever_asked_cannot_allow_it(incident: Incident) -> None:
    both = make_user("dpo", "approver")
    export = ask(incident, both)
    with pytest.raises(ValidationError, match="somebody else must decide"):
        actions.approve_export(export, by=both)
    assert PendingDecision.objects.open().get().excluded.get() == both


def test_the_database_refuses_one_person_for_both(incident: Incident, asker: User) -> None:
    export = allowed(incident, asker)
    with pytest.raises(IntegrityError, match="an_export_needs_two_people"), transaction.atomic(), unguarded():
        PeopleExport.objects.filter(pk=export.pk).update(decided_by=asker)
    with pytest.raises(IntegrityError, match="an_export_needs_two_people"), transaction.atomic(), unguarded():
        PeopleExport.objects.filter(pk=export.pk).update(decided_by=None)


def test_nothing_is_made_before_somebody_allows_it(incident: Incident, asker: User) -> None:
    export = ask(incident, asker)
    with pytest.raises(ValidationError, match="Waiting for a second person"):
        actions.make_export(export, by=asker)
    refused = actions.refuse_export(export, reason="Too much.", by=make_user("approver"))
    for done in (actions.make_export, actions.download_export):
        with pytest.raises(ValidationError, match="Refused"):
            done(refused, by=asker)
    assert sealed_files() == []


def test_only_whoever_asked_takes_it(incident: Incident, asker: User) -> None:
    export = allowed(incident, asker)
    other = make_user("dpo")
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.make_export(export, by=other)
    made, _ = actions.make_export(export, by=asker)
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.download_export(made, by=other)
    with pytest.raises(ValidationError, match="Only whoever asked"):
        actions.withdraw_export(made, by=other)


def test_every_step_leaves_its_event(incident: Incident, asker: User) -> None:
    made, _ = actions.make_export(allowed(incident, asker), by=asker)
    actions.download_export(made, by=asker)
    types = Event.objects.filter(type__startswith="people.export").order_by("pk").values_list("type", flat=True)
    assert list(types) == [
        "people.export_asked",
        "people.export_approved",
        "people.export_made",
        "people.exported",
    ]
    taken = Event.objects.get(type="people.exported").content
    made_event = Event.objects.get(type="people.export_made").content
    assert taken["object"]["sha256"] == made_event["object"]["sha256"] is not None
    assert (taken["data"]["people"], taken["data"]["bytes"]) == (4, made.size)


def test_the_decision_is_asked_for_and_settled(incident: Incident, asker: User) -> None:
    export = ask(incident, asker)
    decision = PendingDecision.objects.open().get()
    assert (decision.permission, decision.object_id) == ("people.approve_export", export.pk)
    actions.withdraw_export(export, by=asker)
    assert not PendingDecision.objects.open().exists()


# Whose data


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({"which": "all"}, {"Amelia", "Jürgen", "Chloé", "Noah"}),
        ({"which": "country", "country": "DE"}, {"Jürgen"}),
        ({"which": "without_email"}, {"Noah"}),
        ({"which": "held"}, {"Chloé"}),
        ({"which": "without_country"}, {"Amelia"}),
    ],
)
def test_the_file_holds_exactly_those_it_names(
    incident: Incident, asker: User, said: dict[str, str], who: set[str]
) -> None:
    (chloe,) = actions.find_people(incident, "HR-3", by=asker)
    actions.hold_person(chloe, reason="A dispute.", expected_version=1, by=asker)
    if said["which"] == "without_country":
        with unguarded():
            Person.objects.of(incident).with_any_index(
                [bytes(actions.find_people(incident, "HR-1", by=asker)[0].reference_index or b"")]
            ).update(country="")
    export, passphrase = actions.make_export(allowed(incident, asker, **said), by=asker)
    assert {row["First name"] for row in rows_in(zip_of(export), passphrase)} == who
    assert export.people == len(who)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"which": "everybody"}, "Choose whose data"),
        ({"which": "country"}, "Choose whose data"),
        ({"which": "country", "country": "PL"}, "Nobody on the list"),
        ({"fields": []}, "at least one column"),
        ({"fields": ["sealed"]}, "at least one column"),
        ({"reason": " "}, "what the file is for"),
    ],
)
def test_it_refuses_what_says_too_little(
    incident: Incident, asker: User, said: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ask(incident, asker, **said)
    assert not PeopleExport.objects.exists()


@pytest.mark.parametrize("cell", ["=1+1", "+44 20", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_work_out_is_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Amelia", "a=b", "1-2", "'quoted", "HR-1"])
def test_any_other_cell_is_left_as_it_is(cell: str) -> None:
    assert defused(cell) == cell


def test_a_hostile_name_arrives_as_text(incident: Incident, asker: User) -> None:
    rows = 'HR-9,"=HYPERLINK(""https://evil.example"",""A"")",Quote,q@example.net\n'
    make_people(incident, "customer_id,first_name,last_name,email\n" + rows)
    export, passphrase = actions.make_export(allowed(incident, asker), by=asker)
    names = [row["First name"] for row in rows_in(zip_of(export), passphrase)]
    assert sorted(name[:2] for name in names)[0] == "'="


# The passphrase


def test_the_passphrase_is_long_random_and_needed(incident: Incident, asker: User) -> None:
    export, first = actions.make_export(allowed(incident, asker), by=asker)
    assert (len(first), len(set(ALPHABET))) == (29, 31)
    assert set(first) <= {*ALPHABET, "-"}
    with pytest.raises(RuntimeError, match="Bad password"):
        rows_in(zip_of(export), first[:-1] + ("2" if first[-1] != "2" else "3"))
    assert b"amelia" not in zip_of(export).lower()


def test_another_making_has_another_passphrase_and_deletes_the_file_before(
    incident: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, first = actions.make_export(allowed(incident, asker), by=asker)
    with django_capture_on_commit_callbacks(execute=True):
        again, second = actions.make_export(export, by=asker)
    assert first != second
    assert [path.stem for path in sealed_files()] == [str(again.file_id)]
    with pytest.raises(RuntimeError, match="Bad password"):
        rows_in(zip_of(again), first)


def test_the_passphrase_stands_in_one_answer_and_nowhere_else(
    incident: Incident, asker: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    export = allowed(incident, asker)
    page = post(asker, "export-make", export, version=export.version)
    passphrase = page.content.decode().split("<bdi>")[1].split("</bdi>")[0]
    assert (len(passphrase), page["Cache-Control"]) == (29, "no-store")
    assert rows_in(zip_of(PeopleExport.objects.get()), passphrase)
    assert passphrase not in client_for(asker).get(page.wsgi_request.path.replace("make/", "")).content.decode()
    assert passphrase not in caplog.text
    assert not [1 for session in Session.objects.all() if passphrase in str(session.get_decoded())]
    everything = b"".join(path.read_bytes() for path in sealed_files())
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT convert_to(row_to_json(t)::text, 'UTF8') FROM \"{table}\" t")
            everything += b"".join(undressed(bytes(row[0])) for row in cursor.fetchall())
    for needle in (passphrase, "zyxlaw", "amelia"):
        assert needle.lower().encode() not in everything.lower(), needle


def test_asking_for_the_same_answer_again_is_refused(incident: Incident, asker: User) -> None:
    export = allowed(incident, asker)
    assert post(asker, "export-make", export, version=export.version).status_code == 200
    again = post(asker, "export-make", export, version=export.version)
    assert (again.status_code, b"A colleague changed this export" in again.content) == (409, True)


# Its day


def test_after_a_day_the_file_is_deleted(
    incident: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, _ = actions.make_export(allowed(incident, asker), by=asker)
    assert export.expires_at is not None
    assert export.decided_at is not None
    assert export.expires_at - export.decided_at == timedelta(hours=24)
    with django_capture_on_commit_callbacks(execute=True):
        assert ending.expire_exports(export.expires_at - timedelta(seconds=1)) == 0
        assert len(sealed_files()) == 1
        assert ending.expire_exports(export.expires_at) == 1
    assert sealed_files() == []
    export.refresh_from_db()
    assert export.state == State.EXPIRED
    assert Event.objects.filter(type="people.export_expired").count() == 1
    with pytest.raises(ValidationError, match="Over, its file is deleted"):
        actions.download_export(export, by=asker)


def test_a_day_is_over_even_before_beat_comes_by(incident: Incident, asker: User) -> None:
    export, _ = actions.make_export(allowed(incident, asker), by=asker)
    with unguarded():
        PeopleExport.objects.update(expires_at=timezone.now())
    for done in (actions.make_export, actions.download_export):
        with pytest.raises(ValidationError, match="day of this export is over"):
            done(export, by=asker)


def test_withdrawing_deletes_the_file(
    incident: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, _ = actions.make_export(allowed(incident, asker), by=asker)
    with django_capture_on_commit_callbacks(execute=True):
        actions.withdraw_export(export, by=asker)
    assert sealed_files() == []


def test_a_file_that_a_crash_left_is_deleted(incident: Incident, asker: User) -> None:
    export, _ = actions.make_export(allowed(incident, asker), by=asker)
    forgotten = sealed_files()[0].with_name("11111111-2222-4333-8444-555555555555.sealed.partial")
    forgotten.write_bytes(b"half a file")
    ending.expire_exports(timezone.now())
    assert forgotten in sealed_files(), "it may be in the making"
    ending.expire_exports(timezone.now() + timedelta(hours=2))
    assert [path.stem for path in sealed_files()] == [str(export.file_id)]


def test_a_making_that_fails_leaves_no_file(incident: Incident, asker: User) -> None:
    export = allowed(incident, asker)
    with unguarded():
        Person.objects.of(incident).update(sealed=b"broken")
    with pytest.raises(Exception, match="changed or moved"):
        actions.make_export(export, by=asker)
    assert sealed_files() == []


# The screens


def test_the_screens_from_asking_to_the_download(incident: Incident, asker: User) -> None:
    client, approver = client_for(asker), make_user("approver")
    form = {"which": "country", "country": "DE", "columns": FIELDS, "reason": REASON}
    asked = client.post(reverse("export-ask", args=[incident.reference]), form)
    export = PeopleExport.objects.get()
    assert asked.status_code == 302
    page = client_for(approver).get(asked["Location"]).content.decode()
    assert "May the data of 1 person leave?" in page
    assert REASON in page
    assert "Allow it for 24 hours" not in client.get(asked["Location"]).content.decode()
    assert post(approver, "export-allow", export, version=1).status_code == 302
    assert post(asker, "export-make", export, version=2).status_code == 200
    taken = post(asker, "export-download", export)
    content = b"".join(taken.streaming_content)
    assert sha256(content).digest() == bytes(PeopleExport.objects.get().sha256 or b"")
    assert (taken["Content-Type"], taken["Cache-Control"]) == ("application/zip", "no-store")
    assert f"{incident.reference}-people.zip" in taken["Content-Disposition"]
    assert "Only those in one country" in client.get(reverse("exports", args=[incident.reference])).content.decode()


def test_refusing_says_why(incident: Incident, asker: User) -> None:
    export, approver = ask(incident, asker), make_user("approver")
    assert post(approver, "export-refuse", export, version=1, reason="").status_code == 422
    assert post(approver, "export-refuse", export, version=1, reason="Too much zyxdata.").status_code == 302
    assert PeopleExport.objects.get().state == State.REFUSED
    assert b"zyxdata" not in bytes(Event.objects.get(type="people.export_refused").body)


@pytest.mark.parametrize("name", ["export-allow", "export-make", "export-download", "export-withdraw"])
def test_the_auditor_only_reads(incident: Incident, asker: User, name: str) -> None:
    export = ask(incident, asker)
    auditor = make_user("auditor")
    assert client_for(auditor).get(reverse("export", args=[incident.reference, export.pk])).status_code == 200
    assert post(auditor, name, export, version=1).status_code == 403


def test_one_country_must_be_named(incident: Incident, asker: User) -> None:
    form = {"which": "country", "columns": FIELDS, "reason": REASON}
    page = client_for(asker).post(reverse("export-ask", args=[incident.reference]), form)
    assert (page.status_code, "Choose the country." in page.content.decode()) == (422, True)


def test_memory_does_not_grow_with_the_people(incident: Incident, asker: User) -> None:
    rows = "".join(f"BIG-{number},Person,Number{number},p{number}@example.net\n" for number in range(12_000))
    make_people(incident, "customer_id,first_name,last_name,email\n" + rows)
    export = allowed(incident, asker)
    tracemalloc.start()
    try:
        actions.make_export(export, by=asker)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000
