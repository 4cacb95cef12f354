"""Deliveries that only people may decide about: of which nobody knows whether they left, and which were stopped.

They are chosen by a rule, never one by one: the state, how far the message had come (or why it was stopped), what was
heard of it since, the batch, the domain of the address as a blind index, and whether the term of silence is over.
Whoever decides names the rule and the root over the rows it gave them, so that nothing is decided about a row that they
did not see.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Sum
from django.utils import timezone

from breachdesk.people.models import Person
from breachdesk.people.personal import cipher_while_it_lives, personal_of
from breachdesk.vault.sealing import Cipher, SealBroken
from notifications import delivery
from notifications.composing import domain_index, domain_of
from notifications.models import Delivery, DeliveryDecision, Edition, MailEvent
from notifications.progress import KEPT_SECONDS, TIMES_AS_LONG, is_long
from notifications.recipients import address_on
from notifications.reconciling import ABSENT, PROVES
from notifications.replanning import root_of_deliveries

UNKNOWN, BLOCKED = Delivery.State.UNKNOWN, Delivery.State.BLOCKED
TOLD = "told"  # of what was stopped: something says that it was sent all the same
OVER, YOUNG = "over", "young"
NOTHING = "nothing"
HEARD = {TOLD: "It was sent", ABSENT: "The relay never had it", NOTHING: "Nothing was heard"}
LEAST_SHOWN = 5  # people who share a domain before its name is told
MOST_BY_DOMAIN = 10_000
MOST_SHOWN = 8  # lists kept for a moment
PHASES = {
    "dot": "Written whole; no answer was read",
    "lost": "Its worker stopped, and no journal says how far it had come",
    "body": "Contact was lost while it was written",
    "data": "Contact was lost when it was to be written",
    TOLD: "It was sent all the same, as a log or a provider says",
}
HARD_LIMIT = timedelta(seconds=75)  # a worker's task lives this long besides its wait for the last answer

# The last answer to each; of a row that a restore brought back there may be none.
FIND = """
SELECT d.id, d.person_id, d.rung, d.token, d.tries, d.generation, d.handing_over_at,
    coalesce(a.closed_at, d.settled_at), d.decision_id, coalesce(a.phase, ''), coalesce(a.reason, ''), a.domain,
    EXISTS (
        SELECT FROM notifications_mailevent AS m WHERE m.delivery_id = d.id AND m.kind = ANY(%(proves)s)
          AND coalesce(m.generation, 0) >= d.generation), EXISTS (
        SELECT FROM notifications_mailevent AS m WHERE m.delivery_id = d.id AND m.kind = %(absent)s
          AND m.generation = d.generation)
FROM notifications_delivery AS d LEFT JOIN LATERAL (
    SELECT t.closed_at, t.phase, t.reason, t.domain FROM notifications_attempt AS t
    WHERE t.delivery_id = d.id AND t.outcome = d.state ORDER BY t.closed_at DESC LIMIT 1) AS a ON TRUE
WHERE d.notice_id = %(notice)s AND d.edition_id = %(edition)s AND d.state = %(state)s
  AND NOT (d.state = 'blocked' AND EXISTS (SELECT FROM notifications_amendment AS m WHERE m.id = d.amendment_id
           AND m.approved_at IS NULL AND m.voided_at IS NULL))
ORDER BY d.handing_over_at, d.id
"""


class Doubt(NamedTuple):
    """One delivery, with what a rule asks of it."""

    id: UUID
    person: UUID
    rung: int
    token: UUID | None
    tries: int
    generation: int
    at: datetime | None
    settled_at: datetime | None
    decision: UUID | None
    ended_in: str
    reason: str
    domain: bytes | None  # of the address that was tried, as a blind index; a row that a restore brought back has none
    is_told: bool
    is_absent: bool

    @property
    def heard(self) -> str:
        return TOLD if self.is_told else ABSENT if self.is_absent else NOTHING

    @property
    def phase(self) -> str:
        """How far it had come; of what was stopped, why, as a code."""
        if self.is_told:
            return TOLD
        return sha256(self.reason.encode()).hexdigest()[:12] if self.ended_in == "render" else self.ended_in or "lost"

    @property
    def words(self) -> str:
        if self.phase in PHASES:
            return PHASES[self.phase]
        return self.reason or "Nothing is noted"


@dataclass(frozen=True)
class Rule:
    """Which of them. Every part may be empty; `domain` is a blind index in hexadecimal digits."""

    of: str = UNKNOWN
    phase: str = ""
    heard: str = ""
    batch: str = ""
    domain: str = ""
    age: str = ""

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Rule":
        """What is not understood chooses nobody rather than everybody."""
        of = BLOCKED if query.get("of") == BLOCKED else UNKNOWN
        return cls(of, *(query.get(name, "").strip()[:80] for name in ("phase", "heard", "batch", "domain", "age")))

    @property
    def stated(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def coded(self) -> list[str]:
        """For the trail."""
        return [f"{name}={sha256(value.encode()).hexdigest()[:16]}" for name, value in sorted(self.stated.items())]

    @property
    def is_narrow(self) -> bool:
        return bool(self.phase or self.heard or self.batch or self.domain or self.age)


@dataclass(frozen=True)
class Choice:
    """A value of a filter, with how many there are."""

    value: str
    label: str
    number: int


@dataclass(frozen=True)
class Group:
    """Those who came equally far and of whom the same was heard."""

    rule: Rule
    words: str
    heard: str
    number: int
    over: int

    @property
    def query(self) -> str:
        return urlencode(self.rule.stated)


@dataclass(frozen=True)
class Chosen:
    """All of a state, those that the rule gives, and what else could be asked for."""

    rule: Rule
    all: Sequence[Doubt]
    rows: Sequence[Doubt]
    domains: Mapping[UUID, tuple[str, str]] = field(default_factory=dict)

    @property
    def ids(self) -> list[UUID]:
        return [row.id for row in self.rows]

    @cached_property
    def root(self) -> bytes:
        return root_of_deliveries(self.ids)

    @cached_property
    def ripe(self) -> int:
        return sum(is_over(row) for row in self.rows)

    @cached_property
    def told(self) -> int:
        return sum(row.is_told for row in self.rows)

    @property
    def ripe_at(self) -> datetime | None:
        """When the youngest of them may be asked about."""
        return max((row.settled_at + silence() for row in self.rows if row.settled_at), default=None)

    @cached_property
    def groups(self) -> list[Group]:
        """The largest first."""
        found: dict[tuple[str, str], list[Doubt]] = defaultdict(list)
        for row in self.all:
            found[row.phase, row.heard].append(row)
        groups = [
            Group(Rule(self.rule.of, *key), rows[0].words, HEARD[key[1]], len(rows), sum(map(is_over, rows)))
            for key, rows in found.items()
        ]
        return sorted(groups, key=lambda group: (-group.number, group.words))

    @cached_property
    def heards(self) -> list[Choice]:
        return _choices(Counter(row.heard for row in self.all), HEARD)

    @cached_property
    def phases(self) -> list[Choice]:
        words = {row.phase: row.words for row in self.all}
        return _choices(Counter(row.phase for row in self.all), words)

    @cached_property
    def batches(self) -> list[Choice]:
        at = {str(row.token): row.at for row in self.all if row.token}
        words = {token: f"Taken {moment:%H:%M:%S}" if moment else "Taken" for token, moment in at.items()}
        return _choices(Counter(str(row.token) for row in self.all if row.token), words)[:100]

    @cached_property
    def ages(self) -> list[Choice]:
        counts = Counter(OVER if is_over(row) else YOUNG for row in self.all)
        words = {OVER: f"{silence_hours()} hours or older", YOUNG: f"Younger than {silence_hours()} hours"}
        return _choices(counts, words)

    @cached_property
    def domain_choices(self) -> list[Choice]:
        """Those that enough people share; a domain of few could name one of them."""
        counts = Counter(self.domains[row.id] for row in self.all if row.id in self.domains)
        shown = [(index, name, number) for (index, name), number in counts.most_common(50) if number >= LEAST_SHOWN]
        return [Choice(index, name, number) for index, name, number in shown if name]


def silence_hours() -> int:
    hours: int = settings.BREACHDESK.silence_hours
    return hours


def silence() -> timedelta:
    """Nobody may ask to send again before: time for evidence, and never less than a worker could live."""
    return max(timedelta(hours=silence_hours()), timedelta(seconds=2 * delivery.terms().lease) + HARD_LIMIT)


def is_over(row: Doubt) -> bool:
    return row.settled_at is not None and timezone.now() - row.settled_at >= silence()


def chosen_by(edition: Edition, rule: Rule, *, with_domains: bool = False) -> Chosen:
    """In the order in which they were handed over."""
    everybody = _found(edition, rule.of)
    domains = domains_of(edition, everybody) if (with_domains or rule.domain) and everybody else {}
    rows = [row for row in everybody if _fits(row, rule, domains)]
    return Chosen(rule, everybody, rows, domains)


_shown: dict[tuple[UUID, Rule, object], tuple[float, Chosen]] = {}


def shown_by(edition: Edition, rule: Rule) -> Chosen:
    """As chosen_by, for a page: of a long list what this process found lately. Whoever decides is held to the list."""
    if not is_long(edition) or cipher_while_it_lives(edition.incident_id) is None:
        return chosen_by(edition, rule, with_domains=True)
    decided = edition.delivery_decisions.aggregate(Count("pk"), Sum("version"))
    key = edition.pk, rule, tuple(decided.values())  # whoever decided sees at once what is left
    until, kept = _shown.get(key, (0.0, None))
    if kept is None or time.monotonic() >= until:
        began = time.monotonic()
        kept = chosen_by(edition, rule, with_domains=True)
        now = time.monotonic()
        if len(_shown) >= MOST_SHOWN:
            _shown.clear()
        _shown[key] = now + max(KEPT_SECONDS, TIMES_AS_LONG * (now - began)), kept
    return kept


def waiting_question(edition: Edition) -> DeliveryDecision | None:
    """What a second person is asked about; of an edition one at a time."""
    return DeliveryDecision.objects.filter(edition=edition).waiting().select_related("asked_by").first()


def asked_about(decision: DeliveryDecision) -> tuple[list[UUID], list[UUID]]:
    """The rows of a question, and those of them whose outcome is still not known, nor told by what waits to be applied
    by the sweeper."""
    waiting = MailEvent.objects.filter(delivery=OuterRef("pk"), kind__in=PROVES, applied_at=None)
    rows = Delivery.objects.filter(decision=decision).annotate(is_heard=Exists(waiting))
    found = rows.values_list("pk", "state", "is_heard")
    return [pk for pk, *_ in found], [pk for pk, state, is_heard in found if state == UNKNOWN and not is_heard]


def counts_of(editions: Iterable[Edition]) -> dict[UUID, dict[str, int]]:
    """How many people of each wait for somebody's decision."""
    tallies = Delivery.objects.tally(editions)
    return {pk: waiting_of(tally) for pk, tally in tallies.items()}


def waiting_of(counts: Mapping[str, int]) -> dict[str, int]:
    return {state: counts[state] for state in (UNKNOWN, BLOCKED) if counts.get(state)}


def _found(edition: Edition, state: str) -> list[Doubt]:
    named: dict[str, Any] = {
        "notice": edition.notice_id,
        "edition": edition.pk,
        "state": state,
        "proves": PROVES,
        "absent": ABSENT,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND, named)
        return [Doubt(*row) for row in cursor.fetchall()]


def _fits(row: Doubt, rule: Rule, domains: Mapping[UUID, tuple[str, str]]) -> bool:
    return (
        (not rule.phase or row.phase == rule.phase)
        and (not rule.heard or row.heard == rule.heard)
        and (not rule.batch or str(row.token) == rule.batch)
        and (not rule.domain or domains.get(row.id, ("", ""))[0] == rule.domain)
        and (not rule.age or rule.age == (OVER if is_over(row) else YOUNG))
    )


def domains_of(edition: Edition, rows: Sequence[Doubt]) -> dict[UUID, tuple[str, str]]:
    """By delivery: the blind index of the domain of the address, and its name where enough share it.

    Nobody is opened for the index but whose try did not note it, and one person for each name. Nothing once the key is
    destroyed.
    """
    cipher = cipher_while_it_lives(edition.incident_id)
    if cipher is None:
        return {}
    found = {row.id: row.domain for row in rows if row.domain}
    found |= _domains_of_people(cipher, [row for row in rows if not row.domain])
    sharing = Counter(found.values())
    one_of = {found[row.id]: row for row in rows if row.id in found and sharing[found[row.id]] >= LEAST_SHOWN}
    names = _names(cipher, one_of)
    return {delivery: (index.hex(), names.get(index, "")) for delivery, index in found.items()}


def _domains_of_people(cipher: Cipher, rows: Sequence[Doubt]) -> dict[UUID, bytes]:
    if len(rows) > MOST_BY_DOMAIN:
        return {}
    people = Person.objects.in_bulk([row.person for row in rows])
    indexes = {row.id: domain_index(cipher, _domain_of(cipher, row, people)) for row in rows}
    return {delivery: index for delivery, index in indexes.items() if index}


def _names(cipher: Cipher, one_of: Mapping[bytes, Doubt]) -> dict[bytes, str]:
    people = Person.objects.in_bulk([row.person for row in one_of.values()])
    names = {index: _domain_of(cipher, row, people) for index, row in one_of.items()}
    return {index: name for index, name in names.items() if domain_index(cipher, name) == index}


def _domain_of(cipher: Cipher, row: Doubt, people: Mapping[UUID, Person]) -> str:
    """The domain that was tried; empty where the row is gone or was changed."""
    if (person := people.get(row.person)) is None:
        return ""
    try:
        personal = personal_of(cipher, person)
    except SealBroken:
        return ""
    return domain_of(address_on(row.rung, personal))


def _choices(counts: Counter[str], words: Mapping[str, str]) -> list[Choice]:
    return [Choice(value, words[value], number) for value, number in counts.most_common()]
