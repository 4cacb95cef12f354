"""Answers that wait for their proof: after the commit, not for ever, and without a transaction."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import User
from breachdesk.audit import proof
from breachdesk.audit.models import Event
from breachdesk.audit.proof import PENDING, answers_with_proof, are_proved
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything
from tests.factories import make_user
from tests.signing import Signing


def change_roles(client: Client, user: User) -> Any:
    data = {"roles": ["auditor"], "version": user.version}
    return client.post(reverse("staff-roles", args=[user.pk]), data, headers={"Referer": "http://testserver/"})


@pytest.fixture
def administrator(db: None) -> Client:
    client = Client()
    client.force_login(make_user("administrator"))
    return client


@contextmanager
def signed_beside(signing: Signing) -> Iterator[None]:
    """A sequencer and a signer that look every few milliseconds, as the product's processes do."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(0.02):
            signing.sign()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.django_db
def test_without_a_signature_the_page_says_that_the_proof_is_pending(administrator: Client) -> None:
    answer = change_roles(administrator, make_user("dpo"))
    assert answer.status_code == 302
    assert PENDING in [str(message) for message in get_messages(answer.wsgi_request)]
    assert Event.objects.filter(type="user.roles_changed").exists()


@pytest.mark.django_db(transaction=True)
def test_the_answer_comes_when_the_step_is_under_a_checkpoint(
    administrator: Client, signing: Signing, settings: Any
) -> None:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"proof_wait": 60})
    user = make_user("dpo")
    with signed_beside(signing):
        answer = change_roles(administrator, user)
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert len(said) == 1
    assert "are changed" in said[0]
    event = Event.objects.filter(type="user.roles_changed").newest_first()[0]
    assert are_proved([event.event_id])


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_it_waits(administrator: Client, settings: Any, monkeypatch: Any) -> None:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"proof_wait": 0.3})
    seen = []

    def look(seconds: float) -> None:
        seen.append((connection.in_atomic_block, connection.connection.info.transaction_status.name))
        time.sleep(seconds)

    monkeypatch.setattr(proof, "time", type("Clock", (), {"monotonic": time.monotonic, "sleep": staticmethod(look)}))
    change_roles(administrator, make_user("dpo"))
    assert seen
    assert set(seen) == {(False, "IDLE")}


@pytest.mark.django_db
def test_what_needs_no_proof_costs_no_query(django_assert_num_queries: Any) -> None:
    with transaction.atomic():
        record("heartbeat", by=None, log_size=1)
    view = answers_with_proof(lambda request: HttpResponse())
    with django_assert_num_queries(0):
        view(HttpRequest())


@pytest.mark.django_db
def test_an_undone_step_is_not_waited_for(signing: Signing) -> None:
    user = make_user("dpo")
    signing.sign()

    def undone(request: HttpRequest) -> HttpResponse:
        with transaction.atomic():
            record("user.readmitted", by=None, on=user, roles=[])
            transaction.set_rollback(True)
        return HttpResponse("undone")

    # No message is added: that would need the middleware, which is not there.
    assert answers_with_proof(undone)(HttpRequest()).content == b"undone"


@pytest.mark.django_db
def test_linked_is_not_proved(signing: Signing) -> None:
    with transaction.atomic():
        event = record("user.removed", by=None, on=make_user("dpo")).event_id
    assert not are_proved([event])
    sequence_everything()
    assert not are_proved([event])
    signing.look()
    assert are_proved([event])
