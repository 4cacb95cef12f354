from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from breachdesk.audit.events import EVENTS
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.audit.timeline import describe, sentence_of
from tests.factories import destroy_key, make_user

AT = "2026-07-01T09:30:00.000000Z"


def lines_of(case, *, private=False):
    return describe(Event.objects.of_incident(case).newest_first(), private=private)


def test_a_line_says_who_did_what(case):
    user = make_user()
    record("edition.approved", by=user, incident=case, language="en", recipients=430_000)
    (line,) = lines_of(case)
    assert line.text == f"{user.name} approved the English edition for 430,000 people"
    assert line.private == {}


def test_the_product_itself_and_people_who_are_gone_have_a_name(case):
    record("key.created", by=None, incident=case)
    ghost = make_user()
    record("incident.closed", by=ghost, incident=case)
    ghost.delete()
    assert [line.actor for line in lines_of(case)] == ["A former colleague", "BreachDesk"]


def test_only_this_incidents_events_newest_first(case):
    record("heartbeat", by=None, log_size=1)
    record("incident.opened", by=None, incident=case, reference="BD-2026-0001")
    record("incident.closed", by=None, incident=case)
    assert [line.event.type for line in lines_of(case)] == ["incident.closed", "incident.opened"]


def test_private_values_are_shown_only_when_asked_for(case):
    record("incident.closed", by=None, incident=case, private={"reason": "All told"})
    assert lines_of(case)[0].private == {}
    assert lines_of(case, private=True)[0].private == {"reason": "All told"}


def test_after_the_key_is_destroyed_the_line_stays(case):
    record("incident.closed", by=None, incident=case, private={"reason": "All told"})
    destroy_key(case)
    (line,) = lines_of(case, private=True)
    assert (line.sentence, line.private) == ("closed the incident", {"reason": "erased"})


def test_queries_do_not_grow_with_the_events(case):
    counts = []
    for number in (1, 20):
        for _ in range(number):
            record("incident.closed", by=make_user(), incident=case, private={"reason": "x"})
        with CaptureQueriesContext(connection) as queries:
            lines_of(case, private=True)
        counts.append(len(queries))
    assert counts[0] == counts[1] == 3  # and one for the key of each case, by a statement that is not counted here


@pytest.mark.parametrize(
    ("event", "data", "sentence"),
    [
        (
            "moment.stated",
            {"kind": "aware", "at": AT, "precision": "about", "zone": "Europe/London"},
            "stated when we became aware: about 1 July 2026, 10:30 (Europe/London)",
        ),
        ("moment.stated", {"kind": "ended", "at": None}, "stated when the breach ended: not known"),
        (
            "moment.stated",
            {"kind": "began", "at": AT, "zone": "Mars/Base"},
            "stated when the breach began: 1 July 2026, 09:30 (UTC) (Mars/Base)",
        ),
        ("people.count_stated", {"low": None, "high": None}, "stated how many people are affected: not known"),
        ("people.count_stated", {"low": 100, "high": 2000}, "stated how many people are affected: 100 to 2,000"),
        ("people.count_stated", {"low": 5, "high": 5}, "stated how many people are affected: 5"),
        ("incident.facts_changed", {"fields": ["what_happened", "kinds"]}, "changed the facts: what happened, kinds"),
        ("incident.exploded", {}, "incident.exploded"),
    ],
)
def test_values_are_worded(event, data, sentence):
    assert sentence_of(event, data) == sentence


def test_every_registered_sentence_can_be_said_without_its_values():
    for name, kind in EVENTS.items():
        assert "{" not in sentence_of(name, dict.fromkeys(kind.required))


def test_the_latest_moment_is_told_in_its_own_zone():
    at = datetime(2026, 12, 31, 23, 30, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert "1 January 2027, 00:30" in sentence_of("moment.stated", {"kind": "aware", "at": at, "zone": "Europe/Paris"})
