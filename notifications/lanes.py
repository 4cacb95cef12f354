"""One connection's place in a worker: what is on its wire, and who waits behind that."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from notifications.composing import Letter
from notifications.ledger import Hand


@dataclass(frozen=True)
class Window:
    """Letters whose intent is committed, and how many answers are due with those that could not become one.

    None of them may begin to leave after `turns_end`, of the loop's clock.
    """

    hand: Hand
    letters: list[Letter]
    answers: int
    turns_end: float


@dataclass(eq=False)
class Lane:
    """`begun` letters of its window were looked at, the last of them was written at `since`; 0 when no answer is
    waited for."""

    is_spare: bool = False  # in the place of one that waits for a slow host
    is_replaced: bool = False
    taken: int = 0  # messages, by this connection
    since: float = 0.0
    letter: Letter | None = None  # the last that was written
    begun: int = 0
    is_freed: bool = False  # those behind the one on the wire go by another connection, also the one announced to it
    window: Window | None = None
    upcoming: asyncio.Task[Window | None] | None = None

    def behind(self) -> Iterator[tuple[Window, int]]:
        """The windows with letters behind the one on the wire, and from which place."""
        for window, begun in ((self.window, self.begun), (done(self.upcoming), 0)):
            if window and begun < len(window.letters):
                yield window, begun

    def free(self) -> Iterator[tuple[Window, Letter]]:
        """Everybody behind the message on the wire, who has its intent committed and nothing else."""
        self.is_freed = True
        for window, begun in self.behind():
            yield from ((window, letter) for letter in window.letters[begun:])
            del window.letters[begun:]

    def following(self) -> tuple[Window, Letter] | None:
        """Who is next, if its intent is committed by now. Asked before each message."""
        window, begun = self.window, self.begun
        if window is None or begun == len(window.letters):
            window, begun = done(self.upcoming), 0
        return (window, window.letters[begun]) if window and window.letters else None


def done(upcoming: asyncio.Task[Window | None] | None) -> Window | None:
    return upcoming.result() if upcoming and upcoming.done() and not upcoming.exception() else None
