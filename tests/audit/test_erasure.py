"""Erased values are gone from the database, the trail stays valid, and a restored backup loses them again."""

import json
import stat
from io import StringIO
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, ProgrammingError, connection, transaction

from breachdesk.audit import erasure
from breachdesk.audit.erasure import ErasureListBroken, SealedName, delete_sealed, replay_erasures, sealed_names
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.timeline import describe
from breachdesk.audit.verification import verify
from breachdesk.incidents.erasing import erase_values
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Upload
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import KeyDestroyed, cipher_for, index_cipher_for
from breachdesk.vault.shares import DATA, share_path, shares_folder, shares_in
from tests.factories import make_incident, make_people, make_user
from tests.incidents.keeping import destroy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": tmp_path}))


@pytest.fixture
def dpo():
    return make_user("dpo")


@pytest.fixture
def incident():
    return make_incident(what_happened="Zoltan Karpathy rang and complained.")


@pytest.fixture
def told(incident):
    """What was typed when the case was opened."""
    return next(name for name in sealed_names(incident.pk) if name.field == "what_happened")


def listed():
    return [json.loads(line) for line in erasure.list_path().read_text().splitlines()]


def verdict():
    sequence_pending()
    return verify().verdict


def test_a_value_is_erased_and_the_trail_says_so(incident, told, dpo, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert erase_values([told], ground="request", requester="Zoltan Karpathy, by letter", by=dpo) == 1
    assert not PrivateValue.objects.filter(event__event_id=told.event, field=told.field).exists()
    event = Event.objects.of_type("privacy.erased").get()
    assert event.incident == incident.pk
    assert event.content["data"] == {"count": 1, "erased": [str(told)], "ground": "request"}
    assert event.content["actor"]["id"] == str(dpo.pk)
    assert b"Zoltan" not in bytes(event.body)
    assert PrivateValue.objects.get(event=event).field == "requester"
    assert verdict() == "VALID"
    assert [line["erased"] for line in listed()] == [[str(told)]]
    assert stat.S_IMODE(erasure.list_path().stat().st_mode) == 0o600


def test_the_others_of_its_event_stay(incident, told, dpo):
    before = sealed_names(incident.pk)
    erase_values([told], ground="misplaced", by=dpo)
    assert [name for name in sealed_names(incident.pk) if name in before] == [name for name in before if name != told]


def test_only_the_data_protection_officer_may(told):
    for role in ("responder", "author", "approver", "auditor", "administrator"):
        with pytest.raises(PermissionDenied, match="Data protection officer"):
            erase_values([told], ground="request", by=make_user(role))


def test_it_refuses_what_is_not_there(incident, told, dpo):
    refused = {
        "is not a ground": ([told], "curiosity"),
        "Name at least one": ([], "request"),
        "is not there": ([told, SealedName(uuid4(), "what_happened")], "request"),
        "more than one case": ([told, sealed_names(make_incident().pk)[0]], "request"),
    }
    for why, (names, ground) in refused.items():
        with pytest.raises(ValidationError, match=why):
            erase_values(names, ground=ground, by=dpo)
    assert told in sealed_names(incident.pk)
    erase_values([told], ground="request", by=dpo)
    with pytest.raises(ValidationError, match="not any more"):
        erase_values([told], ground="request", by=dpo)


def test_no_list_is_kept_of_nothing(incident):
    erasure.bring_list_up_to_date()
    assert not erasure.list_path().exists()


def test_a_list_that_cannot_be_kept_erases_nothing(incident, told, dpo):
    erasure.list_path().mkdir()
    with pytest.raises(ValidationError, match="Nothing was erased"):
        erase_values([told], ground="request", by=dpo)
    assert told in sealed_names(incident.pk)


def test_a_case_that_is_over_loses_its_key_with_everything_sealed(incident, dpo, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        destroy(incident, by=dpo)
    assert sealed_names(incident.pk) == []
    with pytest.raises(KeyDestroyed):
        cipher_for(incident.pk)
    last = [event.type for event in Event.objects.of_incident(incident.pk).newest_first()[:2]]
    assert last == ["key.destroyed", "privacy.erased"]
    assert verdict() == "VALID"
    assert [(line["key"], line["which"]) for line in listed()] == [(None, None), (str(incident.pk), "data")]


def test_what_is_typed_after_a_key_is_gone_is_sealed_under_the_organisations(incident, dpo):
    destroy(incident, by=dpo)
    with transaction.atomic():
        event = record("incident.closed", by=dpo, incident=incident.pk, private={"reason": "Typed later."})
    [line] = describe([event], private=True)
    assert line.private == {"reason": "Typed later."}
    assert verdict() == "VALID"
    assert b"Typed later." not in bytes(PrivateValue.objects.get(event=event).value_enc)


# What the database itself demands


def refused(statement, *params):
    with pytest.raises(DatabaseError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
    return str(refusal.value)


def name_as_erased(incident, name):
    with transaction.atomic():
        record("privacy.erased", by=None, incident=incident, count=1, erased=[name], ground="request")


def test_the_function_refuses_without_the_event(told, incident):
    assert "No event privacy.erased" in refused("SELECT audit_erase(%s, %s)", [told.event], [told.field])
    name_as_erased(incident.pk, f"{told.event}/title")
    with pytest.raises(ProgrammingError, match="No event privacy"), transaction.atomic():
        delete_sealed([told])
    assert told in sealed_names(incident.pk)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_an_earlier_transaction_is_none(dpo):
    incident = make_incident()
    told = sealed_names(incident.pk)[0]
    name_as_erased(incident.pk, str(told))
    with pytest.raises(ProgrammingError, match="No event privacy"), transaction.atomic():
        delete_sealed([told])


def test_another_type_that_carries_the_names_is_none(told, incident):
    event = record("incident.closed", by=None, incident=incident.pk)
    forged = bytes(event.body).replace(b'"data":{}', f'"data":{{"erased":["{told}"]}}'.encode())
    assert forged != bytes(event.body)
    insert_event(uuid4(), "privacy.erased", forged)
    with pytest.raises(ProgrammingError, match="No event privacy"), transaction.atomic():
        delete_sealed([told])


def insert_event(event_id, kind, body):
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audit_event (event_id, type, body, body_sha256, at)
               VALUES (%s, %s, %s::bytea, sha256(%s::bytea), now())""",
            [event_id, kind, body, body],
        )


def test_nothing_else_opens_the_way(told, incident):
    erase = "DELETE FROM audit_private WHERE event_id = %s"
    assert "append-only" in refused(erase, told.event)
    assert "append-only" in refused(f"SET LOCAL audit.erasing = 'on'; {erase}", told.event)
    name_as_erased(incident.pk, str(told))
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        PrivateValue.objects.filter(event__event_id=told.event).delete()


def test_the_way_is_closed_again_behind_it(incident, told, dpo):
    others = [name for name in sealed_names(incident.pk) if name != told]
    erase_values([told], ground="request", by=dpo)
    assert "append-only" in refused("DELETE FROM audit_private WHERE event_id = %s", others[0].event)
    assert "append-only" in refused("UPDATE audit_private SET salt = salt")
    assert "append-only" in refused("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE audit_private")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_erasing")
        assert cursor.fetchone() == (0,)


# The list outside the database


def test_what_a_backup_brought_back_is_erased_again(incident, told, dpo, superuser_sql):
    stored = PrivateValue.objects.filter(event__event_id=told.event, field=told.field).values_list("salt", "value_enc")
    salt, sealed = stored.get()
    erase_values([told], ground="request", by=dpo)
    erasure.bring_list_up_to_date()
    superuser_sql(
        "INSERT INTO audit_private (event_id, field, salt, value_enc) VALUES (%s, %s, %s, %s)",
        [told.event, told.field, salt, sealed],
    )
    assert replay_erasures([erasure.list_path()]) == (1, 0)
    assert told not in sealed_names(incident.pk)
    again = Event.objects.of_type("privacy.erased").newest_first()[0]
    assert again.content["data"] == {"count": 1, "erased": [str(told)], "ground": "request"}
    assert again.content["actor"]["id"] is None
    assert replay_erasures([erasure.list_path()]) == (0, 0)
    assert verdict() == "VALID"


PUT_BACK = "UPDATE vault_data_key SET wrapped_data = %s, destroyed_at = NULL WHERE scope = %s"
PUT_BOTH_BACK = """
UPDATE vault_data_key SET wrapped_data = %s, wrapped_index = %s, destroyed_at = NULL, index_destroyed_at = NULL
WHERE scope = %s"""


def test_a_key_that_came_back_is_destroyed_again(incident, dpo, superuser_sql):
    wrapped = DataKey.objects.values_list("wrapped_data", flat=True).get(scope=incident.pk)
    destroy(incident, by=dpo)
    erasure.bring_list_up_to_date()
    superuser_sql(PUT_BACK, [wrapped, incident.pk])
    assert replay_erasures([erasure.list_path()]) == (0, 1)
    key = DataKey.objects.get(scope=incident.pk)
    assert (key.destroyed_at is None, key.index_destroyed_at) == (False, None)
    assert not share_path(incident.pk, DATA).exists()
    assert index_cipher_for(incident.pk).scope == incident.pk
    assert verdict() == "VALID"


def test_the_names_of_files_go_with_the_key_and_go_again(incident, dpo, superuser_sql):
    wrapped = DataKey.objects.values_list("wrapped_data", flat=True).get(scope=incident.pk)
    uploads = [make_people(incident, name="mrs-lindqvist.csv"), make_people(make_incident(), name="other.csv")]
    before = [Upload.objects.get(pk=upload.pk).version for upload in uploads]
    destroy(incident, by=dpo)
    erasure.bring_list_up_to_date()
    superuser_sql("UPDATE people_upload SET file_name = 'mrs-lindqvist.csv' WHERE incident_id = %s", [incident.pk])
    superuser_sql(PUT_BACK, [wrapped, incident.pk])
    replay_erasures([erasure.list_path()])
    again = [Upload.objects.get(pk=upload.pk) for upload in uploads]
    assert [upload.file_name for upload in again] == ["name destroyed", "other.csv"]
    assert [upload.version for upload in again] == [before[0] + 2, before[1]]
    named = [str(event.content) for event in Event.objects.of_type("key.destroyed")]
    assert [str(uploads[0].pk) in text for text in named] == [True, True]
    assert verdict() == "VALID"


def test_both_keys_that_came_back_are_destroyed_again(incident, dpo, superuser_sql):
    wrapped = DataKey.objects.values_list("wrapped_data", "wrapped_index").get(scope=incident.pk)
    destroy(incident, by=dpo)
    destroy(incident, "index", by=dpo)
    erasure.bring_list_up_to_date()
    assert [line["which"] for line in listed() if line["key"]] == ["data", "index"]
    superuser_sql(PUT_BOTH_BACK, [*wrapped, incident.pk])
    assert replay_erasures([erasure.list_path()]) == (0, 2)
    assert DataKey.objects.get(scope=incident.pk).index_destroyed_at
    assert not list(shares_in(shares_folder()))[2:], "only the organisation's are left"
    assert replay_erasures([erasure.list_path()]) == (0, 0)
    assert verdict() == "VALID"


def test_an_older_list_means_both_keys(incident, dpo):
    line = {"event": str(uuid4()), "at": "x", "ground": None, "erased": [], "key": str(incident.pk)}
    erasure.list_path().write_text(json.dumps(line) + "\n")
    assert replay_erasures([erasure.list_path()]) == (0, 2)
    assert DataKey.objects.get(scope=incident.pk).index_destroyed_at


def test_a_line_that_a_crash_cut_off_is_written_again(incident, told, dpo):
    erase_values([told], ground="request", by=dpo)
    erasure.bring_list_up_to_date()
    whole = erasure.list_path().read_bytes()
    erasure.list_path().write_bytes(whole[: len(whole) // 2])
    erasure.bring_list_up_to_date()
    assert erasure.list_path().read_bytes() == whole
    erasure.bring_list_up_to_date()
    assert erasure.list_path().read_bytes() == whole


def test_a_list_that_is_none_is_named(tmp_path):
    (tmp_path / "other").write_text("erased: everything\n")
    with pytest.raises(ErasureListBroken, match="Line 1 of"):
        replay_erasures([tmp_path / "other"])


# The commands


def erase_by_command(incident, *words, by):
    out = StringIO()
    call_command("erase_private_values", incident.reference, *words, "--by", by.email, stdout=out)
    return out.getvalue()


def test_the_command_erases_one_field_or_all_of_an_event(incident, told, dpo):
    event = ["--event", str(told.event)]
    assert "1 values were erased" in erase_by_command(
        incident, *event, "--field", told.field, "--ground", "request", "--requester", "Zoltan", by=dpo
    )
    rest = [name for name in sealed_names(incident.pk) if name.event == told.event]
    assert f"{len(rest)} values were erased" in erase_by_command(incident, *event, "--ground", "order", by=dpo)
    assert {name for name in sealed_names(incident.pk) if name.event == told.event} == set()


def test_the_command_refuses_in_a_sentence(incident, told, dpo):
    event = ["--event", str(told.event), "--ground", "request"]
    with pytest.raises(CommandError, match="has no such value"):
        erase_by_command(incident, *event, "--field", "shoe_size", by=dpo)
    with pytest.raises(CommandError, match="Data protection officer"):
        erase_by_command(incident, *event, by=make_user("responder"))
    with pytest.raises(CommandError, match="two people"):
        erase_by_command(incident, "--ground", "request", by=dpo)
    with pytest.raises(CommandError, match="There is no incident"):
        erase_by_command(Incident(reference="BD-1999-0001"), *event, by=dpo)
    assert told in sealed_names(incident.pk)
