"""What answers from the wire become in the database: the state of each delivery, and when it is tried again."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from breachdesk.prepared import Bytes, Column, Integers, Texts, Uuids
from notifications.transport import Kind, Outcome

NOT_SENT_WAIT = 5
# Seconds until the next try after the first, second … definite temporary refusal; then every four hours.
WAITS = (60, 5 * 60, 15 * 60, 60 * 60)
LONG_WAIT = 4 * 60 * 60

COLUMNS: dict[str, type[Column]] = {
    "ids": Uuids,
    "outcomes": Texts,
    "phases": Texts,
    "codes": Integers,
    "enhanced": Texts,
    "replies": Bytes,
    "remote": Texts,
    "waits": Integers,
    "counted": Integers,
    "domains": Bytes,
}


def columns_of(answers: Iterable[tuple[UUID, int, Outcome]]) -> dict[str, Column]:
    """The parameters of SETTLE (delivery.py), of (delivery, tries before this one, outcome)."""
    columns = zip(*(_settled(*answer) for answer in answers), strict=True)
    return {name: kind(values) for (name, kind), values in zip(COLUMNS.items(), columns, strict=True)}


def _settled(delivery: UUID, tries: int, outcome: Outcome) -> tuple[Any, ...]:
    state, wait = _state_after(tries + 1, outcome)
    counted = int(outcome.kind is not Kind.NOT_SENT)
    return (
        delivery,
        state,
        outcome.phase,
        outcome.code,
        outcome.enhanced,
        outcome.reply_sha256,
        outcome.remote_id,
        wait,
        counted,
        outcome.domain,
    )


def _state_after(tries: int, outcome: Outcome) -> tuple[str, int | None]:
    """The state, and the seconds to wait where it is to be tried again. What never left us does not count as a try."""
    if outcome.kind is Kind.NOT_SENT:
        return Kind.RETRY_WAIT, NOT_SENT_WAIT if outcome.wait is None else round(outcome.wait)
    if outcome.kind is not Kind.RETRY_WAIT:
        return outcome.kind, None
    if outcome.wait is not None:
        return Kind.RETRY_WAIT, max(1, round(outcome.wait))
    return Kind.RETRY_WAIT, WAITS[tries - 1] if tries <= len(WAITS) else LONG_WAIT
