"""Of one delivery that people must decide about: everything that is known of how far its message came."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from breachdesk.people.overview import MaskedPerson, masked_people
from notifications.editions import the_organisation
from notifications.mail_events import came_later
from notifications.models import Batch, Delivery, Edition, MailEvent
from notifications.reconciling import ABSENT
from notifications.unknowns import Doubt, is_over, silence

SOURCES = {"postfix_log": "The relay’s log", "provider_export": "The provider’s list"}
HEARD = {
    "accepted": "it was taken",
    "delivered": "their mail server took it",
    "bounced": "it came back",
    "complained": "it was marked as unwanted",
    "delayed": "it was taken, and put off further on",
    "auto_replied": "an answering machine replied",
}


@dataclass(frozen=True)
class Heard:
    words: str
    at: datetime | None


@dataclass(frozen=True)
class Case:
    """One of them, as the page shows it."""

    doubt: Doubt
    person: MaskedPerson | None
    route: int | None
    worker: str
    message_id: str
    heard: Sequence[Heard]

    @property
    def is_over(self) -> bool:
        return is_over(self.doubt)

    @property
    def over_at(self) -> datetime | None:
        return self.doubt.settled_at + silence() if self.doubt.settled_at else None


def cases_of(edition: Edition, doubts: Sequence[Doubt]) -> list[Case]:
    """A fixed number of questions, for as many as fit on one page."""
    batches = Batch.objects.in_bulk([doubt.token for doubt in doubts if doubt.token])
    people = {one.pk: one for one in masked_people(edition.notice.incident, _people(doubts))}
    heard, noted = _heard(doubts), _recovered(edition, batches)
    domain = the_organisation().sender_email.rpartition("@")[2]
    return [
        Case(
            doubt,
            people.get(doubt.person),
            batches[doubt.token].route if doubt.token in batches else None,
            _worker(doubt, noted),
            f"<{doubt.id}@{domain}>",
            heard[doubt.id],
        )
        for doubt in doubts
    ]


def _people(doubts: Sequence[Doubt]) -> list[Person]:
    return list(Person.objects.filter(pk__in=[doubt.person for doubt in doubts]))


def _heard(doubts: Sequence[Doubt]) -> Mapping[UUID, list[Heard]]:
    found: dict[UUID, list[Heard]] = defaultdict(list)
    generations = {doubt.id: doubt.generation for doubt in doubts}
    for event in came_later([Delivery(pk=doubt.id) for doubt in doubts]):
        assert event.delivery_id is not None
        found[event.delivery_id].append(Heard(_words(event, generations[event.delivery_id]), event.at))
    return found


def _words(event: MailEvent, generation: int) -> str:
    source = SOURCES.get(event.source, "The mail provider")
    if event.kind == ABSENT:
        said = f"{source} is whole for that time and does not have it: the relay never had it"
    else:
        said = f"{source}: {HEARD.get(event.kind, event.kind)}{f' ({event.enhanced})' if event.enhanced else ''}"
    return said if (event.generation or 0) == generation else f"{said}; of an earlier sending"


def _recovered(edition: Edition, batches: Mapping[UUID, Batch]) -> set[str]:
    """Batches whose worker died, and that were settled by its journal."""
    events = Event.objects.of_incident(edition.incident_id).of_types(["delivery.recovered"])
    return {event.content["data"]["batch"] for event in events.on_objects([str(pk) for pk in batches])}


def _worker(doubt: Doubt, recovered: set[str]) -> str:
    if doubt.ended_in == "lost":
        return "Its worker stopped, and no journal of it could be read"
    if str(doubt.token) in recovered:
        return "Its worker stopped; its journal has the final dot of this message, and no answer"
    if doubt.ended_in == "dot":
        return "The worker itself lost contact after the final dot"
    return ""
