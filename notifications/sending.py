"""The worker's loop: asyncio drives the sockets, one thread with one database connection commits every state.

A connection works in halves of a window: while the messages of one half are on the wire, the outcomes of the half
before are committed together with the intent of the half after. All connections share commits, so the more there is to
do, the fewer each message costs. Two batches are in hand, so that the wire does not wait for a claim.

A kill leaves at most one window per connection in *handing over*. The journal says which of them may have left, so that
one per connection at most becomes *unknown*: the message that was on the wire (journal.py, recovering.py).
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from django.conf import settings

from notifications import alarms, delivery, epochs, pace, sweeping
from notifications.batches import close_batch
from notifications.composing import Letter, open_edition
from notifications.delivery import Claimed
from notifications.easing import Spacing, easing_of
from notifications.ends import End
from notifications.failpoints import reach
from notifications.journal import Journal, JournalFailed
from notifications.lanes import Lane, Window, first_of
from notifications.ledger import DATABASE_ERRORS, Hand, Ledger
from notifications.pace import Taken
from notifications.placeholders import ValueRefused
from notifications.routes import name_of
from notifications.smtp import ABOUT_THE_CONNECTION
from notifications.telling import Telling
from notifications.transport import Connection, Envelope, Kind, Outcome, Phase, RouteDown
from notifications.tuning import tuned_for_sending

logger = logging.getLogger(__name__)
BATCH_ROWS = 500
LONGEST_REST = 15.0  # seconds that a drain waits for its limits; for longer the sweeper rings again
LOOK_UP = 0.25
PATIENCE = 5.0  # seconds for an answer, after which nobody waits behind that message
NOT_BEGUN = Outcome(Kind.NOT_SENT, Phase.CONNECT)
Connect = Callable[[int], Awaitable[Connection]]  # by which of the ways out: routes.py


class Drain:
    """One edition, as much of it as fits into the time given."""

    def __init__(
        self,
        edition_id: UUID,
        connect: Connect,
        *,
        seconds: float,
        should_stop: Callable[[], bool],
        call_others: Callable[[], None],
    ) -> None:
        self.edition_id, self.connect, self.seconds, self.should_stop = edition_id, connect, seconds, should_stop
        self.call_others, self.has_called = call_others, False
        self.connections, self.window = settings.BREACHDESK.smtp_connections, settings.BREACHDESK.send_window
        self.half = max(1, self.window // 2)  # two halves are open at once, together at most one window
        self.margin = delivery.terms().margin
        self.hands: list[Hand] = []
        self.claiming: asyncio.Task[None] | None = None
        self.closing: set[asyncio.Task[None]] = set()
        self.end: End | None = None
        self.nothing_due, self.held_back = False, False
        self.growing: Hand | None = None
        self.ledger = Ledger(edition_id)
        self.lanes: list[Lane] = []  # those at work
        self.patience = min(PATIENCE, delivery.terms().dot_timeout / 4)

    async def run(self) -> End:
        self.until = asyncio.get_running_loop().time() + self.seconds
        try:
            if not await self.ledger.call(epochs.begin_sending):
                return End.NOT_FROM_HERE
            composer = await self.ledger.call(open_edition, self.edition_id)
            if composer is None:
                return End.CLOSED
            self.composer, self.limits, self.easing = composer, composer.limits, easing_of(name_of(composer.route))
            self.telling = Telling(self.ledger, composer.route, self.easing)
            self.spacing = Spacing(composer.limits.schedule.per_minute if composer.limits else None)
            self.journal = Journal()
            await self._work()
            if self.limits:
                await self.ledger.call(sweeping.pause_after_canary, self.edition_id)
            if alarms.is_worth_a_look(self.ledger.kinds):
                await self.ledger.call(alarms.pause_if_needed, self.edition_id)
            if self.end in (End.NOTHING_DUE, End.HELD_BACK):
                await self.ledger.call(sweeping.finish_if_done, self.edition_id)
            return self.end or End.ROUTE_DOWN
        except JournalFailed as problem:
            logger.error("Nothing is sent: %s", problem)
            return End.NO_JOURNAL
        finally:
            self.ledger.close()

    async def _work(self) -> None:
        """All lanes to their end, whatever happens to one; then nothing stays in hand."""
        keepers = [asyncio.create_task(one) for one in (self._keep_leases(), self._watch(), self._free_who_waits())]
        lanes = await asyncio.gather(*(self._stay() for _ in range(self.connections)), return_exceptions=True)
        for keeper in keepers:
            keeper.cancel()
        if self.claiming:
            await self.claiming
        try:
            await self.telling.well()
            await self.ledger.flush()
            await asyncio.gather(*self.closing)
            for hand in self.hands:
                await self.ledger.call(_put_down, hand.token)
            self.journal.end(is_settled=not self.ledger.is_in_doubt)
        except DATABASE_ERRORS:
            logger.exception("Rows could not be put down. The sweeper does so, by what the journal says of them.")
            self.journal.end(is_settled=False)
        for failure in lanes:
            if failure is not None:
                raise failure

    async def _stay(self) -> None:
        """At work for as long as the way out has room for another connection."""
        while await self._may_work():
            self.lanes.append(lane := Lane())
            try:
                if not await self._serve(lane):
                    return
            finally:
                self.lanes.remove(lane)

    async def _may_work(self) -> bool:
        while not self._is_over():
            now = asyncio.get_running_loop().time()
            rest = self.easing.rests_for(now)
            if not rest and len(self.lanes) < self.easing.allowed(self.connections, now):
                return True
            await asyncio.sleep(min(rest or LOOK_UP, LOOK_UP))
        return False

    async def _serve(self, lane: Lane) -> bool:
        """While a window is on the wire, the intent of the next is committed. False where there is no way out."""
        taken = await self._take()
        way = await self._connected() if taken else None
        reach("G3")
        if taken and way is None:
            taken[0].rows.extendleft(taken[1])
            return self.ledger.lanes > 0
        self.ledger.lanes += 1
        try:
            lane.window = await self._begin(*taken) if taken and way else None
            while lane.window:
                goes_on = way is not None and self._has_room()
                lane.upcoming = asyncio.create_task(self._next_window()) if goes_on and self.window > 1 else None
                way = await self._send(way, lane, lane.window)
                self._answered(lane.window)
                following = lane.upcoming or (self._next_window() if goes_on and way else None)
                lane.window = await following if following else None
        finally:
            self.ledger.lanes -= 1
            if way:
                await way.close()
        return True

    def _has_room(self) -> bool:
        return len(self.lanes) <= self.easing.allowed(self.connections, asyncio.get_running_loop().time())

    async def _next_window(self) -> Window | None:
        taken = await self._take()
        return await self._begin(*taken) if taken else None

    async def _begin(self, hand: Hand, rows: Sequence[Claimed]) -> Window:
        letters = self._compose(hand, rows)
        granted = await self.ledger.begin(hand, {letter.row.id: letter.recipient for letter in letters})
        if len(granted) < len(letters):
            self.end = self.end or End.CLOSED
        blocked, begun = len(rows) - len(letters), [letter for letter in letters if letter.row.id in granted]
        return Window(hand, begun, blocked + len(begun))

    async def _take(self) -> tuple[Hand, list[Claimed]] | None:
        """The next window, of one batch; None when this drain is over."""
        while not self._is_over():
            hand = next((hand for hand in self.hands if hand.rows), None)
            self._claim_ahead()
            if hand:
                return hand, [hand.rows.popleft() for _ in range(min(self.half, len(hand.rows)))]
            if self.claiming is None:
                self.end = End.HELD_BACK if self.held_back else End.NOTHING_DUE
            else:
                await asyncio.shield(self.claiming)
        return None

    def _is_over(self) -> bool:
        if self.end is None and self.should_stop():
            self.end = End.STOPPED
        if self.end is None and asyncio.get_running_loop().time() > self.until:
            self.end = End.TIME
        return self.end is not None

    def _claim_ahead(self) -> None:
        """Claim while at least one batch is still in hand, and never twice at once."""
        waiting = sum(len(hand.rows) for hand in self.hands)
        enough = 1 if self.limits else BATCH_ROWS
        if self.claiming is None and not self.nothing_due and waiting < enough:
            self.claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        try:
            again_in = await self._claim_once()
            while again_in and not self._is_over():
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
        began = asyncio.get_running_loop().time()
        same = self.growing if self.growing and self.growing.taken < BATCH_ROWS else None
        token = same.token if same else None
        asked = self.limits, self.edition_id, BATCH_ROWS, token, self.journal.id, self.composer.epoch
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
        if same:
            same.rows.extend(taken.rows)
            same.unanswered += len(taken.rows)
            same.taken += len(taken.rows)
            return
        full, self.growing = self.growing, None
        hand = Hand(taken.token, deque(taken.rows), began + self.margin, len(taken.rows), len(taken.rows))
        self.hands.append(hand)
        if self.limits:
            self.growing = hand
        if full:
            self._close_if_answered(full)

    def _compose(self, hand: Hand, rows: Sequence[Claimed]) -> list[Letter]:
        letters = []
        for row in rows:
            try:
                letters.append(self.composer.compose(row))
            except ValueRefused as refusal:
                self.ledger.block(hand, row, str(refusal))
        return letters

    async def _connected(self) -> Connection | None:
        try:
            return await self.connect(self.composer.route)
        except RouteDown as problem:
            logger.warning("%s", problem)
            self.easing.trouble(asyncio.get_running_loop().time())
            await self.telling.down(str(problem))
            return None

    async def _send(self, way: Connection | None, lane: Lane, window: Window) -> Connection | None:
        """The window goes on the wire. What follows a broken connection is sent over a new one, or was not sent."""
        now, outcome = asyncio.get_running_loop().time, NOT_BEGUN
        for lane.begun, letter in enumerate(window.letters, 1):
            is_last = lane.begun == len(window.letters)
            after = first_of(lane.upcoming) if is_last else window.letters[lane.begun].envelope
            if way is not None and (way.broken or lane.is_freed):
                way = await self._once_more(way, lane, outcome)
            outcome = NOT_BEGUN
            if way is not None and not self.journal.failure:
                if wait := self.spacing.wait(now()):
                    await asyncio.sleep(wait)
                lane.since = now()
                outcome = await self._hand_over(way, window.hand, letter, after)
                lane.since = 0.0
                if outcome.kind is Kind.HANDED_OVER:
                    lane.taken, self.easing.fruitless, self.easing.untaken = lane.taken + 1, 0, 0
            self.ledger.answer(window.hand, letter.row, outcome)
            if way is not None and outcome.kind is not Kind.HANDED_OVER and not self.journal.failure:
                await self.telling.not_taken(outcome)
        return way

    async def _once_more(self, way: Connection, lane: Lane, last: Outcome) -> Connection | None:
        """A new connection for one that ended; not at once where the way is in trouble."""
        await way.close()
        now = asyncio.get_running_loop().time()
        self.easing.ended(now, taken=lane.taken, is_told=last.code in ABOUT_THE_CONNECTION)
        lane.taken, lane.is_freed = 0, False
        return None if self.easing.rests_for(now) else await self._connected()

    async def _free_who_waits(self) -> None:
        """Behind a message that gets no answer nobody waits: the others of its connection go by another one."""
        while True:
            await asyncio.sleep(self.patience / 4)
            now = asyncio.get_running_loop().time()
            for lane in self.lanes:
                if lane.since and now - lane.since > self.patience:
                    for window, letter in lane.free():
                        self.ledger.answer(window.hand, letter.row, Outcome(Kind.NOT_SENT, Phase.CONNECT, wait=0))
                    self.ledger.commit_soon()

    async def _hand_over(self, way: Connection, hand: Hand, letter: Letter, after: Envelope | None) -> Outcome:
        row, number = letter.row.id, letter.row.tries + 1
        before_dot = partial(self.journal.dot, row, number)
        reach("G5")
        try:
            outcome = await way.hand_over(*letter.envelope, letter.message, hand.deadline, after, before_dot)
        except JournalFailed as problem:
            logger.error("Nothing more is sent: %s", problem)
            self.end = self.end or End.NO_JOURNAL
            return Outcome(Kind.NOT_SENT, Phase.BODY)
        outcome = self.easing.judged(outcome) if outcome.trouble else outcome
        self.journal.answered(row, number, outcome)
        reach("G8")
        if outcome.kind is Kind.HANDED_OVER:
            return outcome
        return outcome._replace(domain=self.composer.domain_index(letter.envelope[1].decode()))

    def _answered(self, window: Window) -> None:
        window.hand.unanswered -= window.answers
        self._close_if_answered(window.hand)
        if self.limits:
            self.ledger.commit_soon()  # the next window may be long in coming

    def _close_if_answered(self, hand: Hand) -> None:
        if hand.unanswered == 0 and hand is not self.growing and hand in self.hands:
            self.hands.remove(hand)
            task = asyncio.create_task(self._close(hand))
            self.closing.add(task)
            task.add_done_callback(self.closing.discard)

    async def _close(self, hand: Hand) -> None:
        await self.ledger.flush()
        await self.ledger.call(close_batch, hand.token)

    async def _watch(self) -> None:
        """Too many refusals or doubts stop the edition within seconds, not at the end of this drain."""
        while True:
            await asyncio.sleep(alarms.LOOK_EVERY)
            await self.telling.well()
            if alarms.is_worth_a_look(self.ledger.kinds):
                began = time.monotonic()
                with suppress(*DATABASE_ERRORS):
                    await self.ledger.call(alarms.pause_if_needed, self.edition_id)
                await asyncio.sleep(9 * (time.monotonic() - began))  # counting may take a tenth of the ledger's time

    async def _keep_leases(self) -> None:
        """A lease that could not be renewed lets no further dot be written."""
        while True:
            await asyncio.sleep(self.margin / 4)
            began, held = asyncio.get_running_loop().time(), list(self.hands)
            try:
                kept = await self.ledger.call(delivery.renew, [hand.token for hand in held])
            except DATABASE_ERRORS:
                logger.exception("The leases could not be renewed.")
                kept = set()
            for hand in held:
                if hand.token in kept:
                    hand.deadline = began + self.margin
                elif hand in self.hands:  # else it was answered for meanwhile
                    self.end = self.end or End.NO_DATABASE


def _put_down(token: UUID) -> None:
    pace.give_back(token)
    close_batch(token)


def drain_edition(
    edition_id: UUID,
    *,
    connect: Connect,
    seconds: float = 45,
    should_stop: Callable[[], bool] = lambda: False,
    call_others: Callable[[], None] = lambda: None,
) -> End:
    """Send what is due of this edition for at most so long. Any number of workers may do so at once.

    `call_others` is called once, when there is more to do than one batch and no limit that one worker keeps anyway.
    """

    async def run() -> End:
        return await Drain(edition_id, connect, seconds=seconds, should_stop=should_stop, call_others=call_others).run()

    with tuned_for_sending():
        return asyncio.run(run())
