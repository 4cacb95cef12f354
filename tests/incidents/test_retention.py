"""How long a case is kept, legal holds, and the two people it takes to destroy it."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from breachdesk.accounts.models import PendingDecision
from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.verification import verify
from breachdesk.incidents.actions import (
    ask_destruction,
    confirm_destruction,
    hold_incident,
    lapse_requests,
    refuse_destruction,
    release_incident,
    set_retention,
    withdraw_destruction,
)
from breachdesk.incidents.erasing import carry_out
from breachdesk.incidents.models import Destruction, LegalHold
from breachdesk.incidents.retention import keeping_of
from breachdesk.people.models import PeopleExport
from breachdesk.vault.sealing import KeyDestroyed, cipher_for, index_cipher_for
from tests.factories import (
    check_upload,
    make_edition_being_sent,
    make_incident,
    make_organisation,
    make_people,
    make_upload,
    make_user,
    unguarded,
)
from tests.incidents.keeping import FAR, closed, confirmed, destroy, due

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": tmp_path}))


@pytest.fixture
def dpo():
    return make_user("dpo")


@pytest.fixture
def other():
    return make_user("approver")


def last_event(kind):
    return Event.objects.of_type(kind).newest_first()[0]


def ask(incident, by, what="data"):
    return ask_destruction(incident, what=what, reason="The term is over.", by=by)


# The days


def test_the_usual_days_are_counted_from_closing():
    open_case, case = make_incident(), closed()
    assert (keeping_of(open_case).delete_on, keeping_of(open_case).index_until) == (None, None)
    closed_on = timezone.localdate(case.closed_at)
    assert keeping_of(case).delete_on == closed_on + settings.BREACHDESK.retention_days * DAY
    assert keeping_of(case).index_until == closed_on + settings.BREACHDESK.index_days * DAY
    assert keeping_of(case).due == ""


def test_other_days_are_chosen_with_a_reason_and_an_event(dpo):
    incident, today = closed(), timezone.localdate()
    for days in (40, 30):
        set_retention(
            incident, delete_on=today + days * DAY, index_until=today + FAR, reason="A supplier asked for it.", by=dpo
        )
    keeping = keeping_of(incident)
    assert (keeping.delete_on, keeping.chosen.version) == (today + 30 * DAY, 2)
    event = last_event("retention.set")
    assert event.content["data"] == {
        "delete_on": (today + 30 * DAY).isoformat(),
        "index_until": (today + FAR).isoformat(),
    }
    assert b"supplier" not in bytes(event.body)
    assert keeping.due == ""
    due(incident, dpo)
    assert keeping_of(incident).due == "data"


@pytest.mark.parametrize(
    ("delete", "until", "reason", "why"),
    [
        (-1, 10, "x", "has passed"),
        (10, 5, "x", "as long as the data or longer"),
        (10, 60_000, "x", "50 years"),
        (10, 20, "  ", "Say why"),
    ],
)
def test_days_that_make_no_sense_are_refused(dpo, delete, until, reason, why):
    today = timezone.localdate()
    with pytest.raises(ValidationError, match=why):
        set_retention(closed(), delete_on=today + delete * DAY, index_until=today + until * DAY, reason=reason, by=dpo)


def test_only_the_data_protection_officer_chooses_holds_and_asks():
    incident, today = due(), timezone.localdate()
    for role in sorted(ROLES.keys() - {"dpo"}):
        user = make_user(role)
        with pytest.raises(PermissionDenied):
            set_retention(incident, delete_on=today, index_until=today, reason="x", by=user)
        with pytest.raises(PermissionDenied):
            hold_incident(incident, reason="x", by=user)
        with pytest.raises(PermissionDenied):
            ask(incident, user)


# Legal hold


def test_a_legal_hold_blocks_every_destruction_until_it_is_lifted(dpo, other):
    incident = due()
    hold = hold_incident(incident, reason="Claim 12/2026.", by=dpo)
    assert last_event("retention.held").content["object"]["id"] == str(hold.pk)
    with pytest.raises(ValidationError, match="legal hold"):
        ask(incident, dpo)
    with pytest.raises(ValidationError, match="already"):
        hold_incident(incident, reason="Another.", by=dpo)
    released = release_incident(incident, reason="Settled.", by=dpo)
    assert (released.released_by, released.release_reason, released.version) == (dpo, "Settled.", 2)
    assert last_event("retention.released").content["object"]["version"] == 2
    with pytest.raises(ValidationError, match="no legal hold"):
        release_incident(incident, reason="Again.", by=dpo)
    confirm_destruction(ask(incident, dpo), by=other)


def test_a_hold_ends_a_request_even_when_it_was_confirmed(dpo):
    request = confirmed()
    hold_incident(request.incident, reason="Claim 12/2026.", by=dpo)
    request.refresh_from_db()
    assert request.state == "withdrawn"
    assert carry_out(request.pk, at=request.not_before, by=None)
    assert cipher_for(request.incident_id).scope == request.incident_id


def test_holds_want_reasons(dpo):
    with pytest.raises(ValidationError, match="dispute or order"):
        hold_incident(closed(), reason=" ", by=dpo)
    incident = closed()
    hold_incident(incident, reason="Claim.", by=dpo)
    with pytest.raises(ValidationError, match="Say why"):
        release_incident(incident, reason="", by=dpo)


# Asking


def test_asking_counts_what_would_be_lost_and_asks_a_second_person(dpo, other):
    make_organisation()
    incident = make_incident()
    make_people(incident)
    due(incident, dpo)
    request = ask(incident, dpo)
    assert request.counts["people"] == 4
    assert request.counts["trail"] > 5
    data = last_event("destruction.asked").content["data"]
    assert (data["people"], data["what"]) == (4, "personal_data")
    assert request.lapses_at - request.asked_at == timedelta(days=14)
    [decision] = PendingDecision.objects.open()
    assert decision.permission == "incidents.confirm_destruction"
    assert {other.pk} <= set(decision.who_may().values_list("pk", flat=True))
    assert dpo.pk not in set(decision.who_may().values_list("pk", flat=True))
    assert cipher_for(incident.pk).scope == incident.pk


def test_what_stands_in_the_way_is_said(dpo):
    make_organisation()
    with pytest.raises(ValidationError, match="still open"):
        ask(make_incident(), dpo)
    with pytest.raises(ValidationError, match="to be kept until"):
        ask(closed(), dpo)
    with pytest.raises(ValidationError, match="outlives the data"):
        ask(due(), dpo, "index")
    with pytest.raises(ValidationError, match="Say why"):
        ask_destruction(due(), what="data", reason=" ", by=dpo)
    incident = due()
    ask(incident, dpo)
    with pytest.raises(ValidationError, match="asked already"):
        ask(incident, dpo)


def test_a_file_that_waits_for_a_decision_stands_in_the_way(dpo):
    make_organisation()
    incident = make_incident()
    check_upload(make_upload(incident))
    with pytest.raises(ValidationError, match="waits for a decision"):
        ask(due(incident, dpo), dpo)


def test_an_export_under_way_stands_in_the_way(dpo):
    incident = due()
    with unguarded():
        PeopleExport.objects.create(
            incident=incident,
            which="all",
            fields=["email"],
            people=1,
            sealed_reason=b"x",
            asked_by=dpo,
            asked_at=timezone.now(),
        )
    with pytest.raises(ValidationError, match="export of people"):
        ask(incident, dpo)


def test_a_send_under_way_stands_in_the_way(dpo):
    edition = make_edition_being_sent()
    incident = edition.notice.incident
    with pytest.raises(ValidationError, match="being sent"):
        ask(due(incident, dpo), dpo)


# Deciding


def test_nobody_confirms_what_they_asked_for(dpo):
    request = ask(due(), dpo)
    with pytest.raises(ValidationError, match="Somebody else"):
        confirm_destruction(request, by=dpo)
    with pytest.raises(IntegrityError, match="nobody_confirms_their_own_request"), unguarded():
        Destruction.objects.filter(pk=request.pk).update(
            state="confirmed", decided_by=dpo, decided_at=timezone.now(), not_before=timezone.now()
        )


def test_only_approvers_and_data_protection_officers_confirm(dpo):
    request = ask(due(), dpo)
    for role in sorted(ROLES.keys() - {"dpo", "approver"}):
        with pytest.raises(PermissionDenied):
            confirm_destruction(request, by=make_user(role))
    assert confirm_destruction(request, by=make_user("approver")).state == "confirmed"


def test_a_request_lapses_after_14_days(dpo, other):
    request = ask(due(), dpo)
    with unguarded():
        Destruction.objects.filter(pk=request.pk).update(
            asked_at=timezone.now() - 15 * DAY, lapses_at=timezone.now() - DAY
        )
    with pytest.raises(ValidationError, match="14 days are over"):
        confirm_destruction(request, by=other)
    request.refresh_from_db()
    assert lapse_requests(at=timezone.now(), by=None) == 1
    assert lapse_requests(at=timezone.now(), by=None) == 0
    request.refresh_from_db()
    assert (request.state, PendingDecision.objects.open().count()) == ("lapsed", 0)
    assert last_event("destruction.lapsed").content["actor"]["id"] is None
    assert ask(request.incident, dpo).state == "asked"


def test_it_can_be_refused_and_withdrawn_until_it_is_carried_out(dpo, other):
    refused = confirmed(by=dpo)
    with pytest.raises(ValidationError, match="Withdraw it instead"):
        refuse_destruction(refused, reason="No.", by=dpo)
    assert refuse_destruction(refused, reason="A claim is coming.", by=other).state == "refused"
    withdrawn = confirmed()
    assert withdraw_destruction(withdrawn, by=dpo).state == "withdrawn"
    for request in (refused, withdrawn):
        assert carry_out(request.pk, at=request.not_before, by=None)
        with pytest.raises(ValidationError, match="already"):
            withdraw_destruction(request, by=dpo)
    assert [last_event(f"destruction.{kind}").incident for kind in ("refused", "withdrawn")] == [
        refused.incident_id,
        withdrawn.incident_id,
    ]


# Carrying out


def test_two_people_and_a_day_later_the_data_key_is_gone(dpo, django_capture_on_commit_callbacks):
    make_organisation()
    incident = make_incident()
    make_people(incident)
    request = confirmed(incident, by=dpo)
    assert carry_out(request.pk, at=request.not_before - timedelta(seconds=1), by=None)
    assert cipher_for(incident.pk).scope == incident.pk
    with django_capture_on_commit_callbacks(execute=True):
        assert carry_out(request.pk, at=request.not_before, by=None) == ""
    request.refresh_from_db()
    assert (request.state, request.counts["people"]) == ("done", 4)
    with pytest.raises(KeyDestroyed):
        cipher_for(incident.pk)
    assert index_cipher_for(incident.pk).scope == incident.pk
    event = last_event("key.destroyed")
    assert event.content["data"]["which"] == "data"
    assert event.content["data"]["people"] == 4
    assert f"incidents.destruction/{request.pk}/{request.version}" in event.content["data"]["also"]
    assert carry_out(request.pk, at=request.not_before, by=None), "it is done once"
    sequence_pending()
    assert verify().verdict == "VALID"
    assert keeping_of(incident).data_destroyed_at


def test_the_index_dies_at_its_own_day(dpo):
    incident = make_incident()
    destroy(incident, by=dpo)
    with pytest.raises(ValidationError, match="to be kept until"):
        ask(incident, dpo, "index")
    destroy(incident, "index", by=dpo)
    with pytest.raises(KeyDestroyed):
        index_cipher_for(incident.pk)
    assert last_event("index_key.destroyed").incident == incident.pk
    sequence_pending()
    assert verify().verdict == "VALID"
    for again in ("data", "index"):
        with pytest.raises(ValidationError, match="destroyed before"):
            ask(incident, dpo, again)
    with pytest.raises(ValidationError, match="nothing left"):
        hold_incident(incident, reason="Late.", by=dpo)
    with pytest.raises(ValidationError, match="nothing left"):
        due(incident, dpo, "index")


def test_what_came_up_since_stops_the_eraser(dpo):
    request = confirmed()
    today = timezone.localdate()
    set_retention(request.incident, delete_on=today + DAY, index_until=today + FAR, reason="A claim.", by=dpo)
    assert "to be kept until" in carry_out(request.pk, at=request.not_before, by=None)
    assert cipher_for(request.incident_id).scope == request.incident_id


def test_a_list_of_erasures_that_cannot_be_kept_stops_the_eraser(tmp_path):
    request = confirmed()
    (tmp_path / "erasures.jsonl").unlink(missing_ok=True)
    (tmp_path / "erasures.jsonl").mkdir()
    assert "list of erasures" in carry_out(request.pk, at=request.not_before, by=None)
    assert cipher_for(request.incident_id).scope == request.incident_id


# What the database itself demands


def refused(statement, *params):
    with pytest.raises(IntegrityError) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
    return str(refusal.value)


def test_the_database_refuses_what_the_actions_refuse(dpo):
    request = ask(due(), dpo)
    change = "UPDATE incidents_destruction SET {} WHERE id = %s"
    done = change.format("state = 'done', done_at = now(), decided_at = now(), not_before = now()")
    assert "cannot go from asked to done" in refused(done, request.pk)
    assert "two_people_destroy_in_time" in refused(change.format("state = 'confirmed'"), request.pk)
    assert "stays" in refused("DELETE FROM incidents_destruction WHERE id = %s", request.pk)
    assert "cannot go from" in refused(change.format("what = 'index'"), request.pk)
    with unguarded():
        LegalHold.objects.create(incident=request.incident, reason="x", set_by=dpo, set_at=timezone.now())
    confirm = "state = 'confirmed', decided_by_id = %s, decided_at = now(), not_before = now()"
    assert "under a legal hold" in refused(change.format(confirm), make_user("dpo").pk, request.pk)


def test_the_database_knows_one_hold_and_one_request_at_a_time(dpo):
    incident = due()
    ask(incident, dpo)
    with pytest.raises(IntegrityError, match="one_destruction_at_a_time"), unguarded():
        Destruction.objects.create(
            incident=incident, what="data", reason="x", asked_by=dpo, asked_at=timezone.now(), lapses_at=timezone.now()
        )
    hold_incident(incident, reason="x", by=dpo)
    with pytest.raises(IntegrityError, match="one_legal_hold_at_a_time"), unguarded():
        LegalHold.objects.create(incident=incident, reason="y", set_by=dpo, set_at=timezone.now())
