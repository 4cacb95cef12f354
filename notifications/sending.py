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
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.conf import settings

from notifications import alarms, delivery, epochs, sweeping
from notifications.claiming import NEVER, Portion, Supply
from notifications.composing import Letter, open_edition
from notifications.delivery import Claimed
from notifications.easing import FIRST_REST, easing_of
from notifications.ends import End
from notifications.failpoints import reach
from notifications.hosts import LOOK_EVERY, host_of
from notifications.journal import Journal, JournalFailed
from notifications.lanes import Lane, Window
from notifications.ledger import DATABASE_ERRORS, Ledger
from notifications.placeholders import ValueRefused
from notifications.routes import name_of
from notifications.smtp import ABOUT_THE_CONNECTION
from notifications.telling import Telling
from notifications.transport import Connection, Envelope, Kind, Outcome, Phase, RouteDown
from notifications.tuning import tuned_for_sending

logger = logging.getLogger(__name__)
LOOK_UP = 0.25
NOT_BEGUN = Outcome(Kind.NOT_SENT, Phase.CONNECT)
AT_ONCE_AGAIN = NOT_BEGUN._replace(wait=0)
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
        self.call_others = call_others
        self.connections, self.window = settings.BREACHDESK.smtp_connections, settings.BREACHDESK.send_window
        self.half = max(1, self.window // 2)  # two halves are open at once, together at most one window
        self.terms = delivery.terms()
        self.end: End | None = None
        self.ledger = Ledger(edition_id)
        self.lanes: list[Lane] = []  # those at work, and those that wait for a slow host
        self.staying: list[asyncio.Task[None]] = []
        self.replaced = self.quick_before = 0

    async def run(self) -> End:
        self.until = asyncio.get_running_loop().time() + self.seconds
        try:
            if not await self.ledger.call(epochs.begin_sending):
                return End.NOT_FROM_HERE
            composer = await self.ledger.call(open_edition, self.edition_id)
            if composer is None:
                return End.CLOSED
            self.composer, self.easing = composer, easing_of(name_of(composer.route))
            self.hosts = self.easing.slow_hosts
            self.telling = Telling(self.ledger, composer.route, self.easing)
            self.journal = Journal()
            self.limits = composer.limits and replace(composer.limits, wait_for=self._wait_for)
            self.supply = self._supply()
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

    def _supply(self) -> Supply:
        return Supply(
            self.ledger,
            self.edition_id,
            self.limits,
            journal=self.journal.id,
            epoch=self.composer.epoch,
            connections=self.connections,
            is_over=self._is_over,
            is_lingering=self._is_lingering,
            call_others=self.call_others,
        )

    async def _work(self) -> None:
        """All lanes to their end, whatever happens to one; then nothing stays in hand."""
        self.hosts.forget(asyncio.get_running_loop().time())
        self.patience = self.hosts.patience(self.terms.dot_timeout)
        keepers = [asyncio.create_task(one) for one in (self._keep_leases(), self._watch(), self._replace_who_waits())]
        self.staying = [asyncio.create_task(self._stay()) for _ in range(self.connections)]
        while working := [one for one in self.staying if not one.done()]:
            await asyncio.wait(working)
        for keeper in keepers:
            keeper.cancel()
        try:
            await self.telling.well()
            await self.supply.put_down()
            self.journal.end(is_settled=not self.ledger.is_in_doubt)
        except DATABASE_ERRORS:
            logger.exception("Rows could not be put down. The sweeper does so, by what the journal says of them.")
            self.journal.end(is_settled=False)
        for one in self.staying:
            one.result()

    async def _stay(self, *, is_spare: bool = False) -> None:
        """At work for as long as the way out has room for another connection."""
        while await self._may_work():
            self.lanes.append(lane := Lane(is_spare=is_spare))
            try:
                if not await self._serve(lane) or lane.is_replaced:
                    return
            finally:
                self.lanes.remove(lane)
                self.replaced -= lane.is_replaced

    async def _may_work(self) -> bool:
        while not self._is_over():
            now = asyncio.get_running_loop().time()
            rest = self.easing.rests_for(now)
            if not rest and len(self.lanes) - self.replaced < self.easing.allowed(self.connections, now):
                return True
            await asyncio.sleep(min(rest or LOOK_UP, LOOK_UP))
        return False

    async def _serve(self, lane: Lane) -> bool:
        """While a window is on the wire, the intent of the next is committed. False where there is no way out."""
        portion = await self.supply.take(self.half)
        way = await self._connected(lane) if portion else None
        reach("G3")
        if portion and way is None:
            self.supply.take_back(portion)
            return self.ledger.lanes > 0 or self._is_extra(lane)
        self.ledger.lanes += 1
        try:
            lane.window = await self._begin(portion) if portion and way else None
            while lane.window:
                is_ahead = self.window > 1 and self._goes_on(way, lane)
                lane.upcoming = asyncio.create_task(self._next_window()) if is_ahead else None
                way = await self._send(way, lane, lane.window)
                self._answered(lane.window)
                following = lane.upcoming or (self._next_window() if self._goes_on(way, lane) else None)
                lane.window = await following if following else None
        finally:
            self.ledger.lanes -= not lane.is_replaced
            if way:
                await way.close()
        return True

    def _goes_on(self, way: Connection | None, lane: Lane) -> bool:
        if way is None or lane.is_replaced:
            return False
        allowed = self.easing.allowed(self.connections, asyncio.get_running_loop().time())
        return len(self.lanes) - self.replaced <= allowed

    def _is_extra(self, lane: Lane) -> bool:
        return lane.is_spare and self.replaced > 0

    async def _next_window(self) -> Window | None:
        portion = await self.supply.take(self.half)
        return await self._begin(portion) if portion else None

    async def _begin(self, portion: Portion) -> Window:
        hand, letters = portion.hand, self._compose(portion)
        if self.hosts.slow:
            letters = self._without_slow_hosts(portion, letters)
        granted = await self.ledger.begin(hand, {letter.row.id: letter.recipient for letter in letters})
        begun = [letter for letter in letters if letter.row.id in granted]
        if len(begun) < len(letters):
            self.end = self.end or End.CLOSED
        return Window(hand, begun, len(portion.rows) - len(letters) + len(begun), portion.turns_end)

    def _without_slow_hosts(self, portion: Portion, letters: list[Letter]) -> list[Letter]:
        now = asyncio.get_running_loop().time()
        self.hosts.look_for_others(letters, now)
        going = self.hosts.those_that_go(letters, now, self.connections)
        gone = {letter.row.id for letter in going}
        for letter in letters:
            if letter.row.id not in gone:
                self.ledger.put_off(portion.hand, letter.row, self.hosts.put_off(now))
        return going

    def _wait_for(self, row: Claimed) -> float:
        """Asked with each claim under limits, so that nobody's turn goes to a host that is kept back."""
        now = time.monotonic()  # the loop's clock, in the ledger's thread
        if self.hosts.slow and self.hosts.is_full(self.composer.host_of(row), now, self.connections):
            return self.hosts.put_off(now)
        return 0.0

    def _is_lingering(self) -> bool:
        """This worker has to wait for an answer anyway, or put somebody off for a moment."""
        return self.replaced > 0 or asyncio.get_running_loop().time() < self.hosts.back_at + LOOK_UP

    def _is_over(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self.end is None and self.should_stop():
            self.end = End.STOPPED
        # While one connection waits for a slow host, and this process with it, the others go on.
        if self.end is None and now > self.until + (self.terms.dot_timeout if self.replaced else 0):
            self.end = End.TIME
        self.end = self.end or self.supply.end
        return self.end is not None

    def _compose(self, portion: Portion) -> list[Letter]:
        letters = []
        for row in portion.rows:
            try:
                letters.append(self.composer.compose(row))
            except ValueRefused as refusal:
                self.ledger.block(portion.hand, row, str(refusal))
        return letters

    async def _connected(self, lane: Lane) -> Connection | None:
        try:
            return await self.connect(self.composer.route)
        except RouteDown as problem:
            logger.warning("%s", problem)
            if self._is_extra(lane):  # that one more than usual is refused is no trouble of the way
                await asyncio.sleep(FIRST_REST)
            else:
                self.easing.trouble(asyncio.get_running_loop().time())
                await self.telling.down(str(problem))
            return None

    async def _send(self, way: Connection | None, lane: Lane, window: Window) -> Connection | None:
        """The window goes on the wire. What follows a broken connection is sent over a new one, or was not sent."""
        outcome = NOT_BEGUN
        for lane.begun, letter in enumerate(window.letters, 1):
            if way is not None and (way.broken or lane.is_freed):
                way = await self._once_more(way, lane, outcome)
            later = None if way and way.announced else self._later(window, letter)
            if way is None or later or self.journal.failure:
                outcome = later or NOT_BEGUN
                self.hosts.came_back(letter)
            else:
                outcome = await self._on_the_wire(way, lane, window, letter)
            self.ledger.answer(window.hand, letter.row, outcome)
        return way

    async def _on_the_wire(self, way: Connection, lane: Lane, window: Window, letter: Letter) -> Outcome:
        following = lane.following()
        after = following[1].envelope if following and not self._later(*following) else None
        lane.letter, lane.since = letter, time.monotonic()  # the loop's clock
        outcome = await self._hand_over(way, window, letter, after)
        self.hosts.answered(letter, time.monotonic() - lane.since, self.patience)
        lane.since = 0.0
        if outcome.kind is Kind.HANDED_OVER:
            lane.taken, self.easing.fruitless, self.easing.untaken = lane.taken + 1, 0, 0
        elif not self.journal.failure:
            await self.telling.not_taken(outcome)
        return outcome

    def _later(self, window: Window, letter: Letter) -> Outcome | None:
        """Why this one does not go now. Asked before each message, so it is quick where nothing is in the way."""
        if window.turns_end == NEVER and not self.hosts.slow:
            return None
        now = asyncio.get_running_loop().time()
        if now > window.turns_end:
            self.supply.lose(window.turns_end)
            return AT_ONCE_AGAIN
        if self.hosts.slow and not self.hosts.lets(letter, now, self.connections):
            return NOT_BEGUN._replace(wait=self.hosts.put_off(now))
        return None

    async def _once_more(self, way: Connection, lane: Lane, last: Outcome) -> Connection | None:
        """A new connection for one that ended; not at once where the way is in trouble."""
        await way.close()
        now = asyncio.get_running_loop().time()
        if lane.letter is None or host_of(lane.letter) not in self.hosts.slow:
            self.easing.ended(now, taken=lane.taken, is_told=last.code in ABOUT_THE_CONNECTION)
        lane.taken, lane.is_freed = 0, False
        return None if self.easing.rests_for(now) else await self._connected(lane)

    async def _replace_who_waits(self) -> None:
        """Behind a message that gets no answer nobody waits: another connection takes the place of its own."""
        while True:
            due = asyncio.get_running_loop().time() + LOOK_EVERY
            await asyncio.sleep(LOOK_EVERY)
            now, self.patience = asyncio.get_running_loop().time(), self.hosts.patience(self.terms.dot_timeout)
            if now > due + LOOK_EVERY:
                continue  # this process stood still itself, and answers may have come
            late = [lane for lane in self.lanes if lane.since and now - lane.since > self.patience]
            for lane in late:
                self._keeps_waiting(lane, now)
            if late and not self.hosts.are_alone(now):
                self._replace([lane for lane in late if not lane.is_replaced])

    def _keeps_waiting(self, lane: Lane, now: float) -> None:
        assert lane.letter is not None
        self.hosts.keeps_waiting(lane.letter, now)
        behind = list(lane.free())
        for window, letter in behind:
            self.hosts.came_back(letter)
            self.ledger.answer(window.hand, letter.row, AT_ONCE_AGAIN)
        if behind:
            self.ledger.commit_soon()

    def _replace(self, late: list[Lane]) -> None:
        """One at first; the others once something was answered since, or else it is the way out that is slow."""
        if self.replaced and self.hosts.quick == self.quick_before:
            return
        self.quick_before = self.hosts.quick
        for lane in late[: self.connections - self.replaced if self.replaced else 1]:
            lane.is_replaced = True
            self.replaced += 1
            self.ledger.lanes -= 1
            self.staying.append(asyncio.create_task(self._stay(is_spare=True)))

    async def _hand_over(self, way: Connection, window: Window, letter: Letter, after: Envelope | None) -> Outcome:
        row, number = letter.row.id, letter.row.tries + 1
        before_dot = partial(self.journal.dot, row, number)
        reach("G5")
        try:
            outcome = await way.hand_over(*letter.envelope, letter.message, window.hand.deadline, after, before_dot)
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
        self.supply.close_if_answered(window.hand)
        if self.limits:
            self.ledger.commit_soon()  # the next window may be long in coming

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
            await asyncio.sleep(self.terms.margin / 4)
            began, held = asyncio.get_running_loop().time(), list(self.supply.hands)
            try:
                kept = await self.ledger.call(delivery.renew, [hand.token for hand in held])
            except DATABASE_ERRORS:
                logger.exception("The leases could not be renewed.")
                kept = set()
            for hand in held:
                if hand.token in kept:
                    hand.deadline = began + self.terms.margin
                elif hand in self.supply.hands:  # else it was answered for meanwhile
                    self.end = self.end or End.NO_DATABASE


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
    drain = Drain(edition_id, connect, seconds=seconds, should_stop=should_stop, call_others=call_others)
    with tuned_for_sending():
        return asyncio.run(drain.run())
