"""What happens during one send, and when: all of it follows from a seed.

Every fifth seed sends under limits, for about a minute instead of nine seconds, and twice as much happens in it; how
fast it goes is changed on the way. Every tenth does so with leases in the proportions of production. In every seventh
the mail server breaks also at sign-in, STARTTLS, RSET and QUIT. In every eighth the clocks of workers, web server and
others jump too, each by itself.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tests.faults.sending_field import CONNECTIONS, LONG_TERMS, QUICK_TERMS, WINDOWS
from tests.faults.smtp_faults import FAULTS, VERBS

CHILDREN = 2  # of each worker, and each may be at the same edition
LEASE = 9.0
DOMAINS = 3
OTHERS = ("web", "beat", "sweeper", "sequencer", "signer")
SENDS_TOO = "sweeper"  # while Redis takes no doorbell
ON_THE_WIRE = CONNECTIONS * CHILDREN
LIMITED, AROUND_MESSAGES, ALL_CLOCKS, LONG_LEASES = 5, 7, 8, 10  # every fifth, seventh, eighth, tenth seed
STRETCH = 5.5  # a send under limits lasts so many times as long
HOURS = {"+0": 0, "+1h": 1, "-1h": -1, "+1d": 24}
IN_WINDOWS = ON_THE_WIRE * max(WINDOWS.values())


@dataclass(frozen=True)
class Happening:
    """`doubts`: how many deliveries may be unknown by it, at most."""

    at: float
    act: str
    words: tuple[str, ...] = ()
    doubts: int = 0

    def __str__(self) -> str:
        return f"{self.at:.1f} s: {' '.join([self.act, *self.words])}"


@dataclass
class Plan:
    seed: int
    happenings: list[Happening] = field(default_factory=list)
    faults: dict[str, float] = field(default_factory=dict)
    delay: float = 0.0
    skew: float = 2.0
    limits: dict[str, int] = field(default_factory=dict)
    terms: tuple[int, int] = QUICK_TERMS

    @property
    def jumps(self) -> int:
        """How often the database's clock goes ahead: to a pace each is as good as a rest."""
        told = [HOURS[one.words[0]] for one in self.happenings if one.act == "clock"]
        return sum(before < after for before, after in pairwise([0, *told, 0]))

    @property
    def doubts(self) -> int:
        return sum(one.doubts for one in self.happenings)

    def kinds(self) -> Counter[str]:
        return Counter(one.act for one in self.happenings)


def plan_of(seed: int, people: int) -> Plan:
    """Five to nine happenings while the send lasts about nine seconds."""
    chance = random.Random(seed)
    plan = Plan(seed)
    plan.delay = round(chance.uniform(0.6, 1.4) * 9 * 2 * ON_THE_WIRE / people / CHILDREN, 4)
    if chance.random() < 0.7:
        plan.faults = {name: chance.uniform(0.5, 6) for name in chance.sample(FAULTS, chance.randint(1, 5))}
    is_limited = seed % LIMITED == 0
    for _ in range(chance.randint(5, 9) * (2 if is_limited else 1)):
        make = chance.choices(list(MAKERS), list(MAKERS.values()))[0]
        plan.happenings += make(chance, chance.uniform(0.3, 9) * (STRETCH if is_limited else 1), plan)
    if is_limited:
        _limit(plan, people)
    if seed % AROUND_MESSAGES == 0:
        _break_around_messages(plan)
    if seed % ALL_CLOCKS == 0:
        _move_all_clocks(plan)
    plan.happenings.sort(key=lambda one: one.at)
    return plan


def _break_around_messages(plan: Plan) -> None:
    """At sign-in, STARTTLS, RSET and QUIT; after a refused recipient there is an RSET, and a worker asks for TLS."""
    chance = random.Random(f"verbs of {plan.seed}")
    plan.faults |= {"rcpt 450": 20.0} | {name: chance.uniform(100, 400) for name in chance.sample(VERBS, 7)}
    begin = chance.uniform(1, 4)
    plan.happenings += [Happening(begin, "ask for tls"), Happening(begin + 3, "no more tls")]


def _move_all_clocks(plan: Plan) -> None:
    """No clock but the database's decides anything about a message, so nobody is in doubt by it."""
    chance, plan.skew = random.Random(f"clocks of {plan.seed}"), 90_000.0
    for name in (*WINDOWS, *OTHERS):
        at, to = chance.uniform(0.3, 6), chance.choice(["+1h", "-1h", "+1d"])
        back = at + chance.uniform(2, 6)
        plan.happenings += [Happening(at, "clock of", (name, to)), Happening(back, "clock of", (name, "+0"))]


def _limit(plan: Plan, people: int) -> None:
    """Such that everybody could be told in about a minute. Once or twice a person changes it on the way; and twice the
    relay is slow for a while, so that every worker has people in hand who are late."""
    chance = random.Random(f"limits of {plan.seed}")
    plan.delay = round(chance.uniform(0.002, 0.02), 4)
    plan.terms = LONG_TERMS if plan.seed % LONG_LEASES == 0 else QUICK_TERMS
    kinds = chance.choice([("per_minute",), ("per_domain",), ("per_minute", "per_domain"), ("per_minute", "at_once"),
                           ("per_domain", "at_once"), ("per_minute", "per_domain", "at_once")])  # fmt: skip
    plan.limits = _speed(chance, kinds, people)
    for _ in range(chance.randint(1, 2)):
        changed = _speed(chance, kinds, people)
        words = tuple(f"{name}={number}" for name, number in changed.items())
        plan.happenings.append(Happening(chance.uniform(5, 40), "change rate", words))
    for at in (chance.uniform(3, 20), chance.uniform(25, 40)):
        stalled = [Happening(at, "answer after", ("3.0",)), Happening(at + chance.uniform(1, 6), "answer after")]
        plan.happenings += stalled


def _speed(chance: random.Random, kinds: Iterable[str], people: int) -> dict[str, int]:
    numbers = {
        "per_minute": round(people * 60 / chance.uniform(42, 60)),
        "per_domain": round(people / DOMAINS * 60 / chance.uniform(38, 52)),
        "at_once": chance.choice([4, 5, 6]),
    }
    return {name: numbers[name] for name in kinds}


def _kill_worker(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    whom = chance.choice(["all", "main", "child"])
    down = chance.choice([0.0, 0.0, 2.0])
    return [Happening(at, "kill", (chance.choice(list(WINDOWS)), whom, f"{down}"), ON_THE_WIRE)]


def _freeze_worker(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    name, seconds = chance.choice(list(WINDOWS)), chance.choice([1.0, 4.0, 1.6 * LEASE, 2 * LEASE])
    return [Happening(at, "freeze", (name,), IN_WINDOWS), Happening(at + seconds, "thaw", (name,))]


def _deploy(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    return [Happening(at, "deploy", (chance.choice([*WINDOWS, *OTHERS]),))]


def _kill_other(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    name, whom = chance.choice(OTHERS), chance.choice(["all", "main"])
    return [Happening(at, "kill", (name, whom, "0.0"), CONNECTIONS if name == SENDS_TOO else 0)]


def _freeze_other(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    name = chance.choice(OTHERS)
    doubts = CONNECTIONS * max(WINDOWS.values()) if name == SENDS_TOO else 0
    return [Happening(at, "freeze", (name,), doubts), Happening(at + chance.uniform(1, 8), "thaw", (name,))]


def _redis(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    match chance.choice(["flush", "kill", "full", "old", "freeze"]):
        case "flush":
            return [Happening(at, "flush")]
        case "kill":
            return [Happening(at, "kill", ("redis", "all", f"{chance.choice([0.0, 3.0])}"))]
        case "freeze":
            return [Happening(at, "freeze", ("redis",)), Happening(at + chance.uniform(1, 8), "thaw", ("redis",))]
        case "full":
            return [Happening(at, "fill memory"), Happening(at + chance.uniform(1, 6), "free memory")]
        case _:
            return [Happening(at, "restore snapshot")]


def _database(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    match chance.choice(["kill", "kill", "cut", "freeze"]):
        case "kill":
            return [Happening(at, "kill", ("database", "all", f"{chance.choice([0.0, 1.0, 3.0])}"), IN_WINDOWS)]
        case "cut":
            return [Happening(at, "cut off", (), ON_THE_WIRE)]
        case _:
            seconds = chance.choice([1.0, 3.0, 1.6 * LEASE])
            return [Happening(at, "freeze", ("database",), IN_WINDOWS), Happening(at + seconds, "thaw", ("database",))]


def _disk(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    return [Happening(at, "fill disk", (), IN_WINDOWS), Happening(at + chance.uniform(0.5, 4), "free disk")]


def _clock(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    plan.skew = 90_000.0
    to = chance.choice(["+1h", "-1h", "+1d"])
    return [
        Happening(at, "clock", (to,), IN_WINDOWS),
        Happening(at + chance.uniform(2, 6), "clock", ("+0",), IN_WINDOWS),
    ]


def _reports(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    return [Happening(at, "reports", (str(chance.randrange(2**31)),))]


def _opposites(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    pair = chance.choice([("pause", "cancel"), ("pause", "resume"), ("pause", "pause"), ("pause", "resume")])
    return [Happening(at, "press", pair), Happening(at + chance.uniform(0.5, 2), "press", ("resume", "pause"))]


def _rings(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    return [Happening(at, "ring", (str(chance.randint(2, 6)),))]


def _no_tls(chance: random.Random, at: float, plan: Plan) -> list[Happening]:
    return [Happening(at, "ask for tls"), Happening(at + chance.uniform(2, 5), "no more tls")]


Maker = Callable[[random.Random, float, Plan], list[Happening]]
MAKERS: dict[Maker, int] = {
    _kill_worker: 6,
    _freeze_worker: 4,
    _deploy: 3,
    _kill_other: 3,
    _freeze_other: 2,
    _redis: 4,
    _database: 4,
    _disk: 2,
    _clock: 2,
    _reports: 2,
    _opposites: 2,
    _rings: 3,
    _no_tls: 1,
}
