"""When a send stops by itself: too many refusals and bounces, complaints or doubts among what was answered.

Counted are messages answered since the start, or since a person last let it go on: whoever looked and went on is not
stopped again for the same numbers, nor for what comes later about messages from before. A worker looks within seconds
of trouble of its own, the sweeper at all others. Going on repeats nobody: a pause only keeps back what has not begun.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from breachdesk.accounts.decisions import ask_for_decision
from breachdesk.audit.models import Event
from notifications import delivery, sweeping
from notifications.models import Edition, Pace
from notifications.one_by_one import apart_from_others
from notifications.schedule import Schedule
from notifications.transport import Kind

LOOK_EVERY = 1.0  # seconds after which a worker asks itself whether its answers look bad
FEW = 200  # answers below which a worker asks the database about any failure
ASKED = "notifications.send_edition"
CLOCKS_APART = timedelta(minutes=1)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
BEGAN = ("edition.started", "edition.resumed", "edition.reopened")
COUNT = """
SELECT count(*) FILTER (WHERE state = 'refused'), count(*) FILTER (WHERE state = 'bounced'),
    count(*) FILTER (WHERE state = 'complained'), count(*) FILTER (WHERE state = 'unknown'), count(*)
FROM notifications_delivery WHERE edition_id = %s AND settled_at > %s
  AND state IN ('handed_over', 'delivered', 'bounced', 'complained', 'refused', 'unknown', 'assumed_sent')
"""
WORDS = {
    "refusals": "were refused or came back",
    "bounces": "were refused or came back",
    "complaints": "were reported as unwanted",
    "unknowns": "may have arrived or not",
}


@dataclass(frozen=True)
class Counted:
    """Messages answered since a person let it go, by what is wrong with them."""

    refused: int
    bounced: int
    complained: int
    unknown: int
    answered: int

    @property
    def failed(self) -> int:
        return self.refused + self.bounced


@dataclass(frozen=True)
class Alarm:
    """`number` of `of` messages, more than so many thousandths."""

    why: str
    number: int
    of: int
    thousandths: int

    @property
    def words(self) -> str:
        share = _per_cent(1000 * self.number / self.of)
        limit = f"the limit is {_per_cent(self.thousandths)}" if self.thousandths else "one is too many"
        return f"{self.number:,} of {self.of:,} messages {WORDS[self.why]}: {share}, and {limit}."


def _per_cent(thousandths: float) -> str:
    return f"{thousandths / 10:.1f}".removesuffix(".0") + " %"


def alarm_of(counted: Counted, *, first: int = 0) -> Alarm | None:
    """What is too much, the worst first. `first`: how many the canary wave has that is under way; they are taken
    together from the beginning, so that one refusal among the first three is one of all of them."""
    limits = settings.BREACHDESK.alarm_limits
    of = max(counted.answered, first)
    if not first and counted.answered < settings.BREACHDESK.alarm_least:
        return None
    failed = "bounces" if counted.bounced > counted.refused else "refusals"
    found = (
        ("complaints", counted.complained, "complained"),
        ("unknowns", counted.unknown, "unknown"),
        (failed, counted.failed, "failed"),
    )
    for why, number, name in found:
        limit = limits[f"canary_{name}" if first else name]
        if number and number > limit * of and limit < 1:
            return Alarm(why, number, of, round(1000 * limit))
    return None


def counted_since(edition: Edition, since: datetime) -> Counted:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [edition.pk, since])
        return Counted(*cursor.fetchone())


def let_go_at(edition: Edition) -> datetime | None:
    """When a person last had it sent: by starting it, or by letting it go on.

    That is by the clock of their web server. One that was far ahead would count no answer until then, so it is passed
    over for the time before: better to stop once more for the same numbers than for none.
    """
    if edition.started_at is None:
        return None
    begun = Event.objects.of_incident(edition.incident_id).of_types(BEGAN).on_objects([str(edition.pk)])
    last = begun.between(None, delivery.now_of_database() + CLOCKS_APART).newest_first().first()
    return last.at if last else LONG_AGO


def standing_of(edition: Edition) -> Counted | None:
    """Its numbers as the alarms see them."""
    since = let_go_at(edition)
    return counted_since(edition, since) if since else None


def canary_under_way(edition: Edition) -> int:
    """How many the first wave has while it is not through; 0 else."""
    first = Schedule.from_json(edition.schedule).canary_of(edition.recipients_count or 0)
    is_through = Pace.objects.filter(edition=edition.pk, domain=b"", canary_at__isnull=False).exists()
    return 0 if is_through else first


@transaction.atomic
def pause_if_needed(edition_id: UUID) -> bool:
    """Measure, and stop the edition if it is too bad. Colleagues who may send it are asked."""
    edition = Edition.objects.sending().select_related("notice__incident").filter(pk=edition_id).first()
    counted = standing_of(edition) if edition else None
    if edition is None or counted is None:
        return False
    alarm = alarm_of(counted, first=canary_under_way(edition))
    if alarm is None:
        return False
    if sweeping.pause_after_canary(edition_id):
        return True  # its first few are through: that is when people look anyway, and the page has the numbers
    said = {"number": alarm.number, "answered": alarm.of, "thousandths": alarm.thousandths}
    if not sweeping.pause_by_itself(edition_id, why=alarm.why, **said):
        return False
    _ask(Edition.objects.select_related("notice__incident").get(pk=edition_id), alarm)
    return True


def _ask(edition: Edition, alarm: Alarm) -> None:
    reference = edition.notice.incident.reference
    ask_for_decision(
        ASKED,
        on=edition,
        url=reverse("send", args=[reference, edition.pk]),
        sentence=f"{reference}: a notice stopped by itself. {alarm.words} Somebody decides whether it goes on.",
        by=None,
    )


_next_look: dict[UUID, float] = {}


def pause_where_needed() -> int:
    """Every edition that is being sent, each at most for a twentieth of the time. Returns how many were stopped."""
    stopped = 0
    for edition_id in Edition.objects.sending().values_list("pk", flat=True):
        began = time.monotonic()
        if began >= _next_look.get(edition_id, 0.0):
            with apart_from_others(f"Alarms of edition {edition_id}"):
                stopped += pause_if_needed(edition_id)
            now = time.monotonic()
            _next_look[edition_id] = now + 19 * (now - began)
    return stopped


def is_worth_a_look(kinds: Mapping[Kind, int]) -> bool:
    """Whether what one worker heard could be too much; the count in the database decides."""
    refused, unknown = kinds[Kind.REFUSED], kinds[Kind.UNKNOWN]
    answered, limits = kinds[Kind.HANDED_OVER] + refused + unknown, settings.BREACHDESK.alarm_limits
    if answered < FEW:
        return refused + unknown > 0
    return bool(refused > limits["failed"] * answered or unknown > limits["unknown"] * answered)


def measured(data: Mapping[str, Any]) -> str:
    """The numbers for which it stopped, from the data of its event; empty where it stopped for something else."""
    if data.get("why") not in WORDS or not data.get("answered"):
        return ""
    return Alarm(data["why"], data["number"], data["answered"], data["thousandths"]).words
