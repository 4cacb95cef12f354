import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import actions, working
from breachdesk.people.models import CountEntry, Person, Reading, RejectedRow, Upload
from breachdesk.people.personal import email_index_of_typed, personal_of
from breachdesk.people.uploads import seal_chunks, sealed_path
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for
from tests.factories import LIST, check_upload, make_incident, make_people, make_upload, match_upload, take_in

pytestmark = pytest.mark.django_db


def counts_of(upload: Upload) -> tuple[int, int, int, int]:
    return upload.rows_read, upload.rows_valid, upload.rows_repeated, upload.rows_rejected


def people_of(incident: Incident) -> dict[str, Person]:
    cipher = cipher_for(incident.pk)
    return {personal_of(cipher, person)["given_name"]: person for person in Person.objects.of(incident)}


def test_it_adds_each_person_once_and_accounts_for_every_row() -> None:
    incident = make_incident()
    upload = make_people(incident)
    assert upload.state == Upload.State.LOADED
    assert counts_of(upload) == (6, 4, 1, 1)
    assert sorted(people_of(incident)) == ["Amelia", "Chloé", "Jürgen", "Noah"]


def test_it_seals_who_it_is_and_keeps_what_routing_needs() -> None:
    incident = make_incident()
    make_people(incident)
    person = people_of(incident)["Jürgen"]
    assert (person.country, person.language, person.kinds) == ("DE", "de", ["name", "email", "phone"])
    assert (person.has_email, person.minor, person.held) == (True, False, False)
    assert personal_of(cipher_for(incident.pk), person) == {
        "reference": "HR-2",
        "given_name": "Jürgen",
        "family_name": "Müller",
        "email": "j.mueller@example.org",
        "street": "Gartenstraße 2",
        "city": "Köln",
        "born_on": "1970-01-02",
    }


def test_it_marks_minors_and_people_without_an_address() -> None:
    incident = make_incident()
    make_people(incident)
    people = people_of(incident)
    assert (people["Chloé"].minor, people["Noah"].has_email) == (True, False)


def test_an_address_is_found_again_however_it_is_typed() -> None:
    incident = make_incident()
    make_people(incident)
    index = email_index_of_typed(cipher_for(incident.pk), " AMELIA.okafor@Example.com ")
    assert bytes(people_of(incident)["Amelia"].email_index or b"") == index


def test_rejected_rows_are_kept_sealed_with_their_reason() -> None:
    incident = make_incident()
    upload = make_people(incident)
    row = RejectedRow.objects.get(upload=upload)
    original = cipher_for(incident.pk).unseal(
        bytes(row.sealed), table="people_rejectedrow", column="sealed", row=row.pk
    )
    assert (row.row_number, row.reason, row.column) == (7, "address", "Email")
    assert json.loads(original)[3] == "nobody at example.com"


def test_it_leaves_its_event_and_a_count() -> None:
    incident = make_incident()
    upload = make_people(incident)
    event = Event.objects.get(type="upload.loaded")
    data = json.loads(bytes(event.body))["data"]
    assert (data["people"], data["rows"], data["rejected"], data["duplicates"]) == (4, 6, 1, 1)
    entry = CountEntry.objects.get(incident=incident)
    assert (entry.low, entry.high, entry.upload) == (4, 4, upload)


def test_running_it_again_adds_nothing() -> None:
    incident = make_incident()
    upload = make_people(incident)
    again = work_on_upload(upload.pk)
    assert counts_of(again) == (6, 4, 1, 1)
    assert Person.objects.of(incident).count() == 4
    assert Event.objects.filter(type="upload.loaded").count() == 1


def test_a_second_file_adds_only_who_is_new() -> None:
    incident = make_incident()
    make_people(incident)
    second = make_people(incident, LIST + "HR-6,Priya,Patel,priya@example.com,,,GB,en,,\n")
    assert counts_of(second) == (7, 1, 5, 1)
    assert Person.objects.of(incident).count() == 5


def test_two_people_behind_one_address_stay_two() -> None:
    incident = make_incident()
    make_people(incident, "name,email\nAna Ng,home@example.com\nBo Ng,home@example.com\n")
    assert Person.objects.of(incident).count() == 2


def test_the_same_person_in_two_incidents_looks_different() -> None:
    first, second = make_incident(), make_incident()
    make_people(first)
    make_people(second)
    assert people_of(first)["Amelia"].email_index != people_of(second)["Amelia"].email_index


def test_a_sealed_file_that_was_changed_adds_nobody() -> None:
    incident = make_incident()
    upload = match_upload(make_upload(incident, LIST))
    path = sealed_path(upload.pk)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    upload = work_on_upload(upload.pk)
    assert upload.state == Upload.State.FAILED
    assert "changed on the disk" in upload.failure
    assert not Person.objects.of(incident).exists()
    assert Event.objects.filter(type="upload.failed").count() == 1


def test_a_row_that_is_no_text_is_rejected_and_the_others_are_read() -> None:
    incident = make_incident()
    rows = "".join(f"Ana {n},ana{n}@example.com\n" for n in range(40_000))
    content = b"name,email\n" + rows.encode() + "Åsa,asa@example.com".encode("cp1252")
    sealed = seal_chunks(incident.pk, "late.csv", [content])
    upload = check_upload(actions.receive_upload(incident, sealed, by=incident.opened_by))
    assert (upload.state, counts_of(upload)) == (Upload.State.CHECKED, (40_001, 40_000, 0, 1))
    assert upload.rejected.get().reason == "encoding"
    assert not Person.objects.of(incident).exists(), "nobody has decided yet"


def test_the_sealed_file_is_deleted_once_it_is_read(django_capture_on_commit_callbacks) -> None:  # type: ignore[no-untyped-def]
    upload = check_upload(make_upload(make_incident()))
    assert sealed_path(upload.pk).exists()
    with django_capture_on_commit_callbacks(execute=True):
        take_in(upload)
    assert not sealed_path(upload.pk).exists()


def test_a_file_that_another_worker_reads_is_left_alone() -> None:
    upload = match_upload(make_upload(make_incident()))
    working._begin_reading(upload)
    again = work_on_upload(upload.pk)
    assert (again.state, again.rows_valid) == (Upload.State.READING, 0)


def test_a_file_whose_worker_died_starts_again() -> None:
    incident = make_incident()
    upload = match_upload(make_upload(incident))
    working._begin_reading(upload)
    lapse(upload)
    assert upload in Upload.objects.stalled_at(timezone.now() + timedelta(seconds=30))
    again = take_in(work_on_upload(upload.pk))
    assert (again.state, again.starts) == (Upload.State.LOADED, 2)
    assert Person.objects.of(incident).count() == 4


def test_a_worker_that_was_thought_dead_keeps_nothing() -> None:
    incident = make_incident()
    upload = match_upload(make_upload(incident))
    late = working._begin_reading(upload)
    assert late is not None
    lapse(upload)
    assert working._begin_reading(upload) is not None
    with pytest.raises(working.TakenOver):
        working._load(late)
    assert not Person.objects.of(incident).exists()


def test_a_file_that_broke_off_three_times_is_given_up() -> None:
    upload = match_upload(make_upload(make_incident()))
    Upload.objects.filter(pk=upload.pk).update(starts=3)
    again = work_on_upload(upload.pk)
    assert again.state == Upload.State.FAILED
    assert "broke off 3 times" in again.failure


def lapse(upload: Upload) -> None:
    Reading.objects.filter(upload=upload).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_the_database_refuses_counts_that_do_not_add_up() -> None:
    upload = make_people(make_incident())
    with pytest.raises(DatabaseError, match="every_row_is_accounted_for"), transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(rows_read=7)


def test_the_database_refuses_the_same_person_twice() -> None:
    incident = make_incident()
    make_people(incident)
    person = Person.objects.of(incident)[0]
    person.pk = uuid4()
    with pytest.raises(DatabaseError, match="one_row_per_person"), transaction.atomic():
        person.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_one_file_of_an_incident_is_read_at_a_time() -> None:
    incident = make_incident()
    upload = match_upload(make_upload(incident))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"people of {incident.pk}"])
        busy = work_on_upload(upload.pk)
        assert (busy.state, busy.starts) == (Upload.State.QUEUED, 0)
    finally:
        other.close()
    assert work_on_upload(upload.pk).rows_valid == 4


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_while_nothing_is_added_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, versions = [], set()
    monkeypatch.setattr("breachdesk.people.loading.TELL_EVERY", 0)
    original = working.Progress.tell

    def tell_and_look(self, counts, bytes_read) -> None:  # type: ignore[no-untyped-def]
        original(self, counts, bytes_read)
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT rows, state, (SELECT count(*) FROM people_person) FROM people_reading, people_upload"
            )
            seen.append(cursor.fetchone())
            cursor.execute("SELECT ctid::text FROM people_upload")
            versions.add(cursor.fetchone())

    monkeypatch.setattr(working.Progress, "tell", tell_and_look)
    monkeypatch.setattr("breachdesk.people.working.BATCH", 500)
    rows = "".join(f"Ana {n},ana{n}@example.com\n" for n in range(1_200))
    make_people(make_incident(), "name,email\n" + rows)
    assert seen == [(500, "reading", 0), (1_000, "reading", 0), (1_200, "reading", 0)]
    assert len(versions) == 1, "each person's foreign key looks at the file's row, so it must not change meanwhile"
    assert not Reading.objects.exists()
