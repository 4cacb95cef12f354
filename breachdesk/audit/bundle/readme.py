"""README.txt of a bundle: for a lawyer, in plain words."""

from collections.abc import Sequence
from typing import Any

from breachdesk.audit.note import PublicKey
from breachdesk.audit.verifier import README

OPENED = """\
   private.jsonl      the typed texts and names that the log's own entries hold as sealed commitments only. KEEP THIS
                      BUNDLE AS YOU KEEP THE CASE ITSELF: it holds personal data"""
DESTROYED = """\
   private.jsonl      empty: the key of this case was destroyed, so its sealed values can never be read again. The
                      event of that is in the history"""
CLOSED = """\
                      (Typed texts and names are not in this bundle; the log holds commitments to them.)"""
ALL = """\
   Anything about other cases: this bundle holds every entry of the log, so that the whole tree can be computed, but
   what happened in other cases is withheld; only its hash is here.
"""


def readme_of(bundle: dict[str, Any], keys: Sequence[PublicKey], *, is_destroyed: bool) -> str:
    private = (DESTROYED if is_destroyed else OPENED) if bundle["private"] else CLOSED
    count = f"{bundle['entries']:,}"
    what = (
        f"{count}, every entry of the log"
        if bundle["whole"]
        else f"{count} entries: all of this case, and the log's own"
    )
    return README.read_text(encoding="utf-8").format(
        reference=bundle["reference"],
        made_at=f"{bundle['made_at'][:10]}, {bundle['made_at'][11:16]} (UTC),",
        origin=bundle["origin"],
        fingerprints="\n".join(f"       {key.fingerprint}" for key in keys),
        size=f"{bundle['size']:,}",
        head=f"{bundle['head']:,}",
        entries=what,
        deliveries=f"{bundle['deliveries']:,}",
        private=private,
        whole=ALL if bundle["whole"] else "",
    )
