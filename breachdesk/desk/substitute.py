"""Where a public notice may, or must, stand for single ones: each law's conditions beside the numbers of the case.

A law of the catalogue that has a substitute notice names up to two thresholds, and all of them know a third: people of
whom we have no address that works, from ten on in federal laws and from the first in those of the states. What it
consists of are keys; their words are here. Whether a condition is met is arithmetic; whether a public notice is made is
a person's decision, and so is the cost of a letter.

People are counted where they live. Whose country or state is not known is in no law's numbers, and beside all that may
count them.

Where a law gives no number ("disproportionate effort", GDPR Article 34(3)(c)), its own words are shown, and nothing is
worked out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db import connection

from breachdesk.incidents.models import Incident
from breachdesk.people.models import RejectedRow, Upload
from notifications.recipients import last_event
from regulators.catalogue.notice_rules import Basis, Substitute
from regulators.catalogue.rules import Duty, Recipient
from regulators.listing import name_of
from regulators.models import DutyMet
from regulators.obligations import Obligation, Verdict
from regulators.standing import standing_of

DUTY: Final = "substitute_notice"
"""Of a DutyMet: no duty of the catalogue, whose own duty to tell people is met by single notices."""
PARTS: Final[Mapping[str, str]] = {
    "email_if_address_held": "An email to everybody whose address we hold",
    "conspicuous_website_posting": "A notice on our website that nobody can overlook",
    "statewide_media": "A notice to media that reach the whole state",
    "newspaper_or_media": "A notice in a newspaper, or in other media",
    "website_or_major_media_90_days": "A notice on the home page for 90 days, or in major print or broadcast media",
    "toll_free_number_90_days": "A telephone number that costs nothing, for at least 90 days",
}
# How a law without a number speaks of it.
_IN_PUBLIC = re.compile(r"\bpublic (?:notice|announcement)|\bby publication|\bwebsite notice", re.IGNORECASE)
# Nobody is left without a way whose postal address can be printed, or to whom an email of any notice may have come. Of
# an address that could not be printed that is known for as long as the row stays; a hold left out of a file is none.
_COUNT = """
SELECT p.country, CASE WHEN p.country = 'US' THEN p.state ELSE '' END, count(*), count(*) FILTER (
    WHERE NOT p.held
    AND (NOT p.has_email OR (
        EXISTS (SELECT FROM notifications_delivery AS d WHERE d.person_id = p.id AND d.state IN ('refused', 'bounced'))
        AND NOT EXISTS (SELECT FROM notifications_delivery AS d WHERE d.person_id = p.id
            AND d.state NOT IN ('refused', 'bounced', 'blocked', 'cancelled', 'suppressed'))))
    AND (NOT p.has_post OR (
        EXISTS (SELECT FROM notifications_letter AS l JOIN notifications_letterrun AS r ON r.id = l.run_id
            WHERE l.person_id = p.id AND l.voided_at IS NOT NULL AND r.voided_at IS NULL
            AND r.state IN ('ready', 'posted') AND l.frozen IS NOT DISTINCT FROM notifications_frozen_row(p)
            AND NOT EXISTS (SELECT FROM people_hold AS h WHERE h.person_id = p.id AND h.placed_at <= l.voided_at
                AND coalesce(h.released_at, 'infinity') >= r.made_at))
        AND NOT EXISTS (SELECT FROM notifications_letter AS l WHERE l.person_id = p.id AND l.voided_at IS NULL))))
FROM people_person AS p JOIN people_upload AS u ON u.id = p.upload_id
WHERE p.incident_id = %(incident)s AND u.state = 'loaded' AND NOT p.withdrawn GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Numbers:
    """Of one place: who is affected, and of whom no address works."""

    people: int = 0
    unreachable: int = 0

    def __add__(self, other: "Numbers") -> "Numbers":
        return Numbers(self.people + other.people, self.unreachable + other.unreachable)


NOBODY: Final = Numbers()
NOWHERE: Final = ("", "US")
"""Codes of people who are counted in no state: their country, or their part of the United States, is not known."""


@dataclass(frozen=True)
class Condition:
    """One way in which a law lets a public notice stand for single ones, with our number beside its own."""

    words: str
    is_met: bool
    standing: str


@dataclass(frozen=True)
class PublicNotice:
    """One law at one place."""

    obligation: Obligation
    rule: Substitute
    numbers: Numbers
    conditions: tuple[Condition, ...]
    met: DutyMet | None = None

    @property
    def place(self) -> str:
        """With the law's name where a country has several."""
        place, law = self.obligation.place, self.obligation.regime.name
        return f"{name_of(place)}: {law}" if place and "-" not in place else name_of(place or law)

    @property
    def key(self) -> str:
        return f"{self.obligation.regime.id}.{self.obligation.place}"

    @property
    def parts(self) -> list[str]:
        return [PARTS.get(part, part.replace("_", " ").capitalize()) for part in self.rule.parts]

    @property
    def is_owed(self) -> bool:
        """Nobody else can tell these people: no address of them works."""
        return self.numbers.unreachable >= self.rule.unreachable_at_least

    @property
    def is_allowed(self) -> bool:
        return any(condition.is_met for condition in self.conditions)

    @property
    def is_certain(self) -> bool:
        """Whether the law's own duty to tell people is."""
        return self.obligation.verdict == Verdict.OWED

    @property
    def source(self) -> Basis:
        delivery = self.obligation.regime.delivery
        assert delivery is not None
        return delivery.source

    @property
    def confidence(self) -> str:
        delivery = self.obligation.regime.delivery
        return delivery.confidence if delivery else ""

    @property
    def for_how_many(self) -> int:
        """The people it would be for: all of the place where a threshold lets it, else those without an address."""
        whole = any(condition.is_met for condition in self.conditions[1:])
        return self.numbers.people if whole else self.numbers.unreachable


@dataclass(frozen=True)
class InWords:
    """A law that names no number: what it says of a public notice."""

    place: str
    article: str
    note: str


@dataclass(frozen=True)
class Watch:
    notices: tuple[PublicNotice, ...]
    in_words: tuple[InWords, ...]
    numbers: Numbers
    unplaced: Numbers
    never_taken_in: int
    cost: Decimal | None

    @property
    def owed(self) -> list[PublicNotice]:
        return [one for one in self.notices if one.is_owed and one.met is None]

    @property
    def is_certain(self) -> bool:
        """Whether any of those that owe one certainly applies to the case."""
        return any(one.is_certain for one in self.owed)

    @property
    def allowed(self) -> list[PublicNotice]:
        return [one for one in self.notices if one.is_allowed and not one.is_owed and one.met is None]

    @property
    def published(self) -> list[PublicNotice]:
        return [one for one in self.notices if one.met]

    @property
    def others(self) -> list[PublicNotice]:
        return [one for one in self.notices if not one.is_allowed and one.met is None]

    def notice(self, key: str) -> PublicNotice | None:
        return next((one for one in self.notices if one.key == key), None)


def watch_of(incident: Incident, now: datetime, cost: Decimal | None = None) -> Watch:
    """`cost` is what one letter costs in dollars, as somebody states it; without it no cost is compared."""
    standing, numbers = standing_of(incident, now), numbers_of(incident)
    telling = [duty.obligation for duty in standing.duties if duty.obligation.duty.tell == Recipient.PEOPLE]
    asked = [one for one in telling if one.verdict != Verdict.NOT_OWED]
    published = {(met.regime, met.place): met for met in DutyMet.objects.of(incident).filter(duty=DUTY)}
    # What was published stays, whatever the case says since.
    shown = [
        one
        for one in telling
        if (one.regime.id, one.place) in published or (one in asked and _of_law(one, numbers).people > 0)
    ]
    notices = [_notice(one, numbers, published, cost) for one in shown if _rule_of(one)]
    notices.sort(key=lambda one: (-one.numbers.unreachable, not one.is_allowed, one.place))
    contact = RejectedRow.objects.filter(upload__incident=incident, upload__state=Upload.State.LOADED, reason="contact")
    whole = sum(numbers.values(), NOBODY)
    unplaced = sum((numbers.get(code, NOBODY) for code in NOWHERE), NOBODY)
    return Watch(tuple(notices), tuple(_in_words(asked)), whole, unplaced, contact.count(), cost)


def numbers_of(incident: Incident) -> dict[str, Numbers]:
    """By country, and by part of the United States (US-CA); counted once per event of the case."""
    return dict(_counted(incident.pk, last_event(incident, messages=True)))


@lru_cache(maxsize=32)
def _counted(incident_id: UUID, _last_event: int) -> tuple[tuple[str, Numbers], ...]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"incident": incident_id})
        rows = cursor.fetchall()
    return tuple((f"{country}-{part}" if part else country, Numbers(*both)) for country, part, *both in rows)


def _rule_of(one: Obligation) -> Substitute | None:
    return one.regime.delivery.substitute if one.regime.delivery else None


def _of_law(one: Obligation, numbers: Mapping[str, Numbers]) -> Numbers:
    """A law of a whole country has the people of all its parts."""
    places = _places_of(one)
    return sum((found for code, found in numbers.items() if {code, code[:2]} & places), NOBODY)


def _not_known_of(one: Obligation, numbers: Mapping[str, Numbers]) -> Numbers:
    """Who may live there and may not: of no known country, or of no known part of it."""
    elsewhere = {""} | {place[:2] for place in _places_of(one) if "-" in place}
    return sum((numbers.get(code, NOBODY) for code in elsewhere), NOBODY)


def _places_of(one: Obligation) -> set[str]:
    return {one.place} if one.place else set(one.regime.places)


def _notice(
    one: Obligation,
    numbers: Mapping[str, Numbers],
    published: Mapping[tuple[str, str], DutyMet],
    cost: Decimal | None,
) -> PublicNotice:
    rule, here = _rule_of(one), _of_law(one, numbers)
    assert rule is not None
    conditions = tuple(_conditions(rule, here, cost, _not_known_of(one, numbers)))
    return PublicNotice(one, rule, here, conditions, published.get((one.regime.id, one.place)))


def _conditions(
    rule: Substitute, here: Numbers, cost: Decimal | None, not_known: Numbers = NOBODY
) -> Iterable[Condition]:
    least = rule.unreachable_at_least
    words = "No address that works" if least == 1 else f"{least} people or more without an address that works"
    yield Condition(words, here.unreachable >= least, _people(here.unreachable) + _more(not_known.unreachable))
    if rule.people_over is not None:
        words = f"More than {rule.people_over:,} people to be told"
        yield Condition(words, here.people > rule.people_over, f"{here.people:,} here{_more(not_known.people)}")
    if rule.cost_over_usd is not None:
        words = f"Letters to all would cost more than ${rule.cost_over_usd:,}"
        if cost is None:
            yield Condition(words, False, "Not compared: nobody said what a letter costs")
        else:
            whole = here.people * cost
            yield Condition(words, whole > rule.cost_over_usd, f"{here.people:,} × ${cost} = ${whole:,.2f}")


def _more(number: int) -> str:
    return f", and up to {number:,} more of whom it is not known where they live" if number else ""


def _in_words(telling: Iterable[Obligation]) -> Iterable[InWords]:
    """One for all the places of which the same is said."""
    said: dict[tuple[str, str], list[str]] = {}
    for one in telling:
        if _rule_of(one) is None and (note := words_of(one.duty)):
            said.setdefault((one.duty.article, note), []).append(name_of(one.place or one.regime.name))
    return [InWords(", ".join(places), article, note) for (article, note), places in said.items()]


def words_of(duty: Duty) -> str:
    """What the catalogue says where it speaks of telling people in public, about the duty or about its time."""
    texts = (duty.note, duty.clock.reading, duty.expected.reading if duty.expected else "")
    return " ".join(text for text in texts if _IN_PUBLIC.search(text))


def _people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"
