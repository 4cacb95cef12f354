"""What came later about one person's messages, in words: for the person's page and for whoever answers them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from breachdesk.accounts.models import User
from breachdesk.people.models import Person
from breachdesk.people.sent import Came, Sent, tells_of_person
from notifications.mail_events import Kind, came_later
from notifications.models import Delivery, MailEvent
from notifications.reasons import REASONS

State = Delivery.State
WORDS: dict[str, str] = {
    Kind.DELIVERED: "Their mail server took it",
    Kind.BOUNCED: "It came back",
    Kind.COMPLAINED: "They reported it as unwanted",
    Kind.DELAYED: "Their mail server put it off",
    Kind.AUTO_REPLIED: "An automatic reply came",
}
TONES: dict[str, str] = {Kind.BOUNCED: "alarm", Kind.COMPLAINED: "soon", Kind.DELAYED: "soon"}


@dataclass(frozen=True)
class Later:
    """`code` is the mail server's own (RFC 3463), where it gave one."""

    words: str
    code: str
    at: datetime
    tone: str


def later_of(deliveries: Iterable[Delivery]) -> dict[UUID, tuple[Later, ...]]:
    """By delivery, in the order in which it came. That a provider took it over is no news to anybody."""
    known = {delivery.pk: delivery for delivery in deliveries}
    found: dict[UUID, list[Later]] = {}
    for event in came_later(known.values()):
        if event.delivery_id and event.kind in WORDS:
            found.setdefault(event.delivery_id, []).append(_told(event, known[event.delivery_id]))
    return {delivery: tuple(told) for delivery, told in found.items()}


def _told(event: MailEvent, delivery: Delivery) -> Later:
    words = WORDS[event.kind]
    if event.kind in (Kind.BOUNCED, Kind.DELAYED) and event.enhanced:
        words += next(
            (f": {why[0].lower()}{why[1:]}" for start, why in REASONS if event.enhanced.startswith(start)), ""
        )
    if (event.generation or 0) != delivery.generation:
        words += ", of an earlier sending"
    return Later(words, event.enhanced, event.at or event.received_at, TONES.get(event.kind, ""))


@tells_of_person
def sent_to(person: Person, user: User) -> list[Sent]:
    """Each notice that was meant for them, as it stands, and what came later."""
    deliveries = list(Delivery.objects.visible_to(user).to_people_of(person.incident, [person]))
    later = later_of(deliveries)
    return [
        Sent(
            title=delivery.notice.title,
            words=delivery.get_state_display(),
            at=delivery.settled_at or delivery.handing_over_at,
            later=tuple(Came(one.words, one.code, one.at) for one in later.get(delivery.pk, ())),
        )
        for delivery in deliveries
    ]
