"""The sealed values beside the log: each must be what its event committed to, and a gap needs its erasure."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Event
from breachdesk.audit.record import PRIVATE_TABLE, commitment
from breachdesk.audit.walk import Stored, Wrong
from breachdesk.vault import ORGANISATION
from breachdesk.vault.master_key import MasterKeyMissing
from breachdesk.vault.sealing import Cipher, KeyDestroyed, KeyMissing, SealBroken, cipher_for, has_key


class Opening(NamedTuple):
    salt: bytes
    sealed: bytes


class Openings:
    """The sealed values of one page of events at a time, and the ciphers to open them with."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []
        self._values: dict[str, dict[str, Opening]] = {}
        self._ciphers: dict[str | None, Cipher | None] = {}
        self._of_the_organisation: set[str | None] = set()
        self._closed = 0
        self._erased, self._destroyed = _reported_erasures()
        self._back = 0

    def load(self, page: list[Stored]) -> None:
        self._values = {}
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT event_id::text, field, salt, value_enc FROM audit_private
                   WHERE event_id = ANY (%s::uuid[])""",
                [[stored.event_id for stored in page]],
            )
            for event_id, name, salt, sealed in cursor.fetchall():
                self._values.setdefault(event_id, {})[name] = Opening(salt, sealed)

    def check(self, stored: Stored, commitments: dict[str, str]) -> None:
        values = self._values.get(stored.event_id)
        if not commitments and not values:
            return
        values = values or {}
        if missing := {name for name in commitments.keys() - values.keys() if not self._is_excused(stored, name)}:
            raise Wrong(7, f"The sealed {min(missing)} of entry {stored.idx} is gone, and no erasure says why.")
        if added := values.keys() - commitments.keys():
            raise Wrong(7, f"Entry {stored.idx} has a sealed {min(added)} that its event does not know.")
        for name, opening in values.items():
            self._back += f"{stored.event_id}/{name}" in self._erased
            value = self._opened(stored, name, opening.sealed)
            if value is not None and base64url(commitment(name, opening.salt, value)) != commitments[name]:
                raise Wrong(7, f"The sealed {name} of entry {stored.idx} is not what was committed to.")

    def _is_excused(self, stored: Stored, name: str) -> bool:
        return f"{stored.event_id}/{name}" in self._erased or stored.event_incident in self._destroyed

    def notes(self) -> Iterator[str]:
        if self._erased:
            yield f"{len(self._erased):,} sealed values were erased, as the trail says."
        if self._back:
            yield (
                f"{self._back:,} erased values are there again, as after the restore of a backup: erase them once more "
                "with replay_erasures."
            )
        if self._closed:
            yield f"{self._closed:,} sealed values cannot be opened any more: their key was destroyed."

    def _opened(self, stored: Stored, name: str, sealed: bytes) -> bytes | None:
        cipher = self._cipher(stored.event_incident)
        try:
            if cipher is not None:
                return cipher.unseal(sealed, table=PRIVATE_TABLE, column=name, row=UUID(stored.event_id))
        except SealBroken as error:
            if stored.event_incident not in self._of_the_organisation:
                raise Wrong(7, str(error)) from None
        self._closed += 1
        return None

    def _cipher(self, incident: str | None) -> Cipher | None:
        if incident not in self._ciphers:
            self._ciphers[incident] = self._find_cipher(UUID(incident) if incident else ORGANISATION)
        return self._ciphers[incident]

    def _find_cipher(self, scope: UUID) -> Cipher | None:
        try:
            return cipher_for(scope)
        except KeyDestroyed:
            return self._later_cipher(scope)
        except (KeyMissing, MasterKeyMissing) as error:
            self.unreadable.append(f"The sealed values of {scope} were not checked. {error}")
            return None

    def _later_cipher(self, scope: UUID) -> Cipher | None:
        """What was typed after a case's own key was destroyed is sealed under the organisation's: see record()."""
        if scope == ORGANISATION or not has_key(ORGANISATION):
            return None
        self._of_the_organisation.add(str(scope))
        return self._cipher(None)


def _reported_erasures() -> tuple[set[str], set[str | None]]:
    """The values that were erased, as "<event>/<field>", and the incidents whose key was destroyed.

    An event that still waits to be linked counts: the value went in the same transaction, and until it is linked the
    verdict is INCOMPLETE anyway.
    """
    events = Event.objects.of_type("privacy.erased")
    erased = {name for event in events for name in event.content["data"].get("erased", [])}
    destroyed = Event.objects.of_type("key.destroyed").values_list("incident", flat=True)
    return erased, {str(incident) if incident else None for incident in destroyed}
