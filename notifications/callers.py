"""What we sent to one person, notice by notice, and why not where we did not: for whoever answers the telephone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.core import signing

from breachdesk.accounts.models import PendingDecision, User
from breachdesk.audit.models import Event
from breachdesk.audit.timeline import Line, describe
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from breachdesk.people.overview import MaskedPerson, masked_people
from breachdesk.people.personal import cipher_while_it_lives, personal_of
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import digest_of
from notifications.index_question import is_proved
from notifications.later import Later, later_of
from notifications.models import Attempt, Delivery, Edition, Notice
from notifications.models.deliveries import ON_THE_WIRE
from notifications.person_steps import Step, steps_of
from notifications.previewing import Preview, shown
from notifications.recipients import address_on, is_for_others, kinds_of, values_of
from notifications.rendering import CODE, Recipient
from notifications.verification_codes import code_of, printer
from notifications.wording import WordingError

SALT = "notifications.hotline"
OPEN_FOR = 3600  # seconds
SAID = ("caller.noted", "caller.settled")
State = Delivery.State
WORDS: dict[str, tuple[str, str]] = {
    State.HANDED_OVER: ("We sent it", "good"),
    State.ASSUMED_SENT: ("We sent it, as far as anybody can know", "good"),
    State.DELIVERED: ("It was delivered", "good"),
    State.COMPLAINED: ("It was delivered, and marked as unwanted", "good"),
    State.BOUNCED: ("We sent it, and it came back", "alarm"),
    State.REFUSED: ("Their mail server refused it", "alarm"),
    State.UNKNOWN: ("It may have been sent: contact was lost at the last moment", "soon"),
    State.HANDING_OVER: ("It is being handed over at this moment", "soon"),
    State.RETRY_WAIT: ("Not sent yet: their mail server put it off, and it is tried again", "soon"),
    State.BLOCKED: ("Not sent", "alarm"),
    State.CANCELLED: ("Not sent: the send was aborted before their turn", ""),
    State.SUPPRESSED: ("Not sent: they were taken off before their turn", ""),
}
WAITING: dict[str, str] = {
    Edition.State.SENDING: "Not sent yet: it is being sent, and their turn will come",
    Edition.State.PAUSED: "Not sent yet: the send is paused",
}


@dataclass(frozen=True)
class Told:
    """One notice to one person. `message` and its pass are there only where somebody may read the very text."""

    notice: Notice
    delivery: Delivery | None
    words: str
    tone: str = ""
    message: Preview | None = None
    given: str = ""
    doubts: tuple[str, ...] = ()
    later: tuple[Later, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def went_out(self) -> bool:
        return self.delivery is not None and self.delivery.state in ON_THE_WIRE

    @property
    def at(self) -> datetime | None:
        return (self.delivery.settled_at or self.delivery.handing_over_at) if self.delivery else None

    @property
    def subject(self) -> str:
        edition = self.delivery.edition if self.delivery else None
        return str(edition.published.get("subject", edition.subject)) if edition else ""

    @property
    def sender(self) -> str:
        return str(self.delivery.edition.published.get("sender", "")) if self.delivery else ""


@dataclass(frozen=True)
class Caller:
    """Somebody on the list, masked, with what each notice was to them and what they said before."""

    masked: MaskedPerson
    told: list[Told]
    said: list[Line]
    disputed: PendingDecision | None

    @property
    def person(self) -> Person:
        return self.masked.person

    @property
    def is_open(self) -> bool:
        """Whether the texts are shown."""
        return any(told.message for told in self.told)

    @property
    def messages(self) -> int:
        return sum(told.went_out for told in self.told)


def callers(incident: Incident, people: Iterable[Person], *, reader: User | None = None) -> list[Caller]:
    """With the texts they got if there is a `reader`, whose look must have been recorded."""
    found = list(people)
    sent = list(Delivery.objects.to_people_of(incident, found))
    notices = list(Notice.objects.of(incident).oldest_first())
    later = later_of(sent)
    return [_caller(incident, masked, notices, sent, later, reader) for masked in masked_people(incident, found)]


def _caller(
    incident: Incident,
    masked: MaskedPerson,
    notices: list[Notice],
    sent: list[Delivery],
    later: dict[UUID, tuple[Later, ...]],
    reader: User | None,
) -> Caller:
    mine = {delivery.notice_id: delivery for delivery in sent if delivery.person_id == masked.pk}
    person = masked.person
    told = [
        replace(_told(incident, person, notice, got := mine.get(notice.pk), reader), steps=_steps(person, notice, got))
        for notice in notices
    ]
    told = [replace(one, later=later.get(one.delivery.pk, ())) if one.delivery else one for one in told]
    events = Event.objects.of_incident(incident.pk).of_types(SAID).on_objects([str(masked.pk)])
    said = describe(events.newest_first(), private=True)
    return Caller(masked, told, said, PendingDecision.objects.open().about(masked.person).first())


def _steps(person: Person, notice: Notice, delivery: Delivery | None) -> tuple[Step, ...]:
    return tuple(steps_of(person, notice, delivery))


def _told(incident: Incident, person: Person, notice: Notice, delivery: Delivery | None, reader: User | None) -> Told:
    if delivery is None:
        return Told(notice, None, _why_not(person, notice))
    words, tone = _words(person, delivery)
    if delivery.state not in ON_THE_WIRE or reader is None:
        return Told(notice, delivery, words, tone)
    message, doubts = very_text(incident, person, delivery)
    given = signing.dumps([str(delivery.pk), str(reader.pk)], salt=SALT)
    return Told(notice, delivery, words, tone, message, given, doubts)


def _why_not(person: Person, notice: Notice) -> str:
    if is_for_others(person, notice):
        return _affected_or_not(person)
    if person.held:
        return f"Not sent: they are on hold{_holds(person)}"
    if not person.has_email:
        return "Not sent: we have no email address of them"
    if not notice.editions.begun().exists():
        return "Nobody has been sent this notice yet"
    return "Not sent: they are not among those whom it is for"


def _words(person: Person, delivery: Delivery) -> tuple[str, str]:
    waits = delivery.state in (State.PLANNED, State.CLAIMED, State.RETRY_WAIT)
    if waits and is_for_others(person, delivery.notice):
        return _affected_or_not(person), ""
    if waits and person.held:
        return f"Not sent: they are on hold{_holds(person)}", "soon"
    if delivery.state in (State.PLANNED, State.CLAIMED):
        return WAITING.get(delivery.edition.state, "Not sent yet: nobody has started it"), "soon"
    words, tone = WORDS[delivery.state]
    return (f"{words}: {_reason(delivery)}" if delivery.state == State.BLOCKED else words), tone


def _affected_or_not(person: Person) -> str:
    return f"Not sent: they are {'no longer' if person.withdrawn else 'still'} affected"


def _holds(person: Person) -> str:
    kinds = sorted({hold.get_kind_display() for hold in person.holds.open()})
    return f" ({'; '.join(kinds).lower()})" if kinds else ""


def _reason(delivery: Delivery) -> str:
    last = Attempt.objects.filter(delivery=delivery).order_by("-closed_at").first()
    reason = last.reason if last else ""
    return reason[:1].lower() + reason[1:].rstrip(".") if reason else "it waits for a correction"


def very_text(incident: Incident, person: Person, delivery: Delivery) -> tuple[Preview, tuple[str, ...]]:
    """The message with the person's own code in it, and what may make it differ from the one in their hand."""
    cipher = cipher_while_it_lives(incident.pk)
    if cipher is None:
        return Preview(fault="The personal data of this case is destroyed, so their text cannot be shown."), ()
    edition, organisation, doubts = delivery.edition, the_organisation(), []
    personal = personal_of(cipher, person)
    address = address_on(delivery.rung, personal)
    if delivery.recipient and not is_proved(cipher, delivery, address):
        doubts.append("Their data has changed since: the text is shown with what we hold now.")
    try:
        root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
        if digest_of(edition, organisation, root, count) != bytes(edition.digest or b""):
            doubts.append("The organisation’s page or a fact has changed since, so words around the text may differ.")
        skeleton = skeleton_of(edition, organisation)
    except (WordingError, ValueError, IndexError):
        return Preview(fault="The text can no longer be made: a fact that stood in it is gone."), tuple(doubts)
    values = values_of(personal) | {CODE: code_of(printer(), delivery.pk)}
    recipient = Recipient(delivery.pk, address, kinds_of(person.kinds, incident), values)
    return shown(skeleton, recipient), tuple(doubts)


def message_of_pass(incident: Incident, given: str, user: User) -> Preview | None:
    """The text a pass was given for, to this colleague and for this case; nothing if it is old or not ours."""
    try:
        delivery_id, user_id = signing.loads(given, salt=SALT, max_age=OPEN_FOR)
    except (signing.BadSignature, ValueError):
        return None
    if user_id != str(user.pk) or not user.has_perm("people.reveal_person"):
        return None
    sent = Delivery.objects.on_the_wire().select_related("person", "edition__notice__incident")
    found = sent.filter(pk=delivery_id, notice__incident=incident).first()
    return very_text(incident, found.person, found)[0] if found else None
