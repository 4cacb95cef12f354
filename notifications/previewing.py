"""What one person would see: a made-up one, unless somebody asks for a real one, which is recorded."""

from dataclasses import dataclass
from email.utils import formatdate
from uuid import UUID

from django.core import signing
from django.core.exceptions import ValidationError

from breachdesk.accounts.models import Organisation, User
from breachdesk.people.actions import find_people, reveal_person
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from notifications.checking import MADE_UP
from notifications.editions import layout_of, vocabulary_of
from notifications.models import Delivery, Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import is_for_others, kinds_of, values_of
from notifications.rendering import CODE, Recipient, Skeleton, render_message
from notifications.segments import first_of, people_of
from notifications.verification_codes import SAMPLE
from notifications.wording import WordingError, compile_message

SALT = "notifications.preview"
OPEN_FOR = 3600  # seconds
MADE_UP_ADDRESS = "anwen@example.com"


class NotShown(Exception):
    """Why there is no message to be seen yet, in a sentence."""


@dataclass(frozen=True)
class Preview:
    """The message as one person gets it, or a sentence that says why it cannot be shown."""

    subject: str = ""
    html: str = ""
    text: str = ""
    fault: str = ""

    @property
    def height(self) -> int:
        """Pixels that show all of it on a wide screen; a frame without scripts cannot say how long it is."""
        return 170 + 20 * self.text.count("\n")


def preview(
    edition: Edition,
    organisation: Organisation,
    *,
    subject: str,
    body: str,
    person: Person | None,
    kinds: tuple[str, ...] = (),
) -> Preview:
    """Without a person: of a made-up one, of whom these kinds of data were taken, or all that the incident names."""
    try:
        return shown(_skeleton(edition, organisation, subject, body), _recipient(edition, person, kinds))
    except NotShown as reason:
        return Preview(fault=str(reason))


def shown(skeleton: Skeleton, recipient: Recipient) -> Preview:
    values, kinds = recipient.values, recipient.kinds
    try:
        return Preview(skeleton.compiled.subject, skeleton.as_html(values, kinds), skeleton.as_text(values, kinds))
    except ValueRefused as refusal:
        return Preview(fault=str(refusal))


def source(
    edition: Edition, organisation: Organisation, *, person: Person | None, kinds: tuple[str, ...] = ()
) -> bytes:
    """The whole message of this person, headers included, made by what makes them for the send. Raises NotShown."""
    skeleton = _skeleton(edition, organisation, edition.subject, edition.body)
    try:
        return render_message(skeleton, _recipient(edition, person, kinds), formatdate().encode())
    except ValueRefused as refusal:
        raise NotShown(str(refusal)) from refusal


def _skeleton(edition: Edition, organisation: Organisation, subject: str, body: str) -> Skeleton:
    try:
        compiled = compile_message(subject, body, vocabulary_of(edition, organisation))
        return Skeleton(compiled, layout_of(edition, organisation))
    except WordingError as error:
        faults = len(error.problems)
        words = f"{faults} {'fault' if faults == 1 else 'faults'}"
        raise NotShown(f"The text has {words}. Mend it to see the message.") from error
    except (ValueError, IndexError) as error:
        raise NotShown("The organisation's page lacks the sender's address, so no message can be made yet.") from error


def _recipient(edition: Edition, person: Person | None, kinds: tuple[str, ...]) -> Recipient:
    """As the sender knows a person. Somebody without a delivery yet has its place filled with zeros."""
    incident = edition.notice.incident
    if person is None:
        return made_up(kinds or kinds_of([], incident))
    personal = personal_of(cipher_for(incident.pk), person)
    delivery = Delivery.objects.filter(edition=edition, person=person).values_list("pk", flat=True).first()
    values = values_of(personal) | {CODE: SAMPLE}
    return Recipient(delivery or UUID(int=0), personal.get("email", ""), kinds_of(person.kinds, incident), values)


def made_up(kinds: tuple[str, ...]) -> Recipient:
    return Recipient(UUID(int=0), MADE_UP_ADDRESS, kinds, MADE_UP)


def open_real_person(edition: Edition, typed: str, *, by: User, segment: str = "") -> str:
    """A pass to see this edition as one real person for an hour. That somebody looked is recorded by the people app.

    The person is the one typed, or the first of the segment that was chosen, or the first of all.
    """
    if typed.strip():
        person: Person | None = _found(edition, typed, by=by)
    else:
        person = first_of(edition, segment) if segment else people_of(edition).order_by("pk").first()
    if person is None:
        raise ValidationError(
            "Nobody is in this group any more. Choose another one."
            if segment
            else "Nobody in the list reads this edition yet. Load people first."
        )
    reveal_person(person, by=by)
    return signing.dumps([str(edition.pk), str(person.pk), str(by.pk)], salt=SALT)


def _found(edition: Edition, typed: str, *, by: User) -> Person:
    everybody = find_people(edition.notice.incident, typed, by=by)
    found = [person for person in everybody if not is_for_others(person, edition.notice)]
    if not found:
        raise ValidationError("Nobody in the list has exactly this address or customer number.")
    return found[0]


def person_of_pass(edition: Edition, given: str, user: User) -> Person | None:
    """Whom a pass was given for, to this colleague and for this edition; nobody if it is old, or they may not look."""
    if not user.has_perm("people.reveal_person"):
        return None
    try:
        edition_id, person_id, user_id = signing.loads(given, salt=SALT, max_age=OPEN_FOR)
    except (signing.BadSignature, ValueError):
        return None
    if (edition_id, user_id) != (str(edition.pk), str(user.pk)):
        return None
    return Person.objects.visible_to(user).of(edition.notice.incident).filter(pk=UUID(person_id)).first()
