"""Nothing that somebody typed in the whole story, and nobody's name or address, is in the trail's own bytes or the log.

The needles are what the story itself sealed, opened again: whatever it comes to say later is looked for as well.
"""

import logging
import re
from collections.abc import Iterator

import pytest
from django.db import connection

from breachdesk.accounts.models import User
from breachdesk.audit.erasure import sealed_names
from breachdesk.audit.models import PrivateValue
from breachdesk.audit.record import PRIVATE_TABLE
from breachdesk.audit.verification import verify
from breachdesk.embedded.catcher import Catcher
from breachdesk.incidents.erasing import erase_values
from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault import ORGANISATION
from breachdesk.vault.sealing import cipher_for
from tests.factories import make_user
from tests.journeys.test_story import a_story, mail  # noqa: F401
from tests.signing import Signing

TRAIL = ("audit_event", "audit_entry", "audit_node", "audit_checkpoint", "audit_anchor", "audit_touched")
REQUESTER = "Zoltan Karpathy, by letter of the third of May"

pytestmark = pytest.mark.django_db(transaction=True)


def needles_of(text: str) -> Iterator[str]:
    """Pieces that JSON does not write otherwise, and that can be no code and no part of a hash: they have a space."""
    for piece in re.split(r'["\\\n]', text):
        if len(piece.strip()) >= 8 and re.search(r"[ @]", piece.strip()):
            yield piece.strip()[:40]


def everything_typed() -> Iterator[str]:
    for value in PrivateValue.objects.select_related("event"):
        cipher = cipher_for(value.event.incident or ORGANISATION)
        opened = cipher.unseal(bytes(value.value_enc), table=PRIVATE_TABLE, column=value.field, row=value.event_id)
        yield from needles_of(opened.decode())
    for person in Person.objects.all():
        for known in personal_of(cipher_for(person.incident_id), person).values():
            yield from needles_of(known)
    for user in User.objects.all():
        yield from (user.name, user.email)


def bytes_of_the_trail() -> bytes:
    """Every column of every row; binary ones are looked into."""
    found = []
    with connection.cursor() as cursor:
        for table in TRAIL:
            cursor.execute(f"SELECT * FROM {table}")
            found += [column for row in cursor.fetchall() for column in row]
    binary = (bytes(column) if isinstance(column, bytes | memoryview) else str(column).encode() for column in found)
    return b"\n".join(binary)


def leaks(needles: set[str], content: bytes) -> list[str]:
    return sorted(needle for needle in needles if needle.encode() in content)


def test_what_was_typed_is_nowhere_in_the_trail_and_nowhere_in_the_log(
    mail: Catcher,  # noqa: F811
    signing: Signing,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    assert len(list(a_story().tell())) > 5
    first = Incident.objects.order_by("reference")[0]
    before = set(everything_typed())
    name = sealed_names(first.pk)[0]
    erase_values([name], ground="request", requester=REQUESTER, by=make_user("dpo"))
    signing.sign()

    needles = before | set(everything_typed())
    assert len(needles) > 200
    assert REQUESTER[:40] in needles
    trail = bytes_of_the_trail()
    assert b"privacy.erased" in trail
    assert leaks(needles, trail) == []
    assert leaks(needles, caplog.text.encode()) == []
    assert verify().verdict == "VALID"


def test_the_canary_test_itself_can_find_one() -> None:
    needles = set(needles_of('Larkfield Parcels rang. "Quoted words" and no-code-here'))
    assert leaks(needles, b'{"why":"Larkfield Parcels rang. and more"}') == ["Larkfield Parcels rang."]
    assert list(needles_of("Europe/London")) == []
