"""Where the guards end: bulk loads, what may change alone, who can go round them, and what an event names."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.events import UnknownEventError
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.incidents.actions import Facts, change_facts
from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.models import Person, Upload
from breachdesk.people.working import work_on_upload
from breachdesk.vault import ORGANISATION
from breachdesk.vault.models import DataKey
from tests.factories import make_incident, make_people, make_upload, make_user, match_upload, take_in, unguarded
from tests.guard_table import triggers_of

in_its_own_transactions = pytest.mark.django_db(transaction=True)

COPY = """
    COPY people_person (id, incident_id, upload_id, row_number, row_checksum, sealed, identity_index, country, state,
    language, kinds, minor, vulnerable, deceased, has_email, has_post, held, withdrawn, version) FROM STDIN"""


@contextmanager
def refused(sentence: str) -> Iterator[None]:
    """A transaction whose COMMIT the database refuses."""
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        yield


def copy_people(upload: Upload, number: int) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for _ in range(number):
            person = uuid4()
            plain = ("", "", "", [], *[False] * 7, 1)
            copy.write_row((person, upload.incident_id, upload.pk, 2, b"", b"", person.bytes, *plain))


def touched() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_touched")
        return int(cursor.fetchall()[0][0])


# Bulk


@in_its_own_transactions
@pytest.mark.parametrize("number", [1, 100, 101, 5_000])
def test_a_copy_of_people_without_an_event_is_refused(number: int) -> None:
    upload = make_upload(make_incident())
    with refused(f"Rows of people_person .* names people_person/{upload.pk}"):
        copy_people(upload, number)
    assert not Person.objects.exists()


@in_its_own_transactions
def test_a_copy_with_the_event_of_another_list_is_refused() -> None:
    incident = make_incident()
    first, second = make_upload(incident), make_upload(incident, "email\nnora@example.com\n")
    with refused(str(second.pk)):
        record("heartbeat", by=None, log_size=0, batches=[("people_person", first.pk)])
        copy_people(first, 200)
        copy_people(second, 200)
    assert not Person.objects.exists()


@in_its_own_transactions
def test_a_list_is_loaded_under_one_event_and_nothing_is_left_over() -> None:
    upload = make_people(make_incident())
    read, names = (Event.objects.of_type(f"upload.{name}").get().names for name in ("checked", "loaded"))
    batches = [f"{table}/{upload.pk}" for table in ("people_person", "people_personmatch", "people_rejectedrow")]
    assert read[1:] == batches
    stated = upload.incident.counts.get()
    assert names == [f"people.upload/{upload.pk}/{upload.version}", f"people.countentry/{stated.pk}/1", *batches]
    assert touched() == 0


@in_its_own_transactions
def test_many_people_changed_at_once_need_the_event_of_every_list_they_are_in() -> None:
    incident = make_incident()
    first, second = make_upload(incident), make_upload(incident, "email\nnora@example.com\n")
    with transaction.atomic():
        record("heartbeat", by=None, log_size=0, batches=[("people_person", first.pk), ("people_person", second.pk)])
        copy_people(first, 150)
        copy_people(second, 150)
    for named, passes in (([first], False), ([second], False), ([first, second], True)):
        try:
            with transaction.atomic():
                Person.objects.update(held=True, version=2)
                record("heartbeat", by=None, log_size=0, batches=[("people_person", upload.pk) for upload in named])
        except IntegrityError:
            assert not passes
        assert Person.objects.filter(held=True).exists() == passes


@in_its_own_transactions
def test_people_who_move_to_another_list_need_the_event_of_the_old_one_too() -> None:
    incident = make_incident()
    first, second = make_upload(incident), make_upload(incident, "email\nnora@example.com\n")
    with transaction.atomic():
        record("heartbeat", by=None, log_size=0, batches=[("people_person", first.pk)])
        copy_people(first, 150)
    with refused(f"people_person/{first.pk}"):
        record("heartbeat", by=None, log_size=0, batches=[("people_person", second.pk)])
        Person.objects.update(upload=second, version=2)


@in_its_own_transactions
def test_a_person_on_hold_is_named_with_the_hold_alone() -> None:
    incident = make_incident()
    make_people(incident)
    person = Person.objects.all()[0]
    actions.hold_person(person, reason="A court order", expected_version=1, by=make_user("dpo"))
    named = [f"people.hold/{person.holds.get().pk}/1", f"people.person/{person.pk}/2"]
    assert sorted(Event.objects.of_type("person.held").get().names) == named
    with refused("with its version not grown"):
        Person.objects.filter(pk=person.pk).update(held=False)
        record("heartbeat", by=None, log_size=0, also=[Person.objects.get(pk=person.pk)])


# What may change alone


@in_its_own_transactions
def test_signing_in_writes_what_is_not_guarded() -> None:
    user = make_user("author")
    User.objects.filter(pk=user.pk).update(last_login=timezone.now(), password="hashed better")
    with pytest.raises(IntegrityError, match="accounts_user was changed"):
        User.objects.filter(pk=user.pk).update(email="mallory@example.com")


@in_its_own_transactions
def test_a_reading_may_be_told_but_not_a_result() -> None:
    upload = make_upload(make_incident())
    row = Upload.objects.filter(pk=upload.pk)
    match_upload(upload)
    row.update(state="reading", started_at=timezone.now(), starts=1)
    row.update(state="queued", started_at=None)
    for change in ({"sha256": bytes(32)}, {"state": "loaded"}, {"state": "failed"}, {"version": 3}):
        with pytest.raises(IntegrityError, match="people_upload"):
            row.update(**change)
    loaded = take_in(work_on_upload(upload.pk))
    for change in ({"rows_valid": 4_000}, {"state": "queued"}):
        with pytest.raises(IntegrityError, match="people_upload"):
            Upload.objects.filter(pk=loaded.pk).update(**change)


@in_its_own_transactions
def test_a_change_that_changes_nothing_needs_no_event() -> None:
    incident = make_incident()
    make_people(incident)
    Incident.objects.update(title=incident.title)
    Person.objects.update(held=False)


# Several at once


@in_its_own_transactions
def test_two_steps_of_one_row_need_an_event_each() -> None:
    incident, dpo = make_incident(), make_user("dpo")
    facts = Facts(what_happened="Two parcels", kinds=["name"])
    with refused("at version 3"):
        change_facts(incident, facts, expected_version=1, by=dpo)
        Incident.objects.update(title="Quietly", version=3)
    with transaction.atomic():
        change_facts(incident, facts, expected_version=1, by=dpo)
        change_facts(incident, Facts(what_happened="Three parcels", kinds=["name"]), expected_version=2, by=dpo)
    assert Incident.objects.get().version == 3


@in_its_own_transactions
def test_an_action_that_refuses_inside_a_larger_transaction_leaves_no_debt() -> None:
    incident, dpo = make_incident(), make_user("dpo")
    with transaction.atomic():
        with pytest.raises(ValidationError):
            change_facts(incident, Facts(what_happened="x"), expected_version=9, by=dpo)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Incident.objects.update(
                title="Undone at once", version=1 + 1 // 0 if Incident.objects.update(title="x") else 0
            )
        record("heartbeat", by=None, log_size=0)
    assert Incident.objects.get().title == incident.title


@in_its_own_transactions
def test_a_transaction_of_hundreds_of_rows_and_events_is_checked_quickly() -> None:
    number = 400
    with transaction.atomic():
        users = [User.objects.create_user(f"u{n}@example.com", None, name=f"U {n}") for n in range(number)]
        for user in users:
            record("user.invited", by=None, on=user, roles=[])
        started = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.monotonic() - started
    assert User.objects.count() == number
    assert seconds < 20, "grows much faster than rows times events"


# Who can go round it


@in_its_own_transactions
def test_a_superuser_who_says_so_goes_round_the_guards() -> None:
    """Stated in the migration, and why the trail is proved by its own means, not by its database."""
    incident = make_incident()
    with unguarded():
        Incident.objects.filter(pk=incident.pk).update(title="Nothing happened")
    assert Incident.objects.get().title == "Nothing happened"


@in_its_own_transactions
@pytest.mark.parametrize("table", ["incidents_incident", "people_person", "accounts_user_groups"])
def test_a_guarded_table_is_not_emptied_at_once(table: str) -> None:
    with pytest.raises(DatabaseError, match="TRUNCATE is refused"), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sabotage",
    [
        "DROP TRIGGER audit_guard_changes ON incidents_incident",
        "ALTER TABLE incidents_incident DISABLE TRIGGER audit_guard_changes",
        "ALTER TABLE incidents_incident ENABLE REPLICA TRIGGER audit_guard_changes",
    ],
)
def test_a_guard_that_is_gone_or_silent_is_seen(sabotage: str) -> None:
    assert "audit_guard_changes" in triggers_of("incidents_incident")
    with connection.cursor() as cursor:
        cursor.execute(sabotage)
    assert "audit_guard_changes" not in triggers_of("incidents_incident")


# What an event names


@pytest.mark.django_db
def test_an_event_names_its_object_others_and_batches() -> None:
    incident, user = make_incident(), make_user()
    batch = UUID(int=7)
    event = record("heartbeat", by=None, log_size=0, on=incident, also=[user], batches=[("people_person", batch)])
    assert event.content["data"] == {
        "also": [f"accounts.user/{user.pk}/1"],
        "batches": [f"people_person/{batch}"],
        "log_size": 0,
    }
    event.refresh_from_db()
    names = [f"incidents.incident/{incident.pk}/1", f"accounts.user/{user.pk}/1", f"people_person/{batch}"]
    assert event.names == names


@pytest.mark.django_db
def test_names_are_no_place_for_typed_text() -> None:
    with pytest.raises(UnknownEventError, match="typed text"):
        record("heartbeat", by=None, log_size=0, batches=[("people_person", "Anna Lindgren")])


@pytest.mark.django_db
def test_nobody_writes_the_names_or_the_transaction_by_hand() -> None:
    columns = "event_id, type, incident, body, body_sha256, xact, at"
    given = "gen_random_uuid(), 'x', NULL, %s, sha256(''), '9000000000', now()"
    bodies = b"{}", b"[]", b"not JSON", b"\xff\xfe", b'{"object": 7, "data": {"also": "a/1/1"}}', b'{"data": []}'
    with connection.cursor() as cursor:
        with pytest.raises(DatabaseError, match="names"), transaction.atomic():
            cursor.execute(f"INSERT INTO audit_event ({columns}, names) VALUES ({given}, '{{a/1/1}}')", [b"{}"])
        for body in bodies:
            cursor.execute(f"INSERT INTO audit_event ({columns}) VALUES ({given})", [body])
        cursor.execute("SELECT count(*) FROM audit_event WHERE type = 'x' AND xact = pg_current_xact_id()")
        assert cursor.fetchall() == [(6,)]
    assert {tuple(event.names) for event in Event.objects.of_type("x")} == {()}


@pytest.mark.django_db
def test_the_organisations_own_key_leaves_its_event_at_first_use() -> None:
    assert not DataKey.objects.exists()
    for _ in range(2):
        record("user.removed", by=None, private={"reason": "left us"})
    assert [event.type for event in Event.objects.oldest_first()] == ["key.created", "user.removed", "user.removed"]
    assert Event.objects.of_type("key.created").get().names == [f"vault.datakey/{ORGANISATION}/1"]
