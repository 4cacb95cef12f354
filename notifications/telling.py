"""What people are told of a way out that takes nothing, while it is so: shown beside the send's numbers (routes.py).

Trouble is a connection that cannot be made, a provider that refuses us and nobody on the list, and whatever else keeps
many messages in a row, for several hosts, from being taken. Nothing changes the way by itself: people see what they can
do, and the worker goes on trying at the pace of easing.py.
"""

from contextlib import suppress

from notifications.easing import Easing
from notifications.ledger import DATABASE_ERRORS, Ledger
from notifications.routes import forget_trouble, note_trouble
from notifications.transport import Kind, Outcome


class Telling:
    """Of one drain's way. What cannot be told, because the database is away, is told with the next trouble."""

    def __init__(self, ledger: Ledger, route: int, easing: Easing) -> None:
        self.ledger, self.route, self.easing = ledger, route, easing
        self.is_first = True  # another worker may have told something

    async def down(self, why: str) -> None:
        self.easing.is_told = True
        self.easing.untaken += 1
        with suppress(*DATABASE_ERRORS):
            await self.ledger.call(note_trouble, self.route, why)

    async def not_taken(self, outcome: Outcome) -> None:
        if self.easing.takes_nothing(outcome):
            await self.down(why_nothing(outcome))

    async def well(self) -> None:
        """Once something was taken again."""
        is_well = self.ledger.kinds[Kind.HANDED_OVER] and not self.easing.untaken
        if is_well and (self.is_first or self.easing.is_told):
            self.is_first = self.easing.is_told = False
            with suppress(*DATABASE_ERRORS):
                await self.ledger.call(forget_trouble, self.route)


def why_nothing(outcome: Outcome) -> str:
    """By the last that was heard of it."""
    if outcome.trouble:
        return outcome.trouble
    if outcome.kind is Kind.UNKNOWN:
        return "It reads messages and does not say whether it takes them: each of those is in doubt."
    if outcome.code:
        return f"It answered {' '.join(filter(None, [str(outcome.code), outcome.enhanced]))} and took no message."
    return "It ends each connection before it takes a message."
