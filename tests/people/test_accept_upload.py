"""From a file to a decision: columns matched, read in its turn, accepted by somebody who explains what looks wrong."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.people import tasks, working
from breachdesk.people.actions import accept_upload, discard_upload, match_columns
from breachdesk.people.models import Person, Upload
from breachdesk.people.reading.guessing import guess_for
from breachdesk.people.reading.plan import Column, Plan, plan_of
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for
from tests.factories import check_upload, make_incident, make_people, make_upload, make_user, match_upload, take_in

pytestmark = pytest.mark.django_db
OTHERS = sorted(set(ROLES) - {"responder"})
SECOND = "name,email\nBo Lind,bo@home.test\n"


def data_of(name: str) -> dict[str, Any]:
    return dict(json.loads(bytes(Event.objects.of_type(name).get().body))["data"])


def guessed(upload: Upload) -> Plan:
    return guess_for(upload, cipher_for(upload.incident_id))


# Matching


def test_the_confirmed_plan_is_kept_sealed_and_the_file_waits() -> None:
    upload = make_upload(make_incident())
    plan = guessed(upload)
    upload = match_upload(upload, plan=plan)
    assert (upload.state, plan_of(cipher_for(upload.incident_id), upload)) == ("queued", plan)
    assert b"first_name" not in bytes(upload.sealed_plan or b"")
    assert data_of("upload.matched").items() >= {"columns": 10, "stored": 10, "purpose": "add"}.items()


def test_the_file_is_read_as_confirmed_and_not_as_guessed() -> None:
    upload = make_upload(make_incident(), "name,email,town\nBo Lind,bo@home.test,Leeds\n")
    plan = guessed(upload)
    columns = (Column("name", "full_name"), Column("email", "email"), Column("town", ""))
    upload = take_in(work_on_upload(match_upload(upload, plan=replace(plan, columns=columns)).pk))
    person = Person.objects.get(upload=upload)
    value = cipher_for(upload.incident_id).unseal(person.sealed, table="people_person", column="sealed", row=person.pk)
    assert json.loads(value) == {"full_name": "Bo Lind", "email": "bo@home.test"}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"purpose": "guess"}, "what the file is for"),
        ({"purpose": "withdraw"}, "Say why these people"),
        ({"expected_version": 7}, "A colleague changed"),
    ],
)
def test_what_is_not_said_is_asked_for(change: dict[str, Any], part: str) -> None:
    upload = make_upload(make_incident())
    given: dict[str, Any] = {"purpose": "add", "expected_version": upload.version, "by": upload.uploaded_by} | change
    with pytest.raises(ValidationError, match=part):
        match_columns(upload, guessed(upload), **given)
    assert Upload.objects.get().state == Upload.State.RECEIVED


def test_a_plan_without_a_name_is_refused() -> None:
    upload = make_upload(make_incident())
    plan = replace(guessed(upload), columns=(Column("email", "email"),))
    with pytest.raises(ValidationError, match="No column holds a name"):
        match_upload(upload, plan=plan)


def test_the_reason_for_taking_people_off_is_kept_private() -> None:
    match_upload(make_upload(make_incident()), "withdraw", "They never ordered anything.")
    event = Event.objects.of_type("upload.matched").get()
    assert b"never ordered" not in bytes(event.body)
    assert PrivateValue.objects.filter(event_id=event.event_id, field="reason").exists()


@pytest.mark.parametrize("role", OTHERS)
def test_only_a_responder_matches_accepts_and_discards(role: str) -> None:
    waiting, checked = make_upload(make_incident()), check_upload(make_upload(make_incident()))
    by, plan = make_user(role), guessed(waiting)
    with pytest.raises(PermissionDenied):
        match_columns(waiting, plan, purpose="add", expected_version=waiting.version, by=by)
    for decide in (lambda: accept_upload(checked, {}, by=by), lambda: discard_upload(checked, by=by)):
        with pytest.raises(PermissionDenied):
            decide()
    assert sorted(Upload.objects.values_list("state", flat=True)) == ["checked", "received"]


def test_the_database_lets_nothing_be_read_that_nobody_confirmed() -> None:
    upload = make_upload(make_incident())
    with pytest.raises(DatabaseError, match="read_only_as_confirmed"), transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(state="queued")


# Accepting


def test_read_people_do_not_count_before_somebody_accepts() -> None:
    incident = make_incident()
    upload = check_upload(make_upload(incident))
    assert (upload.state, Person.objects.filter(incident=incident).count()) == ("checked", 4)
    assert not Person.objects.of(incident).exists()
    assert not Person.objects.known_in(incident).exists()
    assert not incident.counts.exists()
    assert data_of("upload.checked").items() >= {"people": 4, "rows": 6, "rejected": 1, "duplicates": 1}.items()


def test_what_looks_wrong_must_be_explained_and_the_explanation_is_private() -> None:
    upload = check_upload(make_upload(make_incident()))
    keys = [signal["key"] for signal in upload.signals if signal["share"] > signal["limit"]]
    assert len(keys) > 1
    for explained in ({}, dict.fromkeys(keys[1:], "Fine."), dict.fromkeys(keys, " ")):
        with pytest.raises(ValidationError, match="Say why that is right"):
            accept_upload(upload, explained, by=upload.uploaded_by)
    accepted = accept_upload(upload, dict.fromkeys(keys, "A school's list."), by=upload.uploaded_by, ring=False)
    event = Event.objects.of_type("upload.accepted").get()
    assert (accepted.state, accepted.decided_by, data_of("upload.accepted")["explained"]) == (
        "accepted",
        upload.uploaded_by,
        len(keys),
    )
    assert b"school" not in bytes(event.body)


@pytest.mark.parametrize("again", ["accept", "discard"])
def test_a_decision_is_taken_once(again: str) -> None:
    upload = make_people(make_incident())
    with pytest.raises(ValidationError, match="Taken in"):
        accept_upload(upload, {}, by=upload.uploaded_by) if again == "accept" else discard_upload(
            upload, by=upload.uploaded_by
        )


def test_taking_in_again_changes_nothing() -> None:
    upload = make_people(make_incident())
    version = upload.version
    assert work_on_upload(upload.pk).version == version
    assert Event.objects.of_type("upload.loaded").count() == 1


# One after the other


def test_a_second_file_waits_until_the_first_is_decided() -> None:
    incident = make_incident()
    first = check_upload(make_upload(incident))
    second = match_upload(make_upload(incident, SECOND))
    assert work_on_upload(second.pk).state == Upload.State.QUEUED
    later = timezone.now() + timedelta(hours=1)
    assert not Upload.objects.stalled_at(later).exists(), "it waits for somebody, and not for a worker"
    take_in(first)
    assert Upload.objects.stalled_at(later).get() == second
    assert work_on_upload(second.pk).state == Upload.State.CHECKED


@pytest.mark.parametrize("decision", ["accepted", "discarded", "failed"])
def test_the_waiting_file_is_rung_when_it_may_be_read(
    decision: str, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    rung: list[object] = []
    monkeypatch.setattr(tasks.work_on_upload, "delay", lambda upload_id: rung.append(upload_id))
    incident = make_incident()
    first = make_upload(incident, "name,email\n") if decision == "failed" else check_upload(make_upload(incident))
    second = match_upload(make_upload(incident, SECOND))
    with django_capture_on_commit_callbacks(execute=True):
        if decision == "accepted":
            take_in(first)
        elif decision == "discarded":
            discard_upload(first, by=first.uploaded_by, ring=False)
            work_on_upload(first.pk)
        else:
            assert check_upload(first).state == Upload.State.FAILED
    assert str(second.pk) in rung


def test_the_file_of_another_incident_does_not_wait() -> None:
    check_upload(make_upload(make_incident()))
    assert check_upload(make_upload(make_incident())).state == Upload.State.CHECKED


def test_whoever_reads_a_file_that_was_discarded_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = match_upload(make_upload(make_incident()))
    begin = working._begin_reading

    def discarded_meanwhile(found: Upload) -> Upload | None:
        begun = begin(found)
        discard_upload(found, by=found.uploaded_by, ring=False)
        return begun

    monkeypatch.setattr(working, "_begin_reading", discarded_meanwhile)
    assert work_on_upload(upload.pk).state == Upload.State.GONE
    assert not Person.objects.exists()
