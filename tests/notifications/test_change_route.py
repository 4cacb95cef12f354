"""A second way out: by a person's decision, for who was not begun yet; doubt on the first way stays where it is."""

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError

from breachdesk.audit.models import Event
from notifications import delivery, routes
from notifications.actions import change_route
from notifications.ends import End
from notifications.models import Batch, Edition
from notifications.schedule import Schedule
from notifications.second_way import check_second_way
from tests.factories import make_user
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.sink import Fault, Sink

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = {"second_transport": "smtp", "second_smtp_host": "127.0.0.1", "second_smtp_security": "none"}


def test_the_others_take_the_second_way_and_who_is_in_doubt_stays_so() -> None:
    edition, sender = being_sent(Schedule(), people=addresses(12)), make_user("approver")
    doubt = Fault("dot", "take_and_drop", who="person0003")
    with Sink() as second, sink(doubt, second_smtp_port=second.port, smtp_connections=1, **SECOND) as first:
        token, rows = delivery.claim(edition.pk, 4)
        assert len(rows) == 4
        assert drain(edition) is End.NOTHING_DUE
        assert states(edition) == {
            "claimed": 4,
            **({"handed_over": 8} if not _doubtful(edition) else {"handed_over": 7, "unknown": 1}),
        }
        assert change_route(edition, route=routes.SECOND, by=sender, reason="It is down.") == 0
        with pytest.raises(ValidationError, match="by that way already"):
            change_route(edition, route=routes.SECOND, by=sender, reason="It is down.")
        delivery.give_back(token)
        before = len(first.caught)
        assert drain(edition) is End.NOTHING_DUE
    assert len(first.caught) == before == 8
    assert len(second.caught) == 4
    assert set((first.times() + second.times()).values()) == {1}
    assert sorted(Batch.objects.exclude(rows=0).values_list("route", "rows")) == [(1, 8), (2, 4)]
    data = Event.objects.of_type("edition.route_changed").get().content["data"]
    assert (data["route"], data["before"], data["epoch"]) == (2, 1, 2)
    assert Edition.objects.get().route == 2


def _doubtful(edition: Edition) -> bool:
    return bool(states(edition)["unknown"])


def test_what_was_claimed_for_the_first_way_never_takes_the_second() -> None:
    edition = being_sent(Schedule(), people=addresses(3))
    with Sink() as second, sink(second_smtp_port=second.port, **SECOND) as first:
        token, rows = delivery.claim(edition.pk, 3, epoch=edition.epoch)
        change_route(edition, route=routes.SECOND, by=make_user("approver"), reason="It is down.")
        delivery.share_hand_overs(edition.pk)
        assert delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows}) == set()
        delivery.give_back(token)
        assert delivery.claim(edition.pk, 3, epoch=edition.epoch)[1] == [], "a worker of the epoch before"
        drain(edition)
    assert (len(first.caught), len(second.caught)) == (0, 3)


def test_who_may_and_which_way_there_is() -> None:
    edition, sender = being_sent(Schedule(), people=addresses(1)), make_user("approver")
    with pytest.raises(ValidationError, match="not set up"):
        change_route(edition, route=2, by=sender, reason="It is down.")
    with sink(**SECOND):
        with pytest.raises(PermissionDenied):
            change_route(edition, route=2, by=make_user("dpo"), reason="It is down.")
        with pytest.raises(ValidationError, match="Say why"):
            change_route(edition, route=2, by=sender, reason="")
    assert Edition.objects.get().route == 1


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({}, []),
        (SECOND, []),
        ({"second_smtp_host": "b.example.com"}, ["E010"]),
        ({"second_transport": "smtp"}, ["E011"]),
        (SECOND | {"second_smtp_user": "us"}, ["E012"]),
        (SECOND | {"second_smtp_port": 25, "smtp_port": 25, "smtp_host": "127.0.0.1"}, ["E013"]),
        ({"second_transport": "anymail.backends.postmark.EmailBackend"}, ["E014"]),
        ({"second_transport": "anymail.backends.test.EmailBackend"}, []),
    ],
)
def test_half_a_second_way_is_told_at_the_start(changes: dict[str, object], numbers: list[str]) -> None:
    before = settings.BREACHDESK
    settings.BREACHDESK = before.model_copy(update=changes)
    try:
        found = check_second_way()
    finally:
        settings.BREACHDESK = before
    assert [error.id for error in found] == [f"notifications.{number}" for number in numbers]
