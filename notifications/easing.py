"""A way out in trouble is left in peace: the connections rest, longer each time, and come back with half as many.

Trouble is a connection that could not be made; one that the relay ended by 421 or 454 before it took a single message;
or the third in a row that broke before anything was taken, for a break may be one person's message's. A relay that ends
a connection after a hundred messages, as some do, is simply connected to again. What a person's own mail host says
(4xx or 5xx about this message) is no trouble of the way.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from notifications.hosts import Hosts
from notifications.transport import Kind, Outcome, Phase

FIRST_REST, LONGEST_REST = 1.0, 15.0  # seconds; the sweeper has a way tried again after as many
RECOVERED_AFTER = 5.0  # seconds without trouble, for each further step back to all connections
STEPS = 8
FRUITLESS = 3
UNTAKEN, HOSTS = 20, 3  # so many messages in a row for so many hosts, none taken: then it is hardly the hosts


@dataclass
class Easing:
    """Of one way out, for as long as this process lives. Times are of the monotonic clock."""

    share: float = 1.0
    rest: float = 0.0
    until: float = 0.0
    fruitless: int = 0  # connections that broke since the last message was taken
    untaken: int = 0  # messages that were not taken since
    hosts: set[bytes] = field(default_factory=set)  # whose messages these were
    is_told: bool = False  # people were told that it takes nothing
    slow_hosts: Hosts = field(default_factory=Hosts)

    def ended(self, now: float, *, taken: int, is_told: bool) -> None:
        """A connection broke, after so many messages; `is_told` if the relay said that it is the connection's fault."""
        if taken:
            self.rest = 0.0  # the next trouble is a first one again
            return
        self.fruitless += 1
        if is_told or self.fruitless >= FRUITLESS:
            self.trouble(now)

    def trouble(self, now: float) -> None:
        """Several connections that end together are one trouble."""
        if now < self.until:
            return
        self.share = max(self._share_at(now) / 2, 1 / 64)
        self.rest = min(LONGEST_REST, self.rest * 2 or FIRST_REST)
        self.until = now + self.rest

    def takes_nothing(self, outcome: Outcome) -> bool:
        """A message was not taken: whether that looks like the way's trouble, and no longer like one person's."""
        if self.untaken == 0:
            self.hosts.clear()
        self.untaken += 1
        if outcome.trouble or outcome.kind is Kind.NOT_SENT:
            return self.untaken >= FRUITLESS
        self.hosts.add(outcome.domain or b"")
        least = FRUITLESS if outcome.code is None else UNTAKEN  # silence is dearer than an answer
        return self.untaken >= least and len(self.hosts) >= HOSTS

    def judged(self, outcome: Outcome) -> Outcome:
        """A refusal of us. Alone it may yet be about this message and counts as a try; after several it does not."""
        if self.fruitless < FRUITLESS:
            return outcome
        return outcome._replace(kind=Kind.NOT_SENT, phase=Phase.CONNECT, wait=None)

    def rests_for(self, now: float) -> float:
        return max(0.0, self.until - now)

    def allowed(self, connections: int, now: float) -> int:
        """How many of so many connections may be open."""
        if self.share == 1.0:
            return connections
        if self._share_at(now) >= 1.0:
            self.share, self.rest = 1.0, 0.0
            return connections
        return max(1, int(connections * self._share_at(now)))

    def _share_at(self, now: float) -> float:
        calm = max(0.0, now - self.until) // RECOVERED_AFTER
        return min(1.0, self.share + calm / STEPS)


_of_ways: dict[str, Easing] = defaultdict(Easing)


def easing_of(way: str) -> Easing:
    return _of_ways[way]
