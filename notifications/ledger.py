"""Everything a drain tells the database: from one thread with one connection, many messages to a commit."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import psycopg
from django.db import Error, connection, transaction

from notifications import delivery, epochs
from notifications.delivery import Claimed
from notifications.failpoints import reach
from notifications.transport import Kind, Outcome

logger = logging.getLogger(__name__)
T = TypeVar("T")
LONGEST_TRANSACTION = 10  # seconds
GATHER = 0.003  # seconds in which lanes come together in one commit; the wire does not wait for it
DATABASE_ERRORS = (Error, psycopg.Error)


@dataclass(eq=False)
class Hand:
    """One batch in this worker's hand. `deadline` is the loop's time after which no dot of it may be written."""

    token: UUID
    deadline: float
    rows: deque[Claimed] = field(default_factory=deque)
    unanswered: int = 0
    taken: int = 0
    turns_end: float = float("inf")  # the loop's time until which the rows in hand must begin to leave (claiming.py)

    def take(self, rows: Sequence[Claimed]) -> None:
        self.rows.extend(rows)
        self.unanswered += len(rows)
        self.taken += len(rows)


@dataclass
class Said:
    """What became of rows, by their batch: answers from the wire, what cannot be made, who is put off for seconds."""

    answers: dict[UUID, list[tuple[UUID, int, Outcome]]] = field(default_factory=dict)
    blocked: dict[UUID, dict[UUID, str]] = field(default_factory=dict)
    put_off: dict[UUID, dict[UUID, float]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.answers or self.blocked or self.put_off)


class Ledger:
    """One task commits: whatever gathers while one commit runs is the next one."""

    def __init__(self, edition_id: UUID) -> None:
        self.edition_id = edition_id
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self.said = Said()
        self.wishes: list[tuple[UUID, Mapping[UUID, bytes], asyncio.Future[set[UUID]]]] = []
        self.committing: asyncio.Task[None] | None = None
        self.session: object = None
        self.is_in_doubt = False  # the journal knows more than the database was told, or than it answered
        self.kinds: Counter[Kind] = Counter()  # what was heard so far, for alarms.py
        self.lanes = 0  # how many could be waiting for the same commit

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._limited, function, arguments)

    def _limited(self, function: Callable[..., T], arguments: Sequence[object]) -> T:
        """A worker that freezes must not hold its locks: the server ends a transaction that stands still.

        Statements are planned once: planning one takes as long as running it.
        """
        connection.ensure_connection()
        if connection.connection is not self.session:
            with connection.cursor() as cursor:
                cursor.execute(f"SET idle_in_transaction_session_timeout = '{LONGEST_TRANSACTION}s'")
                cursor.execute("SET plan_cache_mode = force_generic_plan")
                if connection.connection.info.server_version >= 170000:
                    cursor.execute(f"SET transaction_timeout = '{LONGEST_TRANSACTION}s'")
            if self.session is not None:
                epochs.demand_same()
            self.session = connection.connection
        try:
            return function(*arguments)
        except DATABASE_ERRORS:
            connection.close()  # the next call begins with a new one
            raise

    def answer(self, hand: Hand, row: Claimed, outcome: Outcome) -> None:
        self.said.answers.setdefault(hand.token, []).append((row.id, row.tries, outcome))
        self.kinds[outcome.kind] += 1

    def block(self, hand: Hand, row: Claimed, reason: str) -> None:
        self.said.blocked.setdefault(hand.token, {})[row.id] = reason

    def put_off(self, hand: Hand, row: Claimed, seconds: float) -> None:
        """It is planned again, for anybody, and not before then."""
        self.said.put_off.setdefault(hand.token, {})[row.id] = seconds

    async def begin(self, hand: Hand, recipients: Mapping[UUID, bytes]) -> set[UUID]:
        """Which of these may go on the wire now: their intent is committed, and to whom."""
        granted: asyncio.Future[set[UUID]] = asyncio.get_running_loop().create_future()
        self.wishes.append((hand.token, recipients, granted))
        self.commit_soon()
        return await granted

    async def flush(self) -> None:
        """Returns when everything said before is committed."""
        if self.committing:
            await asyncio.shield(self.committing)
        if self.committing or self.said or self.wishes:
            await asyncio.shield(self.commit_soon())

    def commit_soon(self) -> asyncio.Task[None]:
        if self.committing is None:
            self.committing = asyncio.create_task(self._commit_what_gathered())
        return self.committing

    async def _commit_what_gathered(self) -> None:
        until = asyncio.get_running_loop().time() + GATHER
        while len(self.wishes) < self.lanes and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(GATHER / 6)
        said, wishes = self.said, self.wishes
        self.said, self.wishes = Said(), []
        granted = await self._commit_surely(said, [wish[:2] for wish in wishes])
        for (_, _, future), ids in zip(wishes, granted, strict=True):
            future.set_result(ids)
        self.committing = None
        if self.wishes:
            self.commit_soon()

    async def _commit_surely(self, said: Said, wishes: Sequence[tuple[UUID, Mapping[UUID, bytes]]]) -> list[set[UUID]]:
        """A lost database connection makes us send nothing more; what was answered is told until it is heard."""
        for pause in (0.2, 1, 2, 4, 8, None):
            try:
                return await self.call(self._commit, said, wishes)
            except epochs.HeldBack as held:
                logger.error("The outcome of a window stays in the journal. %s", held)
                break
            except DATABASE_ERRORS:
                logger.exception("The outcome of a window could not be committed. It is tried again.")
                self.is_in_doubt = self.is_in_doubt or any(recipients for _, recipients in wishes)
                wishes = [(token, {}) for token, _ in wishes]
                if pause is not None:
                    await asyncio.sleep(pause)
        self.is_in_doubt = self.is_in_doubt or bool(said)
        return [set() for _ in wishes]

    def _commit(self, said: Said, wishes: Sequence[tuple[UUID, Mapping[UUID, bytes]]]) -> list[set[UUID]]:
        with transaction.atomic():
            with delivery.in_one_round_trip():
                delivery.share_hand_overs(self.edition_id)
                settled = {token: delivery.settle(token, rows) for token, rows in said.answers.items()}
                for token, reasons in said.blocked.items():
                    delivery.block(token, reasons)
                for token, waits in said.put_off.items():
                    delivery.put_off(token, waits)
                wanted: dict[UUID, dict[UUID, bytes]] = {}
                for token, recipients in wishes:
                    wanted.setdefault(token, {}).update(recipients)
                asked = {token: delivery.ask_to_begin(token, rows) for token, rows in wanted.items() if rows}
            for token, cursor in settled.items():
                delivery.tell_late(token, cursor)
            granted = {token: delivery.begun(cursor) for token, cursor in asked.items()}
        reach("G9" if said.answers else "G4")
        return [granted.get(token, set()).intersection(recipients) for token, recipients in wishes]

    def close(self) -> None:
        self.thread.submit(_close_connection).result()
        self.thread.shutdown()


def _close_connection() -> None:
    """`connection` is another object in each thread, so it must be looked up in the one it belongs to."""
    connection.close()
