"""A checkpoint on paper: the same text three times, and geometry that a QR reader reads."""

import re
from typing import Any
from uuid import UUID

import pytest
import segno
from django.db import transaction

from breachdesk.audit.canonical import base64url
from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.models import Entry
from breachdesk.audit.printing import QUIET, QrPicture, note_for_print, qr_of
from breachdesk.audit.record import record
from tests.signing import Signing

NOTE = "log.example/breachdesk\n7\nroot\n\n— log.example/breachdesk signature\n"


def modules(picture: QrPicture) -> list[list[int]]:
    """What the path paints, without the white around it."""
    side = picture.side - 2 * QUIET
    grid = [[0] * side for _ in range(side)]
    for x, y, length, back in re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", picture.path):
        assert length == back
        for column in range(int(x), int(x) + int(length)):
            grid[int(y) - QUIET][column - QUIET] = 1
    return grid


def test_the_picture_is_the_code_of_the_text() -> None:
    code = segno.make(NOTE, error="m", mode="byte", encoding="utf-8", boost_error=False, micro=False)
    assert modules(qr_of(NOTE)) == [list(row) for row in code.matrix]
    assert code.error == "M"


def test_the_same_text_gives_the_same_picture_and_another_another() -> None:
    assert qr_of(NOTE) == qr_of(NOTE)
    assert qr_of(NOTE) != qr_of(NOTE.replace("7", "8"))


@pytest.mark.django_db
def test_it_names_the_log_the_key_and_the_last_entry_of_the_case(signing: Signing, case: UUID, heartbeats: Any) -> None:
    with transaction.atomic():
        for number in (1, 2):
            record("trail.verified", by=None, incident=case, verdict=f"valid-{number}")
    checkpoint = signing.sign()
    before = note_for_print(checkpoint, case)
    with transaction.atomic():
        record("trail.verified", by=None, incident=case, verdict="valid-3")
    signing.sign()
    after = note_for_print(checkpoint, case)
    assert after == before
    assert before.head is not None
    last = Entry.objects.get(incident=case, inc_n=before.head.number)
    assert (last.idx < checkpoint.size, base64url(bytes(last.leaf))) == (True, before.head.leaf)
    assert before.fingerprints == [public_keys()[0].fingerprint]
    assert f"{before.origin}\n{before.size}\n{before.root}\n\n" in before.note
    assert before.attachment.content == checkpoint.note.encode()


@pytest.mark.django_db
def test_a_case_without_an_entry_has_no_head(signing: Signing, case: UUID) -> None:
    assert note_for_print(signing.sign()).head is None
