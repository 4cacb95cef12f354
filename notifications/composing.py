"""What goes on the wire: one person's message, and the envelope it travels in."""

import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import NamedTuple
from uuid import UUID

from breachdesk.people.personal import unseal_personal
from breachdesk.vault.sealing import Cipher, IndexCipher, SealBroken, cipher_for
from notifications import delivery, recovering, sweeping
from notifications.batches import recipient_commitment
from notifications.delivery import Claimed
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import is_as_approved
from notifications.models import Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import address_on, kinds_of, values_of
from notifications.rendering import CODE, Recipient, Skeleton, checked_address, render_message, return_path
from notifications.schedule import in_force
from notifications.transport import Envelope
from notifications.turns import Limits
from notifications.verification_codes import code_of, printer


class Letter(NamedTuple):
    """A message that is ready for the wire."""

    row: Claimed
    envelope: Envelope
    message: bytes
    recipient: bytes  # the commitment to the envelope's address


class Composer:
    """Opens people from the vault and makes their messages. Nothing of them outlives the window."""

    def __init__(self, skeleton: Skeleton, cipher: Cipher, edition: Edition) -> None:
        self.skeleton, self.cipher, self.incident = skeleton, cipher, edition.notice.incident
        self.printer = printer()
        self.limits = _limits_of(edition, self.domain_of)
        self.epoch, self.route = edition.epoch, edition.route
        self._kinds: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._date = (0, b"")

    def compose(self, row: Claimed) -> Letter:
        """Raises ValueRefused where this person's message cannot be made."""
        if row.tries >= delivery.MOST_TRIES * (1 + row.generation):
            raise ValueRefused(f"The mail system refused this message for now, {row.tries} times.")
        if not row.is_as_frozen:
            raise ValueRefused("This person's row changed after the list was frozen. Ask to have the change approved.")
        try:
            personal = unseal_personal(self.cipher, row.sealed, row.person, row.checksum)
        except SealBroken as broken:
            raise ValueRefused("This person's sealed data was changed, so no message can be made of it.") from broken
        address = address_on(row.rung, personal)
        values = values_of(personal) | {CODE: code_of(self.printer, row.id)}
        recipient = Recipient(row.id, address, self._kinds_of(row.kinds), values)
        message = render_message(self.skeleton, recipient, self._today())
        envelope = return_path(self.skeleton, row.id, row.generation), checked_address(address)
        committed = recipient_commitment(self.cipher, row.id, row.tries + 1, envelope[1])
        return Letter(row, envelope, message, committed)

    def domain_of(self, row: Claimed) -> bytes:
        """A blind index of the domain that this person's mail goes to; empty for an address that has none, and of a
        row that compose() will stop."""
        try:
            personal = unseal_personal(self.cipher, row.sealed, row.person, row.checksum)
        except SealBroken:
            return b""
        return self.domain_index(address_on(row.rung, personal))

    def host_of(self, row: Claimed) -> bytes:
        """The domain itself, empty as above; for this process's memory alone."""
        try:
            personal = unseal_personal(self.cipher, row.sealed, row.person, row.checksum)
        except SealBroken:
            return b""
        return domain_of(address_on(row.rung, personal)).encode()

    def domain_index(self, address: str) -> bytes:
        return domain_index(self.cipher, domain_of(address))

    def _kinds_of(self, kinds: Sequence[str]) -> tuple[str, ...]:
        key = tuple(kinds)
        if key not in self._kinds:
            self._kinds[key] = kinds_of(key, self.incident)
        return self._kinds[key]

    def _today(self) -> bytes:
        now = int(time.time())
        if now != self._date[0]:
            self._date = (now, formatdate(now).encode())
        return self._date[1]


def open_edition(edition_id: UUID) -> Composer | None:
    """What this edition's messages are made with; None, and the edition is paused, if it is not what was approved."""
    recovering.recover()
    edition = Edition.objects.sending().select_related("notice__incident").filter(pk=edition_id).first()
    if edition is None:
        return None
    organisation = the_organisation()
    root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
    if not is_as_approved(edition, organisation, root, count):
        sweeping.pause_by_itself(edition_id, why="changed_since_approval")
        return None
    return Composer(skeleton_of(edition, organisation), cipher_for(edition.incident_id), edition)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()


def domain_index(cipher: IndexCipher, domain: str) -> bytes:
    return cipher.blind_index(domain, purpose="notifications.domain") if domain else b""


def _limits_of(edition: Edition, domain_of: Callable[[Claimed], bytes]) -> Limits | None:
    schedule = in_force(edition.schedule, edition.rate)
    if not schedule.is_limited:
        return None
    return Limits(
        edition.pk, edition.recipients_count or 0, schedule, the_organisation().zone, domain_of, edition.epoch
    )
