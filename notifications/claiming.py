"""What a worker has taken and not begun: two batches in hand, so that the wire never waits for a claim.

Under limits only as much is taken as may leave at once, and it must leave soon: whoever did not within half a second
(turns.py) has lost the turn and goes back for another. So a worker that was held up adds nothing to what others send
meanwhile. A way out that cannot keep up with the limit is given less at a time.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from notifications import delivery, pace
from notifications.batches import close_batch
from notifications.delivery import Claimed
from notifications.ends import End
from notifications.failpoints import reach
from notifications.ledger import DATABASE_ERRORS, Hand, Ledger
from notifications.pace import Taken
from notifications.turns import IN_TIME, Limits

logger = logging.getLogger(__name__)
NEVER = float("inf")
BATCH_ROWS = 500
LONGEST_REST = 15.0  # seconds that a drain waits for its limits; for longer the sweeper rings again
LOOK_UP = 0.25


class Portion(NamedTuple):
    """Rows of one batch, and the loop's time after which none of them may begin to leave."""

    hand: Hand
    rows: list[Claimed]
    turns_end: float


class Supply:
    """`is_over` says whether this drain is, `is_lingering` whether it must stay although nothing is due; why there is
    nothing more to take stands in `end`."""

    def __init__(
        self,
        ledger: Ledger,
        edition_id: UUID,
        limits: Limits | None,
        *,
        journal: UUID,
        epoch: int,
        connections: int,
        is_over: Callable[[], bool],
        is_lingering: Callable[[], bool],
        call_others: Callable[[], None],
    ) -> None:
        self.ledger, self.edition_id, self.limits, self.journal, self.epoch = ledger, edition_id, limits, journal, epoch
        self.connections, self.is_over, self.is_lingering = connections, is_over, is_lingering
        self.call_others, self.has_called = call_others, False
        self.margin = delivery.terms().margin
        self.hands: list[Hand] = []
        self.claiming: asyncio.Task[None] | None = None
        self.closing: set[asyncio.Task[None]] = set()
        self.end: End | None = None
        self.nothing_due, self.held_back = False, False
        self.growing: Hand | None = None
        self.claimed_at = 0.0
        self.portion, self.last, self.lost = BATCH_ROWS, 0, 0.0  # rows, rows, the loop's time

    async def take(self, most: int) -> Portion | None:
        """For the next window; None when this drain is over."""
        while not self.is_over():
            hand = next((hand for hand in self.hands if hand.rows), None)
            if hand and asyncio.get_running_loop().time() > hand.turns_end:
                self._lose_turns(hand)
                continue
            self._claim_ahead()
            if hand:
                rows = [hand.rows.popleft() for _ in range(min(most, self._share(), len(hand.rows)))]
                return Portion(hand, rows, hand.turns_end)
            if self.claiming:
                await asyncio.shield(self.claiming)
            elif self.is_lingering():
                await self._look_again()
            else:
                self.end = End.HELD_BACK if self.held_back else End.NOTHING_DUE
        return None

    async def _look_again(self) -> None:
        """Whoever was put off becomes due while this worker stays."""
        await asyncio.sleep(LOOK_UP)
        if self.claiming is None and asyncio.get_running_loop().time() - self.claimed_at > 2 * LOOK_UP:
            self.nothing_due = self.held_back = False

    def _share(self) -> int:
        """What little there is leaves over all connections, so that none of them ends long after the others."""
        return -(-self._waiting() // self.connections)

    def _waiting(self) -> int:
        return sum(len(hand.rows) for hand in self.hands)

    def take_back(self, portion: Portion) -> None:
        """There was no way out for it."""
        portion.hand.rows.extendleft(portion.rows)
        portion.hand.turns_end = min(portion.hand.turns_end, portion.turns_end)

    def _lose_turns(self, hand: Hand) -> None:
        self.lose(hand.turns_end)
        for row in hand.rows:
            self.ledger.put_off(hand, row, 0)
        hand.unanswered -= len(hand.rows)
        hand.rows.clear()
        self.ledger.commit_soon()
        self.close_if_answered(hand)

    def lose(self, turns_end: float) -> None:
        """Turns were not used in time: less is taken from now on, in the end one that may go however late it is."""
        if turns_end != self.lost:
            self.lost, self.portion = turns_end, max(1, self.last // 2)

    def _claim_ahead(self) -> None:
        """Claim while at least one batch is still in hand, and never twice at once."""
        enough = 1 if self.limits else BATCH_ROWS
        if self.claiming is None and not self.nothing_due and self._waiting() < enough:
            self.claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        try:
            again_in = await self._claim_once()
            while again_in and not self.is_over():
                if again_in > LONGEST_REST:
                    self.held_back = self.nothing_due = True
                    return
                await asyncio.sleep(min(again_in, LOOK_UP))
                again_in = again_in - LOOK_UP if again_in > LOOK_UP else await self._claim_once()
            self.nothing_due = again_in is None
        except DATABASE_ERRORS:
            logger.exception("No rows could be claimed.")
            self.end = End.NO_DATABASE
        finally:
            self.claiming = None

    async def _claim_once(self) -> float | None:
        """In how many seconds more can be had; None when nothing more is due."""
        self.claimed_at = began = asyncio.get_running_loop().time()
        same = self.growing if self.growing and self.growing.taken < BATCH_ROWS else None
        token = same.token if same else None
        asked = self.limits, self.edition_id, self.portion, token, self.journal, self.epoch
        taken = await self.ledger.call(pace.take, *asked)
        if taken.rows:
            reach("G2")
            self._into_hand(taken, began, same)
            if self.limits is None and taken.again_in == 0 and not self.has_called:
                self.has_called = True
                await asyncio.get_running_loop().run_in_executor(None, self.call_others)
        return taken.again_in

    def _into_hand(self, taken: Taken, began: float, same: Hand | None) -> None:
        """Under limits few come at a time: one batch takes them until it is large, so that the trail stays short."""
        hand, full = same, None
        if hand is None:
            full, self.growing = self.growing, None
            hand = Hand(taken.token, began + self.margin)
            self.hands.append(hand)
        hand.take(taken.rows)
        if self.limits:
            self.growing = hand
            self._count_turns(hand, len(taken.rows), began)
        if full:
            self.close_if_answered(full)

    def close_if_answered(self, hand: Hand) -> None:
        if hand.unanswered == 0 and hand is not self.growing and hand in self.hands:
            self.hands.remove(hand)
            task = asyncio.create_task(self._close(hand))
            self.closing.add(task)
            task.add_done_callback(self.closing.discard)

    async def _close(self, hand: Hand) -> None:
        await self.ledger.flush()
        await self.ledger.call(close_batch, hand.token)

    async def put_down(self) -> None:
        """Nothing stays in hand. Raises a database's error."""
        if self.claiming:
            await self.claiming
        await self.ledger.flush()
        await asyncio.gather(*self.closing)
        for hand in self.hands:
            await self.ledger.call(_put_down, hand.token)

    def _count_turns(self, hand: Hand, number: int, began: float) -> None:
        may_be_late = self.portion == 1 or not (self.limits and self.limits.is_paced)
        hand.turns_end = NEVER if may_be_late else began + IN_TIME
        self.last, self.portion = number, min(BATCH_ROWS, self.portion + self.portion // 4 + 1)


def _put_down(token: UUID) -> None:
    pace.give_back(token)
    close_batch(token)
