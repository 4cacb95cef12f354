"""Who was reached by a notice, who was not, and of whom that is not known yet: in all its languages, and by place.

Nobody is guessed about. *Reached* is who got the message as far as anybody can know: delivered, marked as unwanted
(whoever does that has it), handed over with nothing heard back for the silence term, taken as sent by a colleague, or
written to by post. *Not reached* is what ended elsewhere. The rest is *not yet known*. A letter counts only where
email came to nothing, and once it was posted.

Two counts by the database, each reading one table and the people of it once; no name, no address is opened.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from breachdesk.people.countries import country_name
from breachdesk.people.states import STATES
from notifications.audience import audience_from
from notifications.models import Delivery, Letter, Notice
from notifications.recipients import last_event

State = Delivery.State
SILENCE: Final = timedelta(hours=24)
"""For so long after a hand-over a bounce may still come. Most come within minutes; RFC 5321 lets a host try for days,
and what comes later still counts: then who was reached is not any more."""
QUEUED: Final = timedelta(days=5)
"""For so long a mail host that put a message off may keep trying before it gives up and says so: RFC 5321 section
4.5.4.1 asks for four to five days. A provider's soft bounce is followed by nothing: nobody will know more of it."""
KEPT_SECONDS: Final = 5.0
REACHED, NOT_REACHED, NOT_KNOWN = "reached", "not_reached", "not_known"


@dataclass(frozen=True)
class Way:
    """One way a notice can have ended for somebody, or stands: a key, which of the three it is, and its words."""

    key: str
    kind: str
    words: str
    note: str = ""


WAYS: Final = (
    Way("delivered", REACHED, "Delivered", "Their mail server said so"),
    Way("complained", REACHED, "Delivered, and marked as unwanted", "Whoever marks it has it"),
    Way("silent", REACHED, "Handed over, and nothing came back", "No bounce within 24 hours; more cannot be known"),
    Way("assumed_sent", REACHED, "Taken as sent", "By a colleague's decision about an unknown hand-over"),
    Way("posted", REACHED, "Letter posted", "After email came to nothing, or where there is no address"),
    Way("bounced", NOT_REACHED, "Came back", "The email bounced"),
    Way("refused", NOT_REACHED, "Refused", "Their mail server did not take it"),
    Way("blocked", NOT_REACHED, "Stopped", "The message could not be made, or the person's row changed"),
    Way("no_email", NOT_REACHED, "No email address", "A postal address is on the list"),
    Way("no_address", NOT_REACHED, "No address at all", "Neither email nor post"),
    Way("held", NOT_REACHED, "On hold", "Nothing goes to them while somebody has a reason"),
    Way("not_sent", NOT_REACHED, "Not sent", "The send was aborted, or they were taken off before their turn"),
    Way("fresh", NOT_KNOWN, "Handed over, less than 24 hours ago", "A bounce may still come"),
    Way("delayed", NOT_KNOWN, "Put off by their mail host", "It may still arrive, or come back within five days"),
    Way("unknown", NOT_KNOWN, "Unknown", "Contact was lost at the last moment; it may have arrived"),
    Way("letter", NOT_KNOWN, "Letter not posted yet", "It is being made, or printed"),
    Way("waiting", NOT_KNOWN, "Waiting for their turn", "Planned, on the wire, put off, or not begun"),
)
SHOWN_AS: Final = (
    (NOT_REACHED, "Not reached", "stop", "alarm"),
    (NOT_KNOWN, "Not yet known", "circle-dashed", "soon"),
    (REACHED, "Reached", "circle-check", "good"),
)
FIRST_PLACES: Final = 8
KIND_OF: Final = {way.key: way.kind for way in WAYS}

# Of deliveries `d` with people `p` and letters `l` of runs `r`.
_BY_POST = """
CASE WHEN r.state = 'posted' THEN 'posted' WHEN r.state IN ('making', 'ready') THEN 'letter' ELSE {or_else} END
"""
_OF_DELIVERIES = """
SELECT p.country, CASE WHEN p.country = 'US' THEN p.state ELSE '' END,
    CASE WHEN d.state IN ('delivered', 'complained', 'assumed_sent', 'unknown') THEN d.state
        WHEN d.state = 'handed_over' AND (o.is_last_word OR (NOT o.is_last_word AND d.settled_at >= %(queued_since)s))
            THEN 'delayed'
        WHEN d.state = 'handed_over' AND d.settled_at < %(silent_before)s THEN 'silent'
        WHEN d.state = 'handed_over' THEN 'fresh'
        WHEN d.state IN ('bounced', 'refused', 'blocked') THEN {by_post_or_state}
        WHEN d.state IN ('cancelled', 'suppressed') THEN {by_post_or_not_sent}
        WHEN p.held THEN 'held' ELSE 'waiting' END AS way,
    count(*)
FROM notifications_delivery AS d JOIN people_person AS p ON p.id = d.person_id
LEFT JOIN notifications_letter AS l ON l.notice_id = d.notice_id AND l.person_id = d.person_id AND l.voided_at IS NULL
LEFT JOIN notifications_letterrun AS r ON r.id = l.run_id
LEFT JOIN (SELECT delivery_id, coalesce(generation, 0) AS generation,
        bool_or(source NOT IN ('returned_mail', 'postfix_log')) AS is_last_word
    FROM notifications_mailevent WHERE kind = 'delayed' GROUP BY 1, 2) AS o
    ON o.delivery_id = d.id AND o.generation = d.generation
WHERE d.notice_id = %(notice)s GROUP BY 1, 2, 3
""".replace("{by_post_or_state}", _BY_POST.format(or_else="d.state")).replace(
    "{by_post_or_not_sent}", _BY_POST.format(or_else="'not_sent'")
)


@dataclass(frozen=True)
class Place:
    """A country, or a part of the United States, with how many people are in each way."""

    code: str
    ways: Counter[str]

    @property
    def name(self) -> str:
        country, _, part = self.code.partition("-")
        if not country:
            return "Country not known"
        return f"{country_name(country)}: {STATES.get(part, part)}" if part else country_name(country)

    @property
    def people(self) -> int:
        return self.ways.total()

    def of_kind(self, kind: str) -> int:
        return sum(number for way, number in self.ways.items() if KIND_OF[way] == kind)

    @property
    def reached(self) -> int:
        return self.of_kind(REACHED)

    @property
    def not_reached(self) -> int:
        return self.of_kind(NOT_REACHED)

    @property
    def not_known(self) -> int:
        return self.of_kind(NOT_KNOWN)


@dataclass(frozen=True)
class Kind:
    """One of the three, with the ways in which people came to it, and how the page shows it."""

    label: str
    icon: str
    tone: str
    people: int
    ways: list[tuple[Way, int]]


@dataclass(frozen=True)
class Reach:
    """Everybody whom the notice is for, by place; `at` is when that was counted."""

    places: tuple[Place, ...]
    at: datetime

    @property
    def all(self) -> Place:
        return Place("", sum((place.ways for place in self.places), Counter()))

    @property
    def ways(self) -> list[tuple[Way, int]]:
        whole = self.all.ways
        return [(way, whole[way.key]) for way in WAYS if whole[way.key]]

    @property
    def kinds(self) -> list[Kind]:
        """Those that somebody is in; what is left to do comes first."""
        found = [
            Kind(label, icon, tone, self.all.of_kind(kind), [one for one in self.ways if one[0].kind == kind])
            for kind, label, icon, tone in SHOWN_AS
        ]
        return [kind for kind in found if kind.people]

    @property
    def by_need(self) -> list[Place]:
        """Where most people were not reached comes first, then where it is not known of most."""
        return sorted(self.places, key=lambda place: (-place.not_reached, -place.not_known, -place.people, place.code))

    @property
    def first_places(self) -> list[Place]:
        """A few, or all where not many more are left."""
        return self.by_need[:FIRST_PLACES] if len(self.places) > FIRST_PLACES + 2 else self.by_need

    @property
    def other_places(self) -> list[Place]:
        return self.by_need[len(self.first_places) :]

    @property
    def others_not_reached(self) -> int:
        return sum(place.not_reached for place in self.other_places)

    @property
    def bar(self) -> list[tuple[str, str, int]]:
        whole = self.all
        return [
            ("delivered", "Reached", whole.reached),
            ("bounced", "Not reached", whole.not_reached),
            ("unknown", "Not yet known", whole.not_known),
        ]


_remembered: dict[UUID, tuple[int, float, Reach]] = {}


def reach_of(notice: Notice, *, fresh: bool = False) -> Reach:
    """Counted once per event and for five seconds at least; however long the list, a tenth of the time goes into it."""
    began, event = time.monotonic(), last_event(notice.incident, messages=True)
    seen, until, kept = _remembered.get(notice.pk, (-1, 0.0, None))
    if kept and not fresh and (began < until or (event == seen and began < until + 60)):
        return kept
    if len(_remembered) > 100:
        _remembered.clear()
    counted = count_reach(notice, timezone.now())
    now = time.monotonic()
    _remembered[notice.pk] = (event, now + max(KEPT_SECONDS, 9 * (now - began)), counted)
    return counted


def count_reach(notice: Notice, now: datetime) -> Reach:
    places: dict[str, Counter[str]] = {}
    for count in (_with_a_delivery, _without_one):
        for country, part, way, number in count(notice, now):
            code = f"{country}-{part}" if part else country
            places.setdefault(code, Counter())[way] += number
    found = [Place(code, ways) for code, ways in places.items()]
    return Reach(tuple(sorted(found, key=lambda place: (-place.people, place.code))), now)


Rows = Iterable[tuple[str, str, str, int]]
_Count = Callable[[Notice, datetime], Rows]


def _with_a_delivery(notice: Notice, now: datetime) -> Rows:
    with connection.cursor() as cursor:
        times = {"silent_before": now - SILENCE, "queued_since": now - QUEUED}
        cursor.execute(_OF_DELIVERIES, {"notice": notice.pk, **times})
        return list(cursor.fetchall())


def _without_one(notice: Notice, now: datetime) -> Rows:
    """Those of its audience to whom no edition was planned: no address, on hold, or not begun."""
    mine = Delivery.objects.filter(notice=notice, person=OuterRef("pk"))
    letters = Letter.objects.filter(notice=notice, person=OuterRef("pk"), voided_at=None)
    way = Case(
        When(Exists(letters.filter(run__state="posted")), then=Value("posted")),
        When(held=True, then=Value("held")),
        When(Exists(letters.filter(run__state__in=["making", "ready"])), then=Value("letter")),
        When(has_email=True, then=Value("waiting")),
        When(has_post=True, then=Value("no_email")),
        default=Value("no_address"),
    )
    part = Case(When(Q(country="US"), then="state"), default=Value(""))
    people = audience_from(notice.audience).people_of(notice.incident).filter(~Exists(mine)).order_by()
    return people.values_list("country", part, way).annotate(n=Count("pk"))
