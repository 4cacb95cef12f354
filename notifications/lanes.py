"""One connection's place in a worker: what is on its wire, and who waits behind that."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from notifications.composing import Letter
from notifications.ledger import Hand
from notifications.transport import Envelope


@dataclass(frozen=True)
class Window:
    """Letters whose intent is committed, and how many answers are due with those that could not become one."""

    hand: Hand
    letters: list[Letter]
    answers: int


@dataclass(eq=False)
class Lane:
    """`begun` letters of its window were written, the last of them at `since`; 0 when no answer is waited for."""

    taken: int = 0  # messages, by this connection
    since: float = 0.0
    begun: int = 0
    is_freed: bool = False  # those behind the one on the wire go by another connection, also the one announced to it
    window: Window | None = None
    upcoming: asyncio.Task[Window | None] | None = None

    def free(self) -> Iterator[tuple[Window, Letter]]:
        """Everybody behind the message on the wire, who has its intent committed and nothing else."""
        self.is_freed = True
        for window, begun in ((self.window, self.begun), (done(self.upcoming), 0)):
            if window:
                yield from ((window, letter) for letter in window.letters[begun:])
                del window.letters[begun:]


def done(upcoming: asyncio.Task[Window | None] | None) -> Window | None:
    return upcoming.result() if upcoming and upcoming.done() and not upcoming.exception() else None


def first_of(upcoming: asyncio.Task[Window | None] | None) -> Envelope | None:
    """The envelope that may travel behind the last dot of a window: its intent is committed by now, or it waits."""
    window = done(upcoming)
    return window.letters[0].envelope if window and window.letters else None
