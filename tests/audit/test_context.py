from hashlib import sha256

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory

from breachdesk.audit.canonical import base64url
from breachdesk.audit.context import AuditContextMiddleware, current_origin
from breachdesk.audit.record import record
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class Session:
    session_key = "the-session-key"


def ask(action, *, session=None):
    seen = []

    def respond(request):
        seen.append(action())
        return HttpResponse()

    request = RequestFactory().get("/")
    request.session = session
    AuditContextMiddleware(respond)(request)
    return seen[0]


def test_an_event_names_its_request_and_a_hash_of_its_session():
    user = make_user()
    event = ask(lambda: record("user.signed_in", by=user, on=user), session=Session())
    assert event.content["actor"]["session"] == base64url(sha256(b"the-session-key").digest()[:16])
    assert len(event.content["request"]) == 36
    assert b"the-session-key" not in event.body


def test_two_events_of_one_request_belong_together():
    def both():
        with transaction.atomic():
            return [record("heartbeat", by=None, log_size=n).content["request"] for n in range(2)]

    first, second = ask(both), ask(both)
    assert first[0] == first[1] != second[0]


def test_after_the_request_nothing_is_left():
    ask(lambda: None, session=Session())
    assert (current_origin().request, current_origin().session_hash) == (None, None)


def test_after_a_failed_request_nothing_is_left():
    with pytest.raises(ZeroDivisionError):
        ask(lambda: 1 // 0)
    assert current_origin().request is None


def test_a_stranger_without_a_session_has_none():
    assert ask(lambda: current_origin().session_hash) is None
