"""Did we write to this address? Answered from the index alone, also after the people's data can no longer be read.

The address somebody names is hashed with the case's index key and looked for; nothing is unsealed. Of each message
found the batch's sealed row holds a commitment to the very address in its envelope (batches.py), whose salt comes from
the same key: so the answer can say whether it is proved letter for letter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.people.addresses import checked_address
from breachdesk.people.models import Person
from breachdesk.people.personal import email_index_of_typed
from breachdesk.vault.sealing import IndexCipher, IndexDestroyed, index_cipher_for
from notifications.batches import recipient_commitment
from notifications.models import Delivery

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Delivery.State
HANDED_OVER = {State.HANDED_OVER, State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.ASSUMED_SENT}
OPEN = {State.UNKNOWN, State.HANDING_OVER}


@dataclass(frozen=True)
class Message:
    """One message to somebody with this address. `is_proved`: its commitment opens with the address as it was typed."""

    delivery: Delivery
    is_proved: bool

    @property
    def was_handed_over(self) -> bool:
        return self.delivery.state in HANDED_OVER

    @property
    def at(self) -> datetime | None:
        return self.delivery.settled_at


@dataclass(frozen=True)
class Answer:
    """`people` is how many on the list have, or had, this address."""

    people: int
    messages: list[Message]

    @property
    def code(self) -> str:
        if any(message.was_handed_over for message in self.messages):
            return "yes"
        if any(message.delivery.state in OPEN for message in self.messages):
            return "not_known"
        return "no" if self.people else "not_on_the_list"


@action("incidents.ask_index")
def ask_index(incident: Incident, *, address: str, reason: str, by: "User") -> Answer:
    """The address itself is kept nowhere."""
    if not reason.strip():
        raise ValidationError({"reason": "Say who asks, and why. The question is in the trail."})
    cipher = _open_index(incident)
    index = email_index_of_typed(cipher, address)
    if index is None:
        raise ValidationError({"address": "This is no e-mail address. Check its spelling."})
    people = list(Person.objects.ever_at(incident, index))
    found = Delivery.objects.to_people_of(incident, people)
    answer = Answer(len(people), [Message(delivery, is_proved(cipher, delivery, address)) for delivery in found])
    record(
        "index.asked",
        by=by,
        incident=incident.pk,
        private={"reason": reason.strip()},
        answer=answer.code,
        deliveries=[message.delivery.pk for message in answer.messages],
    )
    return answer


def _open_index(incident: Incident) -> IndexCipher:
    try:
        return index_cipher_for(incident.pk)
    except IndexDestroyed as gone:
        raise ValidationError(
            f"The index of {incident.reference} is destroyed: nobody can tell any more whether an address was in it."
        ) from gone


def is_proved(cipher: IndexCipher, delivery: Delivery, typed: str) -> bool:
    """Whether the message went to exactly this address.

    The envelope holds it as it was loaded: as typed, or in the spelling that the syntax check gives.
    """
    if delivery.recipient is None:
        return False
    known = bytes(delivery.recipient)
    spellings = {typed.strip(), checked_address(typed.strip()) or ""}
    return any(
        recipient_commitment(cipher, delivery.pk, number, spelling.encode()) == known
        for spelling in spellings
        for number in range(1, delivery.tries + 1)
    )
