"""The message that every peer and the raw limit send: ours, rendered once for one person and kept in a file."""

import base64
import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

NAME = "BENCH_MESSAGE"  # where the file is
SENDER = "care@halden-rowe.example"


@dataclass(frozen=True)
class Ready:
    subject: str
    words: str
    page: str
    wire: bytes

    def to(self, address: str) -> Any:
        """As Django's own message."""
        from django.core.mail import EmailMultiAlternatives

        message = EmailMultiAlternatives(self.subject, self.words, SENDER, [address])
        message.attach_alternative(self.page, "text/html")
        return message


def keep_ready_message(edition_id: str, path: Path) -> int:
    """How many bytes it has on the wire."""
    from notifications.editions import skeleton_of
    from notifications.models import Edition
    from notifications.rendering import CODE, Recipient, render_message
    from notifications.verification_codes import SAMPLE

    skeleton = skeleton_of(Edition.objects.with_incident().get(pk=edition_id))
    kinds = ("name", "email")
    values = {"first name": "Ana", "full name": "Ana Weiss", "reference": "HR-1", CODE: SAMPLE}
    recipient = Recipient(uuid4(), "somebody@example.com", kinds, values)
    wire = render_message(skeleton, recipient, b"Sat, 21 Nov 2026 20:00:00 +0000")
    kept = {
        "subject": skeleton.compiled.subject,
        "words": skeleton.as_text(values, kinds),
        "page": skeleton.as_html(values, kinds),
        "wire": base64.b64encode(wire).decode(),
    }
    path.write_text(json.dumps(kept))
    return len(wire)


@functools.cache
def ready_message() -> Ready:
    kept = json.loads(Path(os.environ[NAME]).read_text())
    return Ready(kept["subject"], kept["words"], kept["page"], base64.b64decode(kept["wire"]))
