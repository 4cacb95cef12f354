"""Mail hosts that keep us waiting: a message to one of them may hold a connection, and never all of them.

Who waits far longer than is usual for this way out waits for a slow host. The connection it holds is replaced by
another while the answer is outstanding (sending.py), and of that host at most a quarter of the connections' messages
are out at once from then on; the others to it are put off for a moment, in which those behind them go. Where nobody
else is waiting it may have all connections but one. The first quick answer ends it.

*Usual* is the time within which a quarter of the answers come, so that a slow host with half of all people does not
make slowness usual. It is followed step by step: up a little with each longer answer, down three times as much with
each shorter one, which is at rest where one of four is shorter.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from notifications.composing import Letter

LEAST_PATIENCE = 1.0  # seconds
LOOK_EVERY = 0.1
TIMES_AS_LONG = 10
FIRST_GUESS = 0.2  # seconds
LONGER, SHORTER = 1.05, 0.86
# Seconds for which somebody of a slow host is put off. Who is due longer goes first, so it is seldom twice while others
# wait.
WAITS, WAITS_ALONE = 5.0, 1.0
ALONE_AFTER = 2.0  # seconds in which nobody of another host was begun
FORGOTTEN_AFTER = 600.0


@dataclass
class Slow:
    """One host, by the loop's clock: when it kept us waiting last, and which of its messages may be out."""

    at: float
    out: set[UUID] = field(default_factory=set)


@dataclass
class Hosts:
    """Of one way out, for as long as this process lives. A host is the domain of an address, in memory alone."""

    slow: dict[bytes, Slow] = field(default_factory=dict)
    usual: float = FIRST_GUESS
    quick: int = 0  # answers that came in time
    others_at: float = 0.0  # when somebody of no slow host was begun
    back_at: float = 0.0  # when the last one who was put off is due

    def patience(self, longest: float) -> float:
        """Seconds after which an answer is late; never more than a quarter of the longest wait, if that is short."""
        return max(min(LEAST_PATIENCE, longest / 4), TIMES_AS_LONG * self.usual)

    def answered(self, letter: Letter, seconds: float, patience: float) -> None:
        """A message was on the wire for so long."""
        self.usual *= LONGER if seconds > self.usual else SHORTER
        is_quick = seconds < patience
        self.quick += is_quick
        if self.slow and (host := self.slow.get(host_of(letter))):
            host.out.discard(letter.row.id)
            if is_quick:
                del self.slow[host_of(letter)]

    def keeps_waiting(self, letter: Letter, now: float) -> None:
        if not self.slow:
            self.others_at = now  # nobody looked for others yet
        host = self.slow.setdefault(host_of(letter), Slow(now))
        host.at = now
        host.out.add(letter.row.id)

    def look_for_others(self, letters: Iterable[Letter], now: float) -> None:
        if any(host_of(letter) not in self.slow for letter in letters):
            self.others_at = now

    def are_alone(self, now: float) -> bool:
        return now - self.others_at > ALONE_AFTER

    def lets(self, letter: Letter, now: float, connections: int) -> bool:
        """Whether this one may go now; if so it counts as out until it was answered."""
        host = self.slow.get(name := host_of(letter))
        if host is None or letter.row.id in host.out:
            return True
        if self.is_full(name, now, connections):
            return False
        host.out.add(letter.row.id)
        return True

    def those_that_go(self, letters: Iterable[Letter], now: float, connections: int) -> list[Letter]:
        """Of a window; only one to each slow host, so that all connections share its messages."""
        going, seen = [], set[bytes]()
        for letter in letters:
            host = host_of(letter)
            if host not in seen and self.lets(letter, now, connections):
                going.append(letter)
                seen |= {host} & self.slow.keys()
        return going

    def is_full(self, name: bytes, now: float, connections: int) -> bool:
        """One connection is left for others also where none were seen lately."""
        host = self.slow.get(name)
        most = connections - 1 or connections if self.are_alone(now) else connections // 4
        return host is not None and len(host.out) >= max(1, most)

    def put_off(self, now: float) -> float:
        """For how many seconds somebody is."""
        wait = WAITS_ALONE if self.are_alone(now) else WAITS
        self.back_at = max(self.back_at, now + wait)
        return wait

    def came_back(self, letter: Letter) -> None:
        """It was let go and never went on the wire."""
        if self.slow and (host := self.slow.get(host_of(letter))):
            host.out.discard(letter.row.id)

    def forget(self, now: float) -> None:
        """Who is out and who was put off belong to a drain; that a host is slow is worth knowing in the next."""
        self.back_at = 0.0
        known = list(self.slow.items())
        self.slow = {name: Slow(host.at) for name, host in known if now - host.at < FORGOTTEN_AFTER}


def host_of(letter: Letter) -> bytes:
    return letter.envelope[1].rpartition(b"@")[2].lower()
