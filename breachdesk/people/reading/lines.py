"""Bytes to blocks of whole lines, in bounded memory.

A line ends at LF, CR or CRLF, also mixed in one file. What cannot be decoded, and a line without an end, cost their own
row only: they leave a mark, a lone surrogate, which no strict decoder gives and which so cannot come from the file.

- BAD stands for bytes that mean nothing in the file's encoding. The line's end is still found: no decoder here takes a
  line break into an invalid sequence.
- LONG begins a line of more than LONGEST_ROW characters, of which only the first 1,000 are kept.
"""

import codecs
import io
from collections.abc import Iterator

from breachdesk.people.reading.limits import LONGEST_ROW
from breachdesk.people.reading.source import Readable

BAD, LONG = "\udffe", "\udfff"
BLOCK = 32 * 1024  # so few rows at a time that they die young: twice as fast as 256 KiB
KEPT_OF_LONG = 1_000
GIVEN_AT_ONCE = 300


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return BAD, error.end


codecs.register_error("breachdesk.mark", _mark)


class GivenLines:
    """Lines that are in memory already."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.characters = sum(map(len, lines))
        self.marked = any(BAD in line or LONG in line for line in lines)

    def blocks(self) -> Iterator[list[str]]:
        for start in range(0, len(self._lines), GIVEN_AT_ONCE):
            yield self._lines[start : start + GIVEN_AT_ONCE]


class Lines:
    def __init__(self, file: Readable, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="breachdesk.mark")
        self.characters = 0
        self.marked = False  # whether the block given last holds a mark

    def blocks(self) -> Iterator[list[str]]:
        """Lists of lines, each with its end; only the last of the file may lack it."""
        tail, skipping = self._read().removeprefix("\ufeff"), False
        while text := self._read():
            if skipping:
                text = _from_line_end(text)
                skipping = not text
            text = tail + text
            self.marked = BAD in text or LONG in text
            lines = io.StringIO(text, newline="").readlines()
            # Its last line may go on, or end in CR where the next block begins with LF.
            tail = lines.pop()
            if lines:
                yield lines
            if len(tail) > LONGEST_ROW and not tail.endswith(("\n", "\r")):
                tail, skipping = LONG + tail[:KEPT_OF_LONG], True
        self.marked = BAD in tail or LONG in tail
        if tail:
            yield io.StringIO(tail, newline="").readlines()

    def _read(self) -> str:
        """Some characters; none only at the end of the file."""
        while content := self._file.read(BLOCK):
            if text := self._decoder.decode(content):
                self.characters += len(text)
                return text
        return self._decoder.decode(b"", True)


def _from_line_end(text: str) -> str:
    """The end of the line and what follows; nothing while the line goes on."""
    ends = [place for place in (text.find("\n"), text.find("\r")) if place >= 0]
    return text[min(ends) :] if ends else ""
