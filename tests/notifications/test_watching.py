"""What the send page says beyond its counts: why, at which hosts, batch by batch; and what is changed there."""

import re
import time
from itertools import count
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications import routes, sweeping
from notifications.actions import change_rate, pause_edition
from notifications.models import Attempt, Delivery, Edition
from notifications.progress import Progress, shared, spark_of
from notifications.schedule import Rate, Schedule
from tests.factories import make_user, unguarded
from tests.notifications.limited import addresses, being_sent, drain, sink, states
from tests.notifications.sink import Fault

pytestmark = pytest.mark.django_db(transaction=True)
BROKEN = [*addresses(6, "broken.example"), *addresses(2, "own.example"), *addresses(12)]


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def text_of(page: bytes) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.decode()).split())


def test_reasons_hosts_and_batches(client: Client) -> None:
    """Six refused at one host and two at somebody's own: the first is named to who may see people, the other never."""
    edition = being_sent(Schedule(per_minute=60_000), people=BROKEN)
    with sink(smtp_connections=1) as caught:
        caught.faults += [Fault("rcpt", "550 5.1.1 nobody", who=to) for to in BROKEN[:7]]
        caught.faults += [Fault("rcpt", "451 4.7.1 later", who=BROKEN[7])]
        drain(edition)
    assert states(edition) == {"refused": 7, "retry_wait": 1, "handed_over": 12}
    kept = [bytes(one) for one in Attempt.objects.values_list("domain", flat=True)]
    assert len(set(kept)) == 2
    assert not any(b"example" in one for one in kept)

    client.force_login(make_user("approver"))
    page = text_of(client.get(address("send", edition)).content)
    assert "The address does not exist or cannot take mail 550 5.1.1 , at 2 mail hosts 7" in page
    assert "Put off by the receiver’s policy 451 4.7.1 , at 1 mail host 1" in page
    assert "broken.example 6 6 0 0 Host 2, not named here 2 1 1 0" in page
    assert "own.example" not in page
    assert re.search(r"Settled 20 12 7 1 0 0", page), "what became of the batch"
    client.force_login(make_user("auditor"))
    page = text_of(client.get(address("send", edition)).content)
    assert "broken.example" not in page
    assert page.count(", not named here") == 2

    assert "Change the limits" not in page, "who may not send is shown no form"
    assert client.post(address("edition-rate", edition), {}).status_code == 403


def test_the_limits_are_changed_in_place_and_without_scripts(client: Client) -> None:
    edition = being_sent(Schedule(per_minute=60), people=addresses(3))
    client.force_login(make_user("approver"))
    typed = {"version": edition.version, "per_minute": "600", "per_domain": "", "at_once": "", "reason": ""}
    refused = client.post(address("edition-rate", edition), typed)
    assert refused.status_code == 422
    assert "Say why: it stands in the trail." in refused.content.decode()
    assert "Not reached at once" in refused.content.decode(), "the whole page, without scripts"
    answer = client.post(
        address("edition-rate", edition), typed | {"reason": "Faster."}, headers={"HX-Request": "true"}
    )
    assert "From now on: 600 a minute." in text_of(answer.content)
    assert "approved was 60 a minute" in text_of(answer.content)
    assert "<main" not in answer.content.decode()
    version = Edition.objects.get().version
    stale = client.post(address("edition-rate", edition), typed | {"reason": "Late."})
    assert "changed by somebody else" in stale.content.decode()
    back = client.post(address("edition-rate", edition), {"version": version, "reason": "Calm again.", "approved": "1"})
    assert back.status_code == 302
    assert Edition.objects.get().rate is None


def test_what_the_approval_and_the_proof_say_of_a_change(client: Client) -> None:
    edition = being_sent(Schedule(per_minute=60), people=addresses(3))
    change_rate(edition, rate=Rate(per_minute=30), by=make_user("approver"), reason="The relay asked for it.")
    client.force_login(make_user("auditor"))
    page = text_of(client.get(address("send", edition)).content)
    assert "approved: 60 a minute" in page
    assert "At most 60 messages a minute in all." in text_of(client.get(address("edition-detail", edition)).content)


def test_a_way_that_does_not_answer_is_told_and_the_other_offered(client: Client) -> None:
    edition = being_sent(Schedule(), people=addresses(3))
    before = settings.BREACHDESK
    settings.BREACHDESK = before.model_copy(
        update={"smtp_port": 9, "smtp_connections": 1, "second_transport": "smtp", "second_smtp_host": "b.example.com"}
    )
    try:
        drain(edition)
        client.force_login(make_user("approver"))
        page = text_of(client.get(address("send", edition)).content)
        assert "Nothing goes out by 127.0.0.1:9, since" in page
        assert "Let the others take the other way" in page
        asked = text_of(client.get(address("edition-route", edition)).content)
        assert "Let the others leave by b.example.com:587?" in asked
        told = client.post(address("edition-route", edition), {"version": edition.version, "reason": "Down."})
        assert told.status_code == 302
    finally:
        settings.BREACHDESK = before
        cache.delete("way-1")
    assert Edition.objects.get().route == routes.SECOND


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("canary", "The first few are through"),
        ("changed_since_approval", "what would go out is not what was approved"),
        ("something_new", "It paused by itself. "),
    ],
)
def test_why_it_stands_still_and_what_can_be_done(client: Client, why: str, says: str) -> None:
    edition = being_sent(Schedule(), people=addresses(2))
    sweeping.pause_by_itself(edition.pk, why=why)
    client.force_login(make_user("dpo"))
    page = text_of(client.get(address("send", edition)).content)
    assert says in page
    assert "A colleague who may send lets it go on." in page


def test_what_the_first_few_told_is_counted_in_the_database(client: Client) -> None:
    """Of eight, one is put off; the other seven were answered, or may have arrived."""
    edition = being_sent(Schedule(), people=addresses(8))
    became = ["delivered", "delivered", "delivered", "bounced", "refused", "complained", "unknown", "retry_wait"]
    with unguarded():
        for row, state in zip(Delivery.objects.filter(edition=edition), became, strict=True):
            waits = state == "retry_wait"
            row.state, row.token, row.next_at = state, uuid4(), timezone.now() if waits else None
            row.save()
    sweeping.pause_by_itself(edition.pk, why="canary")
    client.force_login(make_user("approver"))
    page = text_of(client.get(address("send", edition)).content)
    for line in (
        "Delivered, as far as is known 3 42.9 % –",
        "Refused or bounced 2 28.6 % 5 %",
        "Reported as unwanted 1 14.3 % 0 %",
        "Not known 1 14.3 % 0 %",
        "Put off for now 1 12.5 % –",
    ):
        assert line in page
    assert page.index("The first few are through") < page.index("Delivered, as far as is known")


def test_fifty_who_watch_cost_one_look_and_one_drawing(client: Client) -> None:
    edition = being_sent(Schedule(per_minute=600), people=addresses(3))
    watchers = [Client() for _ in range(3)]
    for watcher, role in zip(watchers, ("auditor", "auditor", "responder"), strict=True):
        watcher.force_login(make_user(role, email=f"{id(watcher)}@example.com"))
        watcher.get(address("send-numbers", edition))
    with CaptureQueriesContext(connection) as seen:
        for watcher in watchers:
            assert "handed over" in watcher.get(address("send-numbers", edition)).content.decode()
    assert [query["sql"] for query in seen if "notifications_delivery" in query["sql"]] == []
    assert len(seen) <= 3 * 5, "who asks, what they may, and the edition"
    pause_edition(edition, by=make_user("dpo"), reason="Stop.")
    assert "Paused:" in watchers[0].get(address("send-numbers", edition)).content.decode(), "at once"


def test_the_picture_of_speed_has_the_limit_in_it() -> None:
    seen = Progress({}, (100, 200, 150, 0, 50))
    spark = spark_of(seen, 180)
    assert spark is not None
    assert (spark.top, spark.minutes, spark.cap) == (200, 5, 13.2)
    assert spark.trace == "M0.0 47.0 30.0 60.0 60.0 21.0 90.0 8.0 120.0 34.0"
    assert spark_of(Progress({}, (100, 200))) is None
    assert spark_of(seen, 10_000).cap is None, "far above the picture"  # type: ignore[union-attr]
    assert (seen.per_minute, seen.capacity) == (100, 200)


def test_a_clock_that_was_wrong_for_a_moment_leaves_no_page_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour ahead, a look was kept until then."""
    key, looks, right = f"counts-{uuid4()}", count(), time.time

    def look() -> int:
        return shared(key, lambda: next(looks), at_least=60)

    monkeypatch.setattr(time, "time", lambda: right() + 3600)
    assert [look(), look()] == [0, 0]
    monkeypatch.setattr(time, "time", right)
    assert [look(), look()] == [1, 1]
