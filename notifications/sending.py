"""The worker's loop: asyncio drives the sockets, one thread with one database connection commits every state.

A connection works in windows: some messages are made, their intent is committed, they go on the wire one after another,
their outcomes are committed together with the next intents. Windows of all connections share commits, so the more there
is to do, the fewer commits each message costs. Two batches are in hand, so that the wire does not wait for a claim.
What a kill leaves behind is at most one window per connection in *handing over*; a later issue's journal, one line
before each final dot and one after its answer, belongs into `Drain._send`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import Error, connection, transaction

from breachdesk.people.personal import unseal_personal
from breachdesk.vault.sealing import Cipher, cipher_for
from notifications import delivery, sweeping
from notifications.delivery import Claimed
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import digest_of
from notifications.models import Edition
from notifications.placeholders import ValueRefused
from notifications.recipients import kinds_of, values_of
from notifications.rendering import Recipient, Skeleton, checked_address, render_message, return_path
from notifications.transport import Connection, Envelope, Kind, Outcome, Phase, RouteDown

logger = logging.getLogger(__name__)
T = TypeVar("T")
BATCH_ROWS = 500
LONGEST_TRANSACTION = 10  # seconds
DATABASE_ERRORS = (Error, psycopg.Error)
Connect = Callable[[], Awaitable[Connection]]


@dataclass
class Hand:
    """One batch in this worker's hand. `deadline` is the loop's time after which no dot of it may be written."""

    token: UUID
    rows: deque[Claimed]
    deadline: float
    unanswered: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is ready for the wire."""

    row: Claimed
    envelope: Envelope
    message: bytes


class Composer:
    """Opens people from the vault and makes their messages. Nothing of them outlives the window."""

    def __init__(self, skeleton: Skeleton, cipher: Cipher, edition: Edition) -> None:
        self.skeleton, self.cipher, self.incident = skeleton, cipher, edition.notice.incident
        self._kinds: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._date = (0, b"")

    def compose(self, row: Claimed) -> Letter:
        """Raises ValueRefused where this person's message cannot be made."""
        if row.tries >= delivery.MOST_TRIES:
            raise ValueRefused(f"The mail system refused this message for now, {row.tries} times.")
        personal = unseal_personal(self.cipher, row.sealed, row.person)
        address = personal.get("email", "")
        recipient = Recipient(row.id, address, self._kinds_of(row.kinds), values_of(personal))
        message = render_message(self.skeleton, recipient, self._today())
        return Letter(row, (return_path(self.skeleton, row.id), checked_address(address)), message)

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


class Ledger:
    """Everything a drain tells the database, from one thread, many messages to a commit.

    One task commits: whatever gathers while one commit runs is the next one.
    """

    def __init__(self, edition_id: UUID) -> None:
        self.edition_id = edition_id
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.answers: dict[UUID, list[tuple[UUID, int, Outcome]]] = {}
        self.blocked: dict[UUID, dict[UUID, str]] = {}
        self.wishes: list[tuple[UUID, Sequence[UUID], asyncio.Future[set[UUID]]]] = []
        self.committing: asyncio.Task[None] | None = None
        self.session: object = None

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._limited, function, arguments)

    def _limited(self, function: Callable[..., T], arguments: Sequence[object]) -> T:
        """A worker that freezes must not hold its locks: the server ends a transaction that stands still."""
        connection.ensure_connection()
        if connection.connection is not self.session:
            with connection.cursor() as cursor:
                cursor.execute(f"SET idle_in_transaction_session_timeout = '{LONGEST_TRANSACTION}s'")
                if connection.connection.info.server_version >= 170000:
                    cursor.execute(f"SET transaction_timeout = '{LONGEST_TRANSACTION}s'")
            self.session = connection.connection
        return function(*arguments)

    def answer(self, hand: Hand, row: Claimed, outcome: Outcome) -> None:
        self.answers.setdefault(hand.token, []).append((row.id, row.tries, outcome))

    def block(self, hand: Hand, row: Claimed, reason: str) -> None:
        self.blocked.setdefault(hand.token, {})[row.id] = reason

    async def begin(self, hand: Hand, rows: Iterable[Claimed]) -> set[UUID]:
        """Which of these may go on the wire now: their intent is committed."""
        granted: asyncio.Future[set[UUID]] = asyncio.get_running_loop().create_future()
        self.wishes.append((hand.token, [row.id for row in rows], granted))
        self._commit_soon()
        return await granted

    async def flush(self) -> None:
        """Returns when everything said before is committed."""
        if self.committing:
            await asyncio.shield(self.committing)
        if self.committing or self.answers or self.blocked or self.wishes:
            await asyncio.shield(self._commit_soon())

    def _commit_soon(self) -> asyncio.Task[None]:
        if self.committing is None:
            self.committing = asyncio.create_task(self._commit_what_gathered())
        return self.committing

    async def _commit_what_gathered(self) -> None:
        answers, blocked, wishes = self.answers, self.blocked, self.wishes
        self.answers, self.blocked, self.wishes = {}, {}, []
        granted = await self._commit_surely(answers, blocked, [wish[:2] for wish in wishes])
        for (_, _, future), ids in zip(wishes, granted, strict=True):
            future.set_result(ids)
        self.committing = None
        if self.wishes:
            self._commit_soon()

    async def _commit_surely(
        self,
        answers: dict[UUID, list[tuple[UUID, int, Outcome]]],
        blocked: dict[UUID, dict[UUID, str]],
        wishes: Sequence[tuple[UUID, Sequence[UUID]]],
    ) -> list[set[UUID]]:
        """A lost database connection makes us send nothing more; what was answered is told until it is heard."""
        for pause in (0.2, 1, 2, 4, 8, None):
            try:
                return await self.call(self._commit, answers, blocked, wishes)
            except DATABASE_ERRORS:
                logger.exception("The outcome of a window could not be committed. It is tried again.")
                await self.call(_close_connection)
                wishes = [(token, ()) for token, _ in wishes]
                if pause is not None:
                    await asyncio.sleep(pause)
        return [set() for _ in wishes]

    def _commit(
        self,
        answers: dict[UUID, list[tuple[UUID, int, Outcome]]],
        blocked: dict[UUID, dict[UUID, str]],
        wishes: Sequence[tuple[UUID, Sequence[UUID]]],
    ) -> list[set[UUID]]:
        with transaction.atomic(), delivery.in_one_round_trip():
            delivery.share_hand_overs(self.edition_id)
            for token, rows in answers.items():
                delivery.settle(token, rows)
            for token, reasons in blocked.items():
                delivery.block(token, reasons)
            wanted: dict[UUID, list[UUID]] = {}
            for token, ids in wishes:
                wanted.setdefault(token, []).extend(ids)
            granted = {token: delivery.begin_hand_over(token, ids) if ids else set() for token, ids in wanted.items()}
        return [granted[token].intersection(ids) for token, ids in wishes]

    def close(self) -> None:
        self.thread.submit(_close_connection).result()
        self.thread.shutdown()


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
            await self.ledger.call(sweeping.finish_if_done, self.edition_id)
            return self.end or End.ROUTE_DOWN
        finally:
            self.ledger.close()

    async def _work(self) -> None:
        keeper = asyncio.create_task(self._keep_leases())
        try:
            await asyncio.gather(*(self._serve() for _ in range(self.connections)))
        finally:
            keeper.cancel()
            if self.claiming:
                await self.claiming
            await self.ledger.flush()
            await asyncio.gather(*self.closing)
            for hand in self.hands:
                await self.ledger.call(_put_down, hand.token)

    async def _serve(self) -> None:
        """One connection, from its first window to its last."""
        way: Connection | None = None
        try:
            while taken := await self._take():
                hand, rows = taken
                letters = self._compose(hand, rows)
                if way is None or way.broken:
                    way = await self._connected()
                if way is None:
                    hand.rows.extendleft(letter.row for letter in letters)
                    return
                granted = await self.ledger.begin(hand, [letter.row for letter in letters])
                if len(granted) < len(letters):
                    self.end = self.end or End.CLOSED
                way = await self._send(way, hand, [letter for letter in letters if letter.row.id in granted])
                self._answered(hand, len(rows) - len(letters) + len(granted))
        finally:
            if way:
                await way.close()

    async def _take(self) -> tuple[Hand, list[Claimed]] | None:
        """The next window, of one batch; None when this drain is over."""
        while not self._is_over():
            hand = next((hand for hand in self.hands if hand.rows), None)
            self._claim_ahead()
            if hand:
                return hand, [hand.rows.popleft() for _ in range(min(self.window, len(hand.rows)))]
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

    async def _send(self, way: Connection | None, hand: Hand, letters: Sequence[Letter]) -> Connection | None:
        """The window goes on the wire. What follows a broken connection is sent over a new one, or was not sent."""
        for number, letter in enumerate(letters, 1):
            after: Envelope | None = letters[number].envelope if number < len(letters) else None
            if way is not None and way.broken:
                way = await self._connected()
            outcome = Outcome(Kind.NOT_SENT, Phase.CONNECT)
            if way is not None:
                outcome = await way.hand_over(*letter.envelope, letter.message, hand.deadline, after)
            self.ledger.answer(hand, letter.row, outcome)
        return way

    def _answered(self, hand: Hand, count: int) -> None:
        hand.unanswered -= count
        if hand.unanswered == 0:
            self.hands.remove(hand)
            self.closing.add(asyncio.create_task(self._close(hand)))

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


def _close_connection() -> None:
    """`connection` is another object in each thread, so it must be looked up in the one it belongs to."""
    connection.close()


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
    drain = Drain(edition_id, connect, seconds=seconds, should_stop=should_stop)
    return asyncio.run(drain.run())
