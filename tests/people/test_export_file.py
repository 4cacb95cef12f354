"""The file of an export: whose data it holds, the passphrase that is shown once, its day, its cells, its memory."""

import logging
import tracemalloc
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.desk.backup import make_backup
from breachdesk.incidents.models import Incident
from breachdesk.people import actions, ending
from breachdesk.people.exports import ALPHABET, defused
from breachdesk.people.models import PeopleExport, Person
from tests.factories import make_people, unguarded
from tests.people.exporting import allowed, ask, client_for, post, rows_in, sealed_files, zip_of
from tests.people.test_canary import undressed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_export_files")]
State = PeopleExport.State


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
    listed: Incident, asker: User, said: dict[str, str], who: set[str]
) -> None:
    (chloe,) = actions.find_people(listed, "HR-3", by=asker)
    actions.hold_person(chloe, reason="A dispute.", expected_version=1, by=asker)
    if said["which"] == "without_country":
        with unguarded():
            Person.objects.of(listed).with_any_index(
                [bytes(actions.find_people(listed, "HR-1", by=asker)[0].reference_index or b"")]
            ).update(country="")
    export, passphrase = actions.make_export(allowed(listed, asker, **said), by=asker)
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
def test_it_refuses_what_says_too_little(listed: Incident, asker: User, said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ask(listed, asker, **said)
    assert not PeopleExport.objects.exists()


@pytest.mark.parametrize("cell", ["=1+1", "+44 20", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "\n=1"])
def test_a_cell_that_a_spreadsheet_would_work_out_is_defused(cell: str) -> None:
    assert defused(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Amelia", "a=b", "1-2", "'quoted", "HR-1"])
def test_any_other_cell_is_left_as_it_is(cell: str) -> None:
    assert defused(cell) == cell


def test_a_hostile_name_arrives_as_text(listed: Incident, asker: User) -> None:
    rows = 'HR-9,"=HYPERLINK(""https://evil.example"",""A"")",Quote,q@example.net\n'
    make_people(listed, "customer_id,first_name,last_name,email\n" + rows)
    export, passphrase = actions.make_export(allowed(listed, asker), by=asker)
    names = [row["First name"] for row in rows_in(zip_of(export), passphrase)]
    assert sorted(name[:2] for name in names)[0] == "'="


# The passphrase


def test_the_passphrase_is_long_random_and_needed(listed: Incident, asker: User) -> None:
    export, first = actions.make_export(allowed(listed, asker), by=asker)
    assert (len(first), len(set(ALPHABET))) == (29, 31)
    assert set(first) <= {*ALPHABET, "-"}
    with pytest.raises(RuntimeError, match="Bad password"):
        rows_in(zip_of(export), first[:-1] + ("2" if first[-1] != "2" else "3"))
    assert b"amelia" not in zip_of(export).lower()


def test_another_making_has_another_passphrase_and_deletes_the_file_before(
    listed: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, first = actions.make_export(allowed(listed, asker), by=asker)
    with django_capture_on_commit_callbacks(execute=True):
        again, second = actions.make_export(export, by=asker)
    assert first != second
    assert [path.stem for path in sealed_files()] == [str(again.file_id)]
    with pytest.raises(RuntimeError, match="Bad password"):
        rows_in(zip_of(again), first)


def test_the_passphrase_stands_in_one_answer_and_nowhere_else(
    listed: Incident, asker: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    export = allowed(listed, asker)
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


def test_asking_for_the_same_answer_again_is_refused(listed: Incident, asker: User) -> None:
    export = allowed(listed, asker)
    assert post(asker, "export-make", export, version=export.version).status_code == 200
    again = post(asker, "export-make", export, version=export.version)
    assert (again.status_code, b"A colleague changed this export" in again.content) == (409, True)


# Its day


def test_after_a_day_the_file_is_deleted(
    listed: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, _ = actions.make_export(allowed(listed, asker), by=asker)
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


def test_a_day_is_over_even_before_beat_comes_by(listed: Incident, asker: User) -> None:
    export, _ = actions.make_export(allowed(listed, asker), by=asker)
    with unguarded():
        PeopleExport.objects.update(expires_at=timezone.now())
    for done in (actions.make_export, actions.download_export):
        with pytest.raises(ValidationError, match="day of this export is over"):
            done(export, by=asker)


def test_withdrawing_deletes_the_file(
    listed: Incident, asker: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    export, _ = actions.make_export(allowed(listed, asker), by=asker)
    with django_capture_on_commit_callbacks(execute=True):
        actions.withdraw_export(export, by=asker)
    assert sealed_files() == []


def test_a_file_that_a_crash_left_is_deleted(listed: Incident, asker: User) -> None:
    export, _ = actions.make_export(allowed(listed, asker), by=asker)
    forgotten = sealed_files()[0].with_name("11111111-2222-4333-8444-555555555555.sealed.partial")
    forgotten.write_bytes(b"half a file")
    ending.expire_exports(timezone.now())
    assert forgotten in sealed_files(), "it may be in the making"
    ending.expire_exports(timezone.now() + timedelta(hours=2))
    assert [path.stem for path in sealed_files()] == [str(export.file_id)]


def test_a_making_that_fails_leaves_no_file(listed: Incident, asker: User) -> None:
    export = allowed(listed, asker)
    with unguarded():
        Person.objects.of(listed).update(sealed=b"broken")
    with pytest.raises(Exception, match="changed or moved"):
        actions.make_export(export, by=asker)
    assert sealed_files() == []


def test_memory_does_not_grow_with_the_people(listed: Incident, asker: User) -> None:
    rows = "".join(f"BIG-{number},Person,Number{number},p{number}@example.net\n" for number in range(12_000))
    make_people(listed, "customer_id,first_name,last_name,email\n" + rows)
    export = allowed(listed, asker)
    tracemalloc.start()
    try:
        actions.make_export(export, by=asker)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000


def test_a_backup_takes_no_export_along(listed: Incident, asker: User, tmp_path: Path) -> None:
    actions.make_export(allowed(listed, asker), by=asker)
    manifest = make_backup(tmp_path / "backup", None, timezone.now())
    assert sealed_files()
    assert [name for name in manifest.files if "export" in name] == []
