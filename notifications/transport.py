"""Ways out: what each of them promises a worker, and what it tells of a hand-over.

The exception never tells in which phase a hand-over broke, so each way tells the phase itself. What fails before the
next hop may have taken the message is definite, what fails after it is unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol


class Kind(StrEnum):
    HANDED_OVER = "handed_over"
    RETRY_WAIT = "retry_wait"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class Phase(StrEnum):
    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Outcome(NamedTuple):
    """What became of one hand-over. The reply's words may name the person, so only their digest is kept."""

    kind: Kind
    phase: Phase
    code: int | None = None
    enhanced: str = ""
    reply_sha256: bytes | None = None
    remote_id: str = ""
    wait: float | None = None  # seconds that the next hop asked us to stay away, with a refusal for now
    domain: bytes | None = None  # blind index of the address's domain, of what was not taken
    trouble: str = ""  # a sentence for people, where the next hop refuses us and not this person


Envelope = tuple[bytes, bytes]  # return path and recipient
BeforeDot = Callable[[], None]


def unnoted() -> None:
    """Where nobody keeps a journal."""


class RouteDown(Exception):
    """No connection could be made, or none that is protected as required. Nothing was sent. The message says why."""


@dataclass(frozen=True)
class Relay:
    """Where mail goes, and how long to wait for it."""

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    short_timeout: float = 30.0
    dot_timeout: float = 60.0
    our_name: str = "localhost"


class Connection(Protocol):
    """One way out: hands over one message at a time and is never used by two at once."""

    broken: bool
    announced: Envelope | None  # it left with the message before and may not be left out

    async def hand_over(
        self,
        sender: bytes,
        to: bytes,
        message: bytes,
        deadline: float,
        following: Envelope | None = None,
        before_dot: BeforeDot = unnoted,
    ) -> Outcome:
        """`before_dot` is called before the final dot may leave; what it raises keeps the message back."""

    async def close(self) -> None: ...
