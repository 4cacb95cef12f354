"""A send that goes wrong stops by itself, says why and with which numbers, and goes on without repeating anybody."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as installed
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.models import Event
from notifications import alarms, delivery, pace
from notifications.actions import pause_edition, resume_edition
from notifications.alarms import Alarm, Counted, alarm_of, measured, standing_of
from notifications.batches import close_batch
from notifications.ends import End
from notifications.mail_events import Kind as What
from notifications.mail_events import Report, apply_events, keep
from notifications.models import Delivery, Edition
from notifications.schedule import Schedule
from notifications.transport import Kind, Outcome, Phase
from notifications.verp import Sending
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.sink import Fault
from tests.notifications.test_sweep import another_session

TABLE = [
    # refused, bounced, complained, unknown, answered; why; of how many; in the canary wave of
    ((5, 0, 0, 0, 49), None, 0),
    ((5, 0, 0, 0, 50), None, 0),  # exactly the limit
    ((6, 0, 0, 0, 50), "refusals", 0),
    ((3, 3, 0, 0, 50), "refusals", 0),
    ((2, 4, 0, 0, 50), "bounces", 0),
    ((0, 0, 1, 0, 50), "complaints", 0),
    ((0, 0, 3, 0, 1000), None, 0),
    ((0, 0, 4, 0, 1000), "complaints", 0),
    ((0, 0, 0, 10, 1000), None, 0),
    ((0, 0, 0, 11, 1000), "unknowns", 0),
    ((900, 0, 4, 0, 1000), "complaints", 0),
    ((0, 0, 0, 0, 0), None, 0),
    ((1, 0, 0, 0, 1), None, 25),
    ((2, 0, 0, 0, 3), "refusals", 25),
    ((0, 0, 1, 0, 3), "complaints", 25),
    ((0, 0, 0, 1, 1), "unknowns", 25),
    ((0, 0, 0, 0, 3), None, 25),
]


@pytest.mark.parametrize(("counted", "why", "first"), TABLE)
def test_it_is_an_alarm_above_the_limit_and_with_enough_answers(
    counted: tuple[int, ...], why: str | None, first: int
) -> None:
    found = alarm_of(Counted(*counted), first=first)
    assert (found.why if found else None) == why


def test_a_limit_of_one_never_stops_and_of_nothing_at_the_first(settings: Settings) -> None:
    off = dict.fromkeys(settings.BREACHDESK.alarm_limits, 1.0)
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"alarm_limits": off})
    assert alarm_of(Counted(100, 0, 0, 0, 100)) is None
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"alarm_limits": off | {"failed": 0.0}})
    assert alarm_of(Counted(1, 0, 0, 0, 100)) is not None


def test_its_words_have_the_numbers() -> None:
    words = Alarm("refusals", 12, 80, 100).words
    assert words == "12 of 80 messages were refused or came back: 15 %, and the limit is 10 %."
    assert Alarm("complaints", 1, 25, 0).words.endswith("4 %, and one is too many.")
    assert measured({"why": "unknowns", "number": 1, "answered": 90, "thousandths": 10}).startswith("1 of 90 messages")
    assert measured({"why": "canary"}) == measured({}) == measured({"why": "unknowns"}) == ""


def test_a_worker_asks_the_database_only_when_its_own_answers_look_bad() -> None:
    def kinds(good: int, refused: int = 0, unknown: int = 0) -> "Counter[Kind]":
        return Counter({Kind.HANDED_OVER: good, Kind.REFUSED: refused, Kind.UNKNOWN: unknown, Kind.RETRY_WAIT: 999})

    assert not alarms.is_worth_a_look(kinds(5))
    assert alarms.is_worth_a_look(kinds(5, 1))
    assert not alarms.is_worth_a_look(kinds(5000, 100))
    assert alarms.is_worth_a_look(kinds(5000, 600))
    assert alarms.is_worth_a_look(kinds(5000, 0, 60))


def with_limits(**changes: Any) -> Any:
    return installed.BREACHDESK.model_copy(update=changes)


@pytest.mark.django_db(transaction=True)
def test_a_send_that_is_refused_stops_within_seconds_and_goes_on_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    settings.BREACHDESK = with_limits(alarm_least=20)
    monkeypatch.setattr(alarms, "LOOK_EVERY", 0.05)
    approver = make_user("approver")
    edition = being_sent(Schedule(), people=addresses(300))
    with sink(Fault("dot", "554 5.7.1 we do not like you")) as caught:
        caught.delay = 0.02
        assert drain(edition) is End.CLOSED
    tried = states(edition)["refused"]
    assert 20 <= tried < 250, "the others were kept back"
    assert states(edition)["planned"] == 300 - tried
    edition.refresh_from_db()
    assert (edition.state, edition.stopped_by) == ("paused", None)
    [paused] = Event.objects.filter(type="edition.paused")
    said = paused.content["data"]
    assert (said["why"], said["thousandths"]) == ("refusals", 100)
    assert 20 <= said["number"] == said["answered"] <= tried
    [asked] = PendingDecision.objects.filter(settled_at=None)
    assert (asked.permission, asked.object_id) == ("notifications.send_edition", edition.pk)
    assert "were refused or came back: 100 %, and the limit is 10 %." in asked.sentence
    assert approver in asked.who_may()
    assert asked.url == reverse("send", args=[edition.notice.incident.reference, edition.pk])

    resume_edition(edition, by=approver)
    assert not PendingDecision.objects.filter(settled_at=None).exists()
    assert not alarms.pause_if_needed(edition.pk), "not for the same numbers again"
    with sink() as caught:
        assert drain(edition) is End.NOTHING_DUE
    assert set(caught.times().values()) == {1}
    assert states(edition) == {"refused": tried, "handed_over": 300 - tried}
    assert Event.objects.filter(type="edition.paused").count() == 1


def settle(edition: Edition, *outcomes: Kind) -> list[Delivery]:
    """As if a worker had heard these answers."""
    with transaction.atomic():
        token, rows = delivery.claim(edition.pk, len(outcomes))
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
        answers = [(row.id, 0, Outcome(kind, Phase.DOT, 250)) for row, kind in zip(rows, outcomes, strict=True)]
        delivery.settle(token, answers)
        close_batch(token)
    return list(Delivery.objects.filter(pk__in=[row.id for row in rows]))


def came_back(rows: list[Delivery], kind: What) -> None:
    for row in rows:
        keep(Report("returned_mail", str(row.pk) + kind, kind, Sending(row.pk, 0), "5.1.1", None, b"d" * 32))
    apply_events()


@pytest.mark.django_db(transaction=True)
def test_bounces_and_complaints_that_come_later_stop_it_too(settings: Settings) -> None:
    settings.BREACHDESK = with_limits(alarm_least=10)
    edition = being_sent(Schedule(), people=addresses(60))
    approver = make_user("approver")
    rows = settle(edition, *[Kind.HANDED_OVER] * 20)
    came_back(rows[:2], What.BOUNCED)
    came_back(rows[2:9], What.DELAYED)
    came_back(rows[9:19], What.AUTO_REPLIED)
    assert not alarms.pause_if_needed(edition.pk), "two of twenty are at the limit; delays and answers are none"
    came_back(rows[2:3], What.BOUNCED)
    assert alarms.pause_where_needed() == 1
    resume_edition(edition, by=approver)

    came_back(rows[3:12], What.BOUNCED)
    assert not alarms.pause_if_needed(edition.pk), "they are about messages from before somebody let it go on"
    rows = settle(edition, *[Kind.HANDED_OVER] * 20)
    assert standing_of(edition) == Counted(0, 0, 0, 0, 20)
    came_back(rows[:1], What.COMPLAINED)
    alarms._next_look.clear()
    assert alarms.pause_where_needed() == 1
    whys = [event.content["data"]["why"] for event in Event.objects.filter(type="edition.paused").order_by("pk")]
    assert whys == ["bounces", "complaints"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ahead", ["edition.resumed", "edition.started"])
def test_a_web_server_whose_clock_is_an_hour_ahead_makes_no_alarm_wait_for_it(settings: Settings, ahead: str) -> None:
    settings.BREACHDESK = with_limits(alarm_least=5)
    edition = make_edition_being_sent()
    if ahead == "edition.resumed":
        pause_edition(edition, by=make_user("approver"))
        resume_edition(edition, by=make_user("approver"))
    with unguarded():
        Event.objects.filter(type=ahead).update(at=timezone.now() + timedelta(hours=1))
    assert standing_of(edition) == Counted(0, 0, 0, 0, 0)
    settle(edition, Kind.REFUSED, Kind.REFUSED)
    assert standing_of(edition) == Counted(2, 0, 0, 0, 2)


@pytest.mark.django_db(transaction=True)
def test_one_that_cannot_be_stopped_now_keeps_no_other_going(settings: Settings) -> None:
    """A worker that froze in a commit holds the hand-overs of the first one that is looked at."""
    settings.BREACHDESK = with_limits(alarm_least=2)
    for edition in make_edition_being_sent(), make_edition_being_sent():
        settle(edition, Kind.REFUSED, Kind.REFUSED)
    first, _ = Edition.objects.sending()
    with another_session() as other, connection.cursor() as cursor:
        other.execute("SELECT pg_advisory_lock(%s)", [delivery.edition_key(first.pk)])
        cursor.execute("SET lock_timeout = '20s'")  # else whoever waits for it waits for ever
        try:
            assert alarms.pause_where_needed() == 1
        finally:
            cursor.execute("RESET lock_timeout")
    assert list(Edition.objects.sending()) == [first]
    alarms._next_look.clear()
    assert alarms.pause_where_needed() == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_few_are_judged_more_strictly_and_only_once() -> None:
    edition = being_sent(Schedule(canary=25), people=addresses(40))
    approver = make_user("approver")
    with sink(Fault("rcpt", "550 5.1.1 nobody", times=2)) as caught:
        drain(edition)
        edition.refresh_from_db()
        assert edition.state == "paused"
        assert states(edition)["refused"] == 2
        first = Event.objects.get(type="edition.paused").content["data"]["why"]
        assert first in ("canary", "refusals")
        resume_edition(edition, by=approver)
        drain(edition)
        if first == "refusals":  # it struck before all of them were through
            edition.refresh_from_db()
            assert edition.state == "paused"
            resume_edition(edition, by=approver)
            drain(edition)
    assert states(edition) == {"handed_over": 38, "refused": 2}
    assert set(caught.times().values()) == {1}
    whys = [event.content["data"]["why"] for event in Event.objects.filter(type="edition.paused").order_by("pk")]
    assert whys in (["canary"], ["refusals", "canary"])


@pytest.mark.django_db(transaction=True)
def test_a_complaint_among_the_first_few_stops_it_at_once() -> None:
    edition = being_sent(Schedule(canary=10), people=addresses(30))
    taken = pace.take(None, edition.pk, 3, None)
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(taken.token, {row.id: b"c" * 32 for row in taken.rows})
        delivery.settle(taken.token, [(row.id, 0, Outcome(Kind.HANDED_OVER, Phase.DOT, 250)) for row in taken.rows])
        close_batch(taken.token)
    assert not alarms.pause_if_needed(edition.pk)
    came_back([Delivery.objects.get(pk=taken.rows[0].id)], What.COMPLAINED)
    began = timezone.now()
    assert alarms.pause_if_needed(edition.pk)
    said = Event.objects.get(type="edition.paused")
    assert said.at >= began
    assert measured(said.content["data"]) == "1 of 10 messages were reported as unwanted: 10 %, and one is too many."
