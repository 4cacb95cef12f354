"""The worker's loop: asyncio drives the sockets, one thread with one database connection commits every state.

A connection works in halves of a window: while the messages of one half are on the wire, the outcomes of the half
before are committed together with the intent of the half after. All connections share commits, so the more there is to
do, the fewer each message costs. Two batches are in hand, so that the wire does not wait for a claim. What a kill
leaves behind is at most one window per connection in *handing over*. A journal, one line before each final dot and one
after its answer, would belong into `Drain._send`.
"""

import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from enum import StrEnum
from uuid import UUID

from django.conf import settings

from breachdesk.people.personal import unseal_personal
from breachdesk.vault.sealing import Cipher, cipher_for
from notifications import delivery, sweeping
from notifications.batches import recipient_commitment
from notifications.delivery import Claimed
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import digest_of
from notifications.ledger import DATABASE_ERRORS, Hand, Ledger
from notifications.models import Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import kinds_of, values_of
from notifications.rendering import CODE, Recipient, Skeleton, checked_address, render_message, return_path
from notifications.transport import Connection, Envelope, Kind, Outcome, Phase, RouteDown
from notifications.verification_codes import code_of, printer

logger = logging.getLogger(__name__)
BATCH_ROWS = 500
SWITCH_INTERVAL = 0.0005  # seconds; the thread that commits must not wait long for the one that sends
Connect = Callable[[], Awaitable[Connection]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready for the wire."""

    row: Claimed
    envelope: Envelope
    message: bytes
    recipient: bytes  # the commitment to the envelope's address


@dataclass(frozen=True)
class Window:
    """Letters whose intent is committed, and how many of the same rows could not become one."""

    hand: Hand
    letters: list[Letter]
    blocked: int


class Composer:
    """Opens people from the vault and makes their messages. Nothing of them outlives the window."""

    def __init__(self, skeleton: Skeleton, cipher: Cipher, edition: Edition) -> None:
        self.skeleton, self.cipher, self.incident = skeleton, cipher, edition.notice.incident
        self.printer = printer()
        self._kinds: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._date = (0, b"")

    def compose(self, row: Claimed) -> Letter:
        """Raises ValueRefused where this person's message cannot be made."""
        if row.tries >= delivery.MOST_TRIES:
            raise ValueRefused(f"The mail system refused this message for now, {row.tries} times.")
        if not row.is_as_frozen:
            raise ValueRefused("This person's row changed after the list was frozen. Ask to have the change approved.")
        personal = unseal_personal(self.cipher, row.sealed, row.person, row.checksum)
        address = personal.get("email", "")
        values = values_of(personal) | {CODE: code_of(self.printer, row.id)}
        recipient = Recipient(row.id, address, self._kinds_of(row.kinds), values)
        message = render_message(self.skeleton, recipient, self._today())
        envelope = return_path(self.skeleton, row.id), checked_address(address)
        committed = recipient_commitment(self.cipher, row.id, row.tries + 1, envelope[1])
        return Letter(row, envelope, message, committed)

    def _kinds_of(self, kinds: Sequence[str]) -> tuple[str, ...]:
        key = tuple(kinds)
        if key not in self._kinds:
            self._kinds[key] = kinds_of(key, self.incident)
        return self._kinds[key]

    def _today(self) -> bytes:
        now = int(time.time())
        if now != self._date[0]:
            self._date = (now, formatdate(now).encode())
        return self._date[1]


class End(StrEnum):
    """Why a drain ended."""

    NOTHING_DUE = "nothing due"
    TIME = "time is over"
    STOPPED = "this worker is stopping"
    CLOSED = "the edition is not being sent, or not by us"
    ROUTE_DOWN = "no way out"
    NO_DATABASE = "the database does not answer, or a lease was lost"


class Drain:
    """One edition, as much of it as fits into the time given."""

    def __init__(self, edition_id: UUID, connect: Connect, *, seconds: float, should_stop: Callable[[], bool]) -> None:
        self.edition_id, self.connect, self.seconds, self.should_stop = edition_id, connect, seconds, should_stop
        self.connections, self.window = settings.BREACHDESK.smtp_connections, settings.BREACHDESK.send_window
        self.half = max(1, self.window // 2)  # two halves are open at once, together at most one window
        self.margin = delivery.terms().margin
        self.hands: list[Hand] = []
        self.claiming: asyncio.Task[None] | None = None
        self.closing: set[asyncio.Task[None]] = set()
        self.end: End | None = None
        self.nothing_due = False
        self.ledger = Ledger(edition_id)

    async def run(self) -> End:
        self.until = asyncio.get_running_loop().time() + self.seconds
        try:
            composer = await self.ledger.call(open_edition, self.edition_id)
            if composer is None:
                return End.CLOSED
            self.composer = composer
            await self._work()
            if self.end is End.NOTHING_DUE:
                await self.ledger.call(sweeping.finish_if_done, self.edition_id)
            return self.end or End.ROUTE_DOWN
        finally:
            self.ledger.close()

    async def _work(self) -> None:
        """All lanes to their end, whatever happens to one; then nothing stays in hand."""
        keeper = asyncio.create_task(self._keep_leases())
        lanes = await asyncio.gather(*(self._serve() for _ in range(self.connections)), return_exceptions=True)
        keeper.cancel()
        if self.claiming:
            await self.claiming
        try:
            await self.ledger.flush()
            await asyncio.gather(*self.closing)
            for hand in self.hands:
                await self.ledger.call(_put_down, hand.token)
        except DATABASE_ERRORS:
            logger.exception("Rows could not be put down. They come back when their lease is over.")
        for failure in lanes:
            if failure is not None:
                raise failure

    async def _serve(self) -> None:
        """One connection: while a window is on the wire, the intent of the next is committed."""
        taken = await self._take()
        way = await self._connected() if taken else None
        if taken and way is None:
            taken[0].rows.extendleft(taken[1])
        self.ledger.lanes += 1
        try:
            window = await self._begin(*taken) if taken and way else None
            while window:
                upcoming = asyncio.create_task(self._next_window()) if way and self.window > 1 else None
                way = await self._send(way, window, upcoming)
                self._answered(window)
                window = await upcoming if upcoming else await self._next_window() if way else None
        finally:
            self.ledger.lanes -= 1
            if way:
                await way.close()

    async def _next_window(self) -> Window | None:
        taken = await self._take()
        return await self._begin(*taken) if taken else None

    async def _begin(self, hand: Hand, rows: Sequence[Claimed]) -> Window:
        letters = self._compose(hand, rows)
        granted = await self.ledger.begin(hand, {letter.row.id: letter.recipient for letter in letters})
        if len(granted) < len(letters):
            self.end = self.end or End.CLOSED
        blocked = len(rows) - len(letters)
        return Window(hand, [letter for letter in letters if letter.row.id in granted], blocked)

    async def _take(self) -> tuple[Hand, list[Claimed]] | None:
        """The next window, of one batch; None when this drain is over."""
        while not self._is_over():
            hand = next((hand for hand in self.hands if hand.rows), None)
            self._claim_ahead()
            if hand:
                return hand, [hand.rows.popleft() for _ in range(min(self.half, len(hand.rows)))]
            if self.claiming is None:
                self.end = End.NOTHING_DUE
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
        if self.claiming is None and not self.nothing_due and waiting < BATCH_ROWS:
            self.claiming = asyncio.create_task(self._claim())

    async def _claim(self) -> None:
        began = asyncio.get_running_loop().time()
        try:
            token, rows = await self.ledger.call(delivery.claim, self.edition_id, BATCH_ROWS)
            if rows:
                self.hands.append(Hand(token, deque(rows), began + self.margin, len(rows)))
            self.nothing_due = len(rows) < BATCH_ROWS
        except DATABASE_ERRORS:
            logger.exception("No rows could be claimed.")
            self.end = End.NO_DATABASE
        finally:
            self.claiming = None

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
            return await self.connect()
        except RouteDown as problem:
            logger.warning("%s", problem)
            return None

    async def _send(
        self, way: Connection | None, window: Window, upcoming: "asyncio.Task[Window | None] | None"
    ) -> Connection | None:
        """The window goes on the wire. What follows a broken connection is sent over a new one, or was not sent."""
        for number, letter in enumerate(window.letters, 1):
            is_last = number == len(window.letters)
            after = _first_of(upcoming) if is_last else window.letters[number].envelope
            if way is not None and way.broken:
                way = await self._connected()
            outcome = Outcome(Kind.NOT_SENT, Phase.CONNECT)
            if way is not None:
                outcome = await way.hand_over(*letter.envelope, letter.message, window.hand.deadline, after)
            self.ledger.answer(window.hand, letter.row, outcome)
        return way

    def _answered(self, window: Window) -> None:
        window.hand.unanswered -= window.blocked + len(window.letters)
        if window.hand.unanswered == 0:
            self.hands.remove(window.hand)
            task = asyncio.create_task(self._close(window.hand))
            self.closing.add(task)
            task.add_done_callback(self.closing.discard)

    async def _close(self, hand: Hand) -> None:
        await self.ledger.flush()
        await self.ledger.call(sweeping.close_batch, hand.token)

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


def _first_of(upcoming: "asyncio.Task[Window | None] | None") -> Envelope | None:
    """The envelope that may travel behind the last dot of this window: its intent is committed by now, or it waits."""
    window = upcoming.result() if upcoming and upcoming.done() and not upcoming.exception() else None
    return window.letters[0].envelope if window and window.letters else None


def _put_down(token: UUID) -> None:
    delivery.give_back(token)
    sweeping.close_batch(token)


def open_edition(edition_id: UUID) -> Composer | None:
    """What this edition's messages are made with; None, and the edition is paused, if it is not what was approved."""
    edition = Edition.objects.sending().select_related("notice__incident").filter(pk=edition_id).first()
    if edition is None:
        return None
    organisation = the_organisation()
    root, count = bytes(edition.recipients_root or b""), edition.recipients_count or 0
    if digest_of(edition, organisation, root, count) != bytes(edition.digest or b""):
        sweeping.pause_by_itself(edition_id, why="changed_since_approval")
        return None
    return Composer(skeleton_of(edition, organisation), cipher_for(edition.incident_id), edition)


def drain_edition(
    edition_id: UUID, *, connect: Connect, seconds: float = 45, should_stop: Callable[[], bool] = lambda: False
) -> End:
    """Send what is due of this edition for at most so long. Any number of workers may do so at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        return asyncio.run(_drain(edition_id, connect, seconds, should_stop))
    finally:
        sys.setswitchinterval(before)


async def _drain(edition_id: UUID, connect: Connect, seconds: float, should_stop: Callable[[], bool]) -> End:
    return await Drain(edition_id, connect, seconds=seconds, should_stop=should_stop).run()
