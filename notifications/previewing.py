"""What one person would see: a made-up one, unless somebody asks for a real one, which is recorded."""

from dataclasses import dataclass
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
from notifications.models import Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import kinds_of, recipients_of, values_of
from notifications.rendering import CODE, Skeleton
from notifications.verification_codes import SAMPLE
from notifications.wording import WordingError, compile_message

SALT = "notifications.preview"
OPEN_FOR = 3600  # seconds


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
        compiled = compile_message(subject, body, vocabulary_of(edition, organisation))
        skeleton = Skeleton(compiled, layout_of(edition, organisation))
    except WordingError as error:
        faults = len(error.problems)
        return Preview(
            fault=f"The text has {faults} {'fault' if faults == 1 else 'faults'}. Mend it to see the message."
        )
    except (ValueError, IndexError):
        return Preview(fault="The organisation's page lacks the sender's address, so no message can be made yet.")
    values, held = _of_person(edition, person)
    held = kinds if kinds and person is None else held
    try:
        return Preview(compiled.subject, skeleton.as_html(values, held), skeleton.as_text(values, held))
    except ValueRefused as refusal:
        return Preview(fault=str(refusal))


def _of_person(edition: Edition, person: Person | None) -> tuple[dict[str, str], tuple[str, ...]]:
    incident = edition.notice.incident
    if person is None:
        return MADE_UP, kinds_of([], incident)
    values = values_of(personal_of(cipher_for(incident.pk), person)) | {CODE: SAMPLE}
    return values, kinds_of(person.kinds, incident)


def open_real_person(edition: Edition, typed: str, *, by: User) -> str:
    """A pass to see this edition as one real person for an hour. That somebody looked is recorded by the people app."""
    person = _found(edition, typed, by=by) if typed.strip() else recipients_of(edition).order_by("pk").first()
    if person is None:
        raise ValidationError("Nobody in the list reads this edition yet. Load people first.")
    reveal_person(person, by=by)
    return signing.dumps([str(edition.pk), str(person.pk), str(by.pk)], salt=SALT)


def _found(edition: Edition, typed: str, *, by: User) -> Person:
    found = [person for person in find_people(edition.notice.incident, typed, by=by) if not person.withdrawn]
    if not found:
        raise ValidationError("Nobody in the list has exactly this address or customer number.")
    return found[0]


def person_of_pass(edition: Edition, given: str, user: User) -> Person | None:
    """Whom a pass was given for, to this colleague and for this edition; nobody if it is old or not ours."""
    try:
        edition_id, person_id, user_id = signing.loads(given, salt=SALT, max_age=OPEN_FOR)
    except (signing.BadSignature, ValueError):
        return None
    if (edition_id, user_id) != (str(edition.pk), str(user.pk)):
        return None
    return Person.objects.visible_to(user).of(edition.notice.incident).filter(pk=UUID(person_id)).first()
