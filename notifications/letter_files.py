"""The files of a run of letters: made one after the other, sealed, and whole or not there at all.

A file holds up to 250 letters and lies sealed under the case's key, so that it dies with that key; its id follows from
the run and its number. Whoever goes on with a run after a worker was killed finds the files that are whole and makes
the others: a file that exists is never made again. Before the PDF stands one line of JSON: the letters in it with
their pages, and who was left out and why.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db import connection

from breachdesk.pdf import BoundPdf, PdfLimits, render_bound_pdf
from breachdesk.people.personal import unseal_personal
from breachdesk.vault.files import SealedReader, SealedWriter
from breachdesk.vault.folders import SealedFolder
from breachdesk.vault.sealing import Cipher, SealBroken, cipher_for
from notifications.editions import skeleton_of, the_organisation
from notifications.letter_pages import WINDOWS, NoRoom, Stationery, blank_page, page_of
from notifications.models import LetterRun
from notifications.placeholders import ValueRefused
from notifications.recipients import kinds_of
from notifications.verification_codes import code_of, printer

FOLDER = SealedFolder("letters")
LETTERS_IN_A_FILE = 250
LIMITS = PdfLimits(cpu_seconds=180, wall_seconds=600)
HELD, CHANGED, UNFIT = "on hold or no longer affected", "row changed since the letters were begun", "cannot be printed"
NO_FONT = "a letter of the name or address is in no font of this machine"

# Of a run, with what printing needs of each person, and whether they may still have their letter.
_ROWS = """
SELECT l.id, l.person_id, p.sealed, p.row_checksum, p.kinds, p.country, p.state,
    CASE WHEN p.held OR p.withdrawn <> (n.audience ? 'affected') THEN 'held'
        WHEN notifications_frozen_row(p) IS DISTINCT FROM l.frozen THEN 'changed' ELSE '' END
FROM notifications_letter AS l JOIN people_person AS p ON p.id = l.person_id
JOIN notifications_notice AS n ON n.id = l.notice_id
WHERE l.run_id = %(run)s AND l.voided_at IS NULL AND l.number > %(after)s AND l.number <= %(up_to)s ORDER BY l.number
"""
_NO_MORE = {"held": HELD, "changed": CHANGED}


@dataclass(frozen=True)
class MadeFile:
    """What the line before the PDF says: pages by letter, and why some have none."""

    part: int
    pages: dict[str, int]
    left_out: dict[str, str]
    size: int
    sha256: str

    @property
    def printed(self) -> int:
        """With the blank backs: each letter begins on the front of a sheet."""
        return sum(pages + pages % 2 for pages in self.pages.values())

    def as_listed(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "letters": len(self.pages),
            "pages": self.printed,
            "bytes": self.size,
            "sha256": self.sha256,
        }


def parts_of(run: LetterRun) -> range:
    return range(1, -(-run.people // LETTERS_IN_A_FILE) + 1)


def file_id(run: LetterRun, part: int) -> UUID:
    return uuid5(run.pk, str(part))


def is_made(run: LetterRun, part: int) -> bool:
    return FOLDER.path_of(file_id(run, part)).exists()


def parts_made(run: LetterRun) -> int:
    return sum(is_made(run, part) for part in parts_of(run))


def stationery_of(run: LetterRun) -> Stationery:
    organisation = the_organisation()
    on = run.made_at.astimezone(ZoneInfo(organisation.zone)).date()
    return Stationery(skeleton_of(run.edition, organisation), organisation, WINDOWS[run.window], on)


class Press:
    """Makes the files of one run. Nothing personal outlives a file, and none of it is written unsealed."""

    def __init__(self, run: LetterRun) -> None:
        self.run, self.incident = run, run.edition.notice.incident
        self.stationery, self.cipher, self.printer = stationery_of(run), cipher_for(self.incident.pk), printer()

    def make(self, part: int) -> None:
        pages, left_out = self._pages_of(part)
        bound = self._bound(pages, left_out)
        counts = dict(zip(pages, bound.pages, strict=True)) if bound else {}
        said = json.dumps({"pages": counts, "left_out": left_out}).encode()
        place = file_id(self.run, part)
        FOLDER.discard_half(place)
        with SealedWriter(FOLDER.path_of(place), self.cipher, place) as sealed:
            sealed.write(said + b"\n")
            sealed.write(bound.pdf if bound else b"")

    def _pages_of(self, part: int) -> tuple[dict[str, str], dict[str, str]]:
        """HTML by letter, and why others have none."""
        pages: dict[str, str] = {}
        left_out: dict[str, str] = {}
        for letter, person, sealed, checksum, kinds, country, state, no_more in _rows(self.run, part):
            try:
                if no_more:
                    raise NoRoom(_NO_MORE[no_more])
                personal = {"country": country, "state": state}
                personal |= unseal_personal(self.cipher, bytes(sealed), person, bytes(checksum))
                held = kinds_of(kinds, self.incident)
                pages[str(letter)] = page_of(self.stationery, personal, held, code_of(self.printer, letter))
            except (NoRoom, ValueRefused, SealBroken) as why:
                left_out[str(letter)] = str(why) if isinstance(why, NoRoom) else UNFIT
        return pages, left_out

    def _bound(self, pages: dict[str, str], left_out: dict[str, str]) -> BoundPdf | None:
        """A letter of which some sign is in no font is taken out again: none leaves with a hole in a name."""
        while pages:
            blank, moment = blank_page(self.stationery), self.run.made_at
            bound = render_bound_pdf(list(pages.values()), blank=blank, moment=moment, limits=LIMITS)
            holes = [letter for letter, page in pages.items() if any(sign in page for sign in bound.missing)]
            if not holes:
                return bound
            for letter in holes:
                del pages[letter]
                left_out[letter] = NO_FONT
        return None


def _rows(run: LetterRun, part: int) -> Iterator[tuple[Any, ...]]:
    up_to = part * LETTERS_IN_A_FILE
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"run": run.pk, "after": up_to - LETTERS_IN_A_FILE, "up_to": up_to})
        yield from cursor.fetchall()


def read_file(run: LetterRun, part: int, cipher: Cipher) -> MadeFile:
    """What a file says of itself, and the digest of its PDF. Opens all of it: a changed one raises SealBroken."""
    said, reader = open_pdf(run, part, cipher)
    with reader:
        digest, size = sha256(), 0
        while content := reader.read(1 << 16):
            digest.update(content)
            size += len(content)
    return MadeFile(part, said["pages"], said["left_out"], size, digest.hexdigest())


def open_pdf(run: LetterRun, part: int, cipher: Cipher) -> tuple[dict[str, Any], SealedReader]:
    """The line about a file, and a reader that stands where its PDF begins. FileNotFoundError once it is discarded."""
    place = file_id(run, part)
    reader = SealedReader(FOLDER.path_of(place), cipher, place)
    return json.loads(reader.readline()), reader


def is_here(run: LetterRun, part: int) -> bool:
    """Whether this host sees the folder that it was written to, and it was not discarded."""
    return bool(FOLDER.path_of(file_id(run, part)).exists())


def discard_files(run: LetterRun) -> None:
    for part in parts_of(run):
        FOLDER.discard(file_id(run, part))


def discard_forgotten(before: datetime) -> int:
    """Files of no run that stands: a crash left them."""
    standing = LetterRun.objects.filter(voided_at=None).exclude(state=LetterRun.State.FAILED)
    return FOLDER.discard_forgotten(before, [file_id(run, part) for run in standing for part in parts_of(run)])


def why_left_out(files: Sequence[MadeFile]) -> str:
    """3 were left out: a line of the postal address is longer than the window (2), on hold (1)."""
    reasons = Counter(why for file in files for why in file.left_out.values())
    if not reasons:
        return ""
    listed = "; ".join(f"{why[0].lower()}{why[1:]} ({number})" for why, number in reasons.most_common())
    return f"{reasons.total():,} left out: {listed}."[:300]
