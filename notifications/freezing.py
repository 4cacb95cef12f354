"""What an approval binds: one digest over the message, who it is from and the frozen list of who gets it."""

from hashlib import sha256

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.tree import Frontier, leaf_of
from notifications.editions import skeleton_of
from notifications.models import Delivery, Edition

CHUNK = 10_000
FORMAT = "breachdesk-edition-v1"


def recipients_of_plan(edition: Edition) -> tuple[bytes, int]:
    """Root and size of the frozen list: RFC 6962 over (person id, person's row as it was frozen), in the order of ids.

    A row that changed since is another matter: it alone is blocked, when its turn comes (delivery.py). Whoever came
    later stands in an amendment.
    """
    tree = Frontier()
    frozen = Delivery.objects.filter(edition=edition, frozen__isnull=False).order_by("person")
    for person, row in frozen.values_list("person", "frozen").iterator(chunk_size=CHUNK):
        tree.add(leaf_of(person.bytes + bytes(row or b"")))
    return tree.root(), tree.size


def digest_of(edition: Edition, organisation: Organisation, recipients_root: bytes, recipients_count: int) -> bytes:
    """SHA-256 (32 bytes) of the canonical form of everything that decides what whom reaches."""
    return sha256(
        canonical(
            {
                "format": FORMAT,
                "notice": str(edition.notice_id),
                "language": edition.language,
                "revision": edition.revision,
                "starter": edition.notice.starter,
                "audience": edition.notice.audience,
                "fallback": edition.notice.fallback,
                "schedule": edition.schedule,
                "approvers_needed": edition.approvers_needed,
                "renderings": edition.renderings,
                "subject": edition.subject,
                "body": edition.body,
                "sender": [organisation.sender_name, organisation.sender_email],
                "reply_to": organisation.reply_to,
                "kinds": sorted(edition.notice.incident.kinds),
                "message": base64url(skeleton_of(edition, organisation).digest),
                "recipients_root": base64url(recipients_root),
                "recipients_count": recipients_count,
            }
        )
    ).digest()


def is_as_approved(edition: Edition, organisation: Organisation, recipients_root: bytes, recipients_count: int) -> bool:
    """Whether all of it, computed anew, is what the digest was made of. What makes no message any more is not."""
    try:
        return digest_of(edition, organisation, recipients_root, recipients_count) == bytes(edition.digest or b"")
    except ValueError:
        return False
