"""Why people were not reached at once: by what the mail servers said, and at whose mail host.

Which mail host that is stands in the database as a blind index alone, and only of what was not taken. Its name is shown
by opening one person of the group, to colleagues who may see people; a host of few people stays nameless, because a
domain of one's own is a name.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.urls import NoReverseMatch, reverse

from breachdesk.accounts.models import User
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import Cipher, KeyDestroyed, SealBroken, cipher_for
from notifications.composing import domain_index, domain_of
from notifications.models import Delivery, Edition
from notifications.progress import shared
from notifications.recipients import address_on

State = Delivery.State
LEAST_NAMED = 5  # people
SHOWN_HOSTS = 8
RECENT = timedelta(minutes=10)
KEPT_SECONDS = 10.0
REASONS = (
    ("5.1", "The address does not exist or cannot take mail"),
    ("5.2", "The mailbox is full or closed"),
    ("4.2", "The mailbox is full or busy"),
    ("5.4", "The receiving network could not be reached"),
    ("4.4", "The receiving network could not be reached"),
    ("5.7", "Refused by the receiver’s policy"),
    ("4.7", "Put off by the receiver’s policy"),
    ("5", "Refused for good"),
    ("4", "Put off for now"),
)

# Attempts hold nothing but what was not taken at once, so this reads as many rows as there was trouble. What a provider
# or an answering mail told later stands in mail events.
TROUBLE = """
SELECT outcome, code, enhanced, reason, domain, count(DISTINCT delivery), max(at), count(*) FILTER (WHERE is_recent),
    min(person::text)::uuid
FROM (
    SELECT a.outcome, a.code, a.enhanced, a.reason, a.domain, a.delivery_id AS delivery, a.closed_at AS at, d.rung,
        a.closed_at > now() - make_interval(secs => %(recent)s) AS is_recent,
        CASE WHEN d.rung = 0 THEN d.person_id END AS person
    FROM notifications_attempt AS a JOIN notifications_delivery AS d ON d.id = a.delivery_id
    WHERE d.notice_id = %(notice)s AND d.edition_id = %(edition)s AND a.outcome = d.state AND a.n = d.tries
      AND a.outcome IN ('unknown', 'refused', 'retry_wait')
    UNION ALL
    SELECT a.outcome, a.code, a.enhanced, a.reason, a.domain, a.delivery_id, a.closed_at, d.rung,
        a.closed_at > now() - make_interval(secs => %(recent)s), CASE WHEN d.rung = 0 THEN d.person_id END
    FROM notifications_attempt AS a JOIN notifications_delivery AS d ON d.id = a.delivery_id
    WHERE d.notice_id = %(notice)s AND d.edition_id = %(edition)s AND a.outcome = 'blocked' AND d.state = 'blocked'
    UNION ALL
    SELECT DISTINCT ON (d.id) d.state, NULL::int, m.enhanced, '', NULL::bytea, d.id, m.received_at, d.rung,
        m.received_at > now() - make_interval(secs => %(recent)s), NULL::uuid
    FROM notifications_delivery AS d JOIN notifications_mailevent AS m ON m.delivery_id = d.id AND m.kind = d.state
    WHERE d.notice_id = %(notice)s AND d.edition_id = %(edition)s AND d.state IN ('bounced', 'complained')
) AS trouble GROUP BY 1, 2, 3, 4, 5 ORDER BY 6 DESC LIMIT 2000
"""


@dataclass(frozen=True)
class Trouble:
    """One answer at one mail host: how many people, and one of them by whom the host's name can be found."""

    outcome: str
    code: int | None
    enhanced: str
    reason: str
    domain: bytes
    people: int
    last_at: datetime
    recent: int
    person: UUID | None

    @property
    def answer(self) -> str:
        return f"{self.code or ''} {self.enhanced}".strip()


@dataclass(frozen=True)
class Reason:
    words: str
    answer: str
    people: int
    outcome: str
    last_at: datetime
    recent: int
    hosts: int
    what_now: str
    action: str  # the name of the address where somebody decides

    @property
    def trend(self) -> str:
        return f"{self.recent:,} in the last ten minutes"

    def address(self, edition: Edition) -> str:
        found = address_of(self.action, edition)
        return f"{found}?of=blocked" if found and self.outcome == State.BLOCKED else found


@dataclass(frozen=True)
class Host:
    """`name` is empty for whom it must not be shown to, and where too few people would stand behind it."""

    name: str
    people: int
    refused: int
    put_off: int
    unknown: int
    recent: int


def trouble_of(edition: Edition) -> list[Trouble]:
    """One look for all who watch."""
    return shared(f"trouble-{edition.pk}", lambda: _look(edition), at_least=KEPT_SECONDS)


def _look(edition: Edition) -> list[Trouble]:
    with connection.cursor() as cursor:
        cursor.execute(TROUBLE, {"edition": edition.pk, "notice": edition.notice_id, "recent": RECENT.total_seconds()})
        rows = list(cursor.fetchall())
    return [
        Trouble(outcome, code, enhanced, reason, bytes(domain or b""), people, last_at, recent, person)
        for outcome, code, enhanced, reason, domain, people, last_at, recent, person in rows
    ]


def reasons_of(edition: Edition, trouble: Iterable[Trouble] | None = None) -> list[Reason]:
    """The most frequent reason first."""
    groups: dict[tuple[str, str, str], list[Trouble]] = defaultdict(list)
    for row in _look(edition) if trouble is None else trouble:
        groups[row.outcome, row.reason or _words(row), row.answer].append(row)
    found = [_reason(*key, rows) for key, rows in groups.items()]
    return sorted(found, key=lambda one: (-one.people, not one.answer, one.words))


def _reason(outcome: str, words: str, answer: str, rows: list[Trouble]) -> Reason:
    what_now, action = _what_now(outcome)
    return Reason(
        words,
        answer,
        people=sum(row.people for row in rows),
        outcome=outcome,
        last_at=max(row.last_at for row in rows),
        recent=sum(row.recent for row in rows),
        hosts=len({row.domain for row in rows if row.domain}),
        what_now=what_now,
        action=action,
    )


def _words(row: Trouble) -> str:
    if row.outcome == State.UNKNOWN:
        return "Contact lost after the message was written, before the answer"
    if row.outcome == State.COMPLAINED:
        return "Reported as unwanted by whoever got it"
    told = row.enhanced or str(row.code or "")
    none = "Came back, and no reason was given" if row.outcome == State.BOUNCED else "The relay gave no reason"
    return next((words for start, words in REASONS if told.startswith(start)), none)


def _what_now(outcome: str) -> tuple[str, str]:
    match outcome:
        case State.UNKNOWN:
            return "Never sent again by itself: decide what becomes of them", "unknown"
        case State.RETRY_WAIT:
            return "Tried again by itself", ""
        case State.BLOCKED:
            return "Stopped before it left: correct the list, or give them up", "unknown"
        case State.COMPLAINED:
            return "They have it. Tell them who you are when they call", ""
        case _:
            return "Not tried again: second address, or a letter", "edition-second-address"


def address_of(name: str, edition: Edition) -> str:
    """Empty where this installation has no such page."""
    try:
        return reverse(name, args=[edition.notice.incident.reference, edition.pk]) if name else ""
    except NoReverseMatch:
        return ""


def hosts_of(edition: Edition, user: User, trouble: Iterable[Trouble]) -> list[Host]:
    """At whose mail host most people were not reached; what is told of hosts we do not know of is left out."""
    groups: dict[bytes, list[Trouble]] = defaultdict(list)
    for row in trouble:
        if row.domain and row.outcome != State.BLOCKED:
            groups[row.domain].append(row)
    largest = sorted(groups.items(), key=lambda group: -sum(row.people for row in group[1]))[:SHOWN_HOSTS]
    names = _names(edition, largest) if user.has_perm("people.reveal_person") else {}
    return [_host(names.get(domain, ""), rows) for domain, rows in largest]


def _host(name: str, rows: list[Trouble]) -> Host:
    def of(outcome: str) -> int:
        return sum(row.people for row in rows if row.outcome == outcome)

    people, recent = sum(row.people for row in rows), sum(row.recent for row in rows)
    return Host(name, people, of(State.REFUSED), of(State.RETRY_WAIT), of(State.UNKNOWN), recent)


def _names(edition: Edition, groups: list[tuple[bytes, list[Trouble]]]) -> dict[bytes, str]:
    """Of each group that is large enough, from the address of one of its people; nothing is kept."""
    found = {
        domain: next((row.person for row in rows if row.person), None)
        for domain, rows in groups
        if sum(row.people for row in rows) >= LEAST_NAMED
    }
    try:
        cipher = cipher_for(edition.incident_id)
    except KeyDestroyed:
        return {}
    people = Person.objects.in_bulk([person for person in found.values() if person])
    named = {domain: _domain_of(cipher, people[person]) for domain, person in found.items() if person in people}
    return {domain: name for domain, name in named.items() if domain_index(cipher, name) == domain}


def _domain_of(cipher: Cipher, person: Person) -> str:
    try:
        return domain_of(address_on(0, personal_of(cipher, person)))
    except SealBroken:
        return ""
