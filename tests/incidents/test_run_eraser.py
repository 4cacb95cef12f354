"""The eraser: a process with a login of its own, which alone may destroy a key, and what it says and survives."""

import signal
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from breachdesk.audit.erasure import sealed_names
from breachdesk.audit.models import Event
from breachdesk.incidents.actions import (
    ask_destruction,
    confirm_destruction,
    hold_incident,
    lapse_requests,
    release_incident,
    withdraw_destruction,
)
from breachdesk.incidents.erasing import carry_out
from breachdesk.incidents.models import Destruction
from breachdesk.pulse import note_run
from breachdesk.vault.models import DataKey
from breachdesk.vault.shares import share_path
from tests.factories import make_incident, make_people, make_user, unguarded
from tests.incidents.keeping import confirmed, due
from tests.services import until
from tests.test_database_roles import roles, signed_in  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_web_asks_and_confirms_worker_lapses_and_the_eraser_alone_destroys(roles: None) -> None:  # noqa: F811
    make_people(incident := make_incident())
    dpo, other = make_user("dpo"), make_user("approver")
    with signed_in("breachdesk_web"):
        due(incident, dpo)
        withdraw_destruction(ask_destruction(incident, what="data", reason="Over.", by=dpo), by=dpo)
        hold_incident(incident, reason="A claim.", by=dpo)
        release_incident(incident, reason="Settled.", by=dpo)
        request = confirm_destruction(ask_destruction(incident, what="data", reason="Over.", by=dpo), by=other)
    for login in ("breachdesk_web", "breachdesk_worker"):
        with signed_in(login), pytest.raises(DatabaseError, match="permission denied"):
            carry_out(request.pk, at=request.not_before, by=None)
    with signed_in("breachdesk_worker"):
        assert lapse_requests(at=timezone.now(), by=None) == 0
    with signed_in("breachdesk_eraser"):
        assert carry_out(request.pk, at=request.not_before, by=None) == ""
        note_run("eraser")
    assert sealed_names(incident.pk) == []
    assert not share_path(incident.pk, "data").exists()
    assert sorted(cipher_of_key(incident)) == ["index"]


def cipher_of_key(incident: Any) -> list[str]:
    key = DataKey.objects.get(scope=incident.pk)
    return [name for name in ("data", "index") if getattr(key, f"wrapped_{name}") is not None]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"destruction_wait": 0}))


def state_of(request: Destruction) -> str:
    connection.close()  # what another process wrote is seen by a new look
    return Destruction.objects.get(pk=request.pk).state


def test_the_service_carries_out_what_is_confirmed_and_stops_when_asked(at_once: None, start_service: Any) -> None:
    request = confirmed()
    service = start_service("run_eraser")
    until(lambda: state_of(request) == "done")
    until(lambda: not share_path(request.incident_id, "data").exists())
    later = confirmed()
    until(lambda: state_of(later) == "done")
    service.send_signal(signal.SIGTERM)
    out, err = service.communicate(timeout=30)
    assert (service.returncode, "can never be read again" in out, "The eraser stopped." in out) == (0, True, True), err
    assert Event.objects.of_type("key.destroyed").count() == 2


def test_it_says_once_why_it_does_not_destroy(at_once: None, start_service: Any) -> None:
    request = confirmed()
    with unguarded():  # as if the days had been changed since
        request.incident.retention.delete_on = timezone.localdate() + timedelta(days=365)
        request.incident.retention.save()
    service = start_service("run_eraser")
    said = service.stderr.readline()
    assert "to be kept until" in said
    service.send_signal(signal.SIGTERM)
    _, err = service.communicate(timeout=30)
    assert ("to be kept until" in err, state_of(request)) == (False, "confirmed")


def test_it_finishes_what_a_crash_left(start_service: Any) -> None:
    incident = make_incident()
    with unguarded():
        DataKey.objects.filter(scope=incident.pk).update(wrapped_data=None, destroyed_at=timezone.now())
    assert share_path(incident.pk, "data").exists()
    start_service("run_eraser")
    until(lambda: not share_path(incident.pk, "data").exists())
    assert share_path(incident.pk, "index").exists()
