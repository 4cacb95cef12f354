"""What an approval binds: one digest over the message, who it is from and the frozen list of who gets it."""

from hashlib import sha256

from django.db import connection

from breachdesk.accounts.models import Organisation
from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.tree import Frontier, leaf_of
from notifications.editions import skeleton_of
from notifications.models import Delivery, Edition

CHUNK = 10_000
FORMAT = "breachdesk-edition-v1"


def recipients_of_plan(edition: Edition) -> tuple[bytes, int]:
    """Root and size of the frozen list: RFC 6962 over (person id, index of the address), in the order of the ids.

    The index is read from the people as they are now, so that a changed address changes the root.
    """
    tree = Frontier()
    with connection.cursor() as cursor:
        # A list frozen a moment ago is not in the planner's statistics: it would look for 430,000 people one by one.
        cursor.execute("SET LOCAL enable_nestloop = off")
    rows = Delivery.objects.filter(edition=edition).order_by("person").values_list("person", "person__email_index")
    for person, email_index in rows.iterator(chunk_size=CHUNK):
        tree.add(leaf_of(person.bytes + bytes(email_index or b"")))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")
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
