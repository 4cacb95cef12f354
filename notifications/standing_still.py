"""Why an edition stands still, in words, and what somebody can do about it now."""

from dataclasses import dataclass

from django.conf import settings

from breachdesk.audit.models import Event
from notifications.alarms import measured
from notifications.models import Delivery, Edition
from notifications.progress import Progress

State = Delivery.State

# By what its event says; alarms.py measures the shares.
WHYS = {
    "canary": "The first few are through: have a look before the others get it.",
    "changed_since_approval": "It paused by itself: what would go out is not what was approved.",
    "refusals": "It paused by itself: too many were refused.",
    "bounces": "It paused by itself: too many came back.",
    "complaints": "It paused by itself: too many reported it as unwanted.",
    "unknowns": "It paused by itself: of too many it is not known whether they got it.",
}
WHAT_NOW = {
    "canary": "Look for refusals that share a reason, for answers that came to the reply address, and at one of the "
    "messages in an inbox of your own. Then go on, or abort.",
    "changed_since_approval": "A fact of the incident, the organisation’s page or the list of people has changed. "
    "Change it back and go on; or abort, and have the others approved as a new edition.",
    "refusals": "See below what the mail servers said and at which hosts. Where they share a reason, mend that first: "
    "going on makes it worse for the next ones.",
    "bounces": "An old list, or addresses mistyped when the list was made: look at a few people, then decide.",
    "complaints": "Look at the message as its readers see it. Mail hosts stop taking mail from a sender that is "
    "complained about.",
    "unknowns": "Find out why contact is lost before you go on: each further one is somebody of whom nobody can say.",
}
OTHER = ("It paused by itself.", "See below what the mail servers said, then go on or abort.")


@dataclass(frozen=True)
class Share:
    """What the first few told, beside how much of it would stop the send by itself."""

    label: str
    number: int
    of: int
    limit: float | None = None

    @property
    def per_cent(self) -> str:
        return f"{100 * self.number / self.of:.1f} %" if self.of else "–"

    @property
    def limit_in_words(self) -> str:
        return "" if self.limit is None else f"{100 * self.limit:g} %"

    @property
    def is_over(self) -> bool:
        return self.limit is not None and self.number > self.limit * self.of


@dataclass(frozen=True)
class Standstill:
    """`why` is a code, empty where a person paused it."""

    why: str
    words: str
    what_now: str
    shares: tuple[Share, ...] = ()


def standstill_of(edition: Edition, progress: Progress) -> Standstill | None:
    if edition.state != Edition.State.PAUSED:
        return None
    if edition.stopped_by_id:
        return Standstill("", "", "")
    events = Event.objects.of_incident(edition.incident_id).of_type("edition.paused").on_objects([str(edition.pk)])
    event = events.newest_first().first()
    data = event.content["data"] if event else {}
    why = str(data.get("why", ""))
    words = f"{WHYS.get(why, OTHER[0])} {measured(data)}".rstrip()
    return Standstill(why, words, WHAT_NOW.get(why, OTHER[1]), _first_few(progress) if why == "canary" else ())


def _first_few(progress: Progress) -> tuple[Share, ...]:
    limits = settings.BREACHDESK.alarm_limits
    answered = progress.handed_over + progress.number(State.REFUSED) + progress.unknown
    return (
        Share("Delivered, as far as is known", progress.number(State.DELIVERED), answered),
        Share("Refused or bounced", progress.failed, answered, limits["canary_failed"]),
        Share("Reported as unwanted", progress.number(State.COMPLAINED), answered, limits["canary_complained"]),
        Share("Not known", progress.unknown, answered, limits["canary_unknown"]),
        Share("Put off for now", progress.retrying, answered + progress.retrying),
    )
