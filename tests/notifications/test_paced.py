"""What the checker holds a send to: any span, not only whole minutes; what may come late or at once; who changed it."""

import random
from collections.abc import Iterable

import pytest

from notifications.invariants.paced import (
    EVER,
    ROUNDING,
    Arrival,
    _read,
    most_at_once,
    most_beyond,
    most_within_a_minute,
    room,
)
from notifications.schedule import Rate
from notifications.turns import IN_TIME

LIMIT = 600
STEADY = [(EVER, LIMIT)]


def at(moments: Iterable[float], lag: float = 0.0) -> list[Arrival]:
    return [Arrival(moment, lag) for moment in sorted(moments)]


def test_what_the_pace_lets_go_is_sound_also_late_by_half_a_second() -> None:
    chance = random.Random(7)
    taken = [0.0] * 5 + [n / 10 for n in range(1, 900)]
    assert most_beyond(at(taken), STEADY)[0] <= ROUNDING
    assert most_beyond(at(moment + chance.uniform(0, IN_TIME) for moment in taken), STEADY)[0] <= ROUNDING
    assert most_beyond(at([0.0] * 10), STEADY)[0] == 0, "what is late meets what goes at once"
    assert most_within_a_minute([0.0, 59.9, 60.0, 61.0]) == 3


@pytest.mark.parametrize("limit", [1, 30, 59, 60, 90, 119, 120, 600, 50_000])
def test_what_is_let_is_the_limit_and_one_second_s_messages_over_any_minute(limit: int) -> None:
    assert int(limit + room(limit) + ROUNDING) <= limit + max(1, limit // 60)


def test_faster_by_a_fifth_or_a_lump_after_a_stall_is_named() -> None:
    assert most_beyond(at(n / 12 for n in range(300)), STEADY)[0] > 20
    beyond, when = most_beyond(at([*(n / 10 for n in range(300)), *[25.0] * 30]), STEADY)
    assert round(beyond) == 21
    assert 25 <= when < 26
    lagging = at([*(n / 10 for n in range(300)), *[25.0] * 30], lag=2.1)
    assert most_beyond(lagging, STEADY)[0] <= ROUNDING, "the log itself stood still"
    assert most_beyond(at([0.0] * 15), STEADY, jumps=1)[0] == 0
    assert most_beyond(at([0.0] * 15), STEADY, lump=5)[0] == 0
    assert round(most_beyond(at([0.0] * 15), STEADY)[0]) == 5
    assert most_beyond(at([0.0, 1.0, 30.0]), [(EVER, 4)])[0] > 0.8
    assert room(4) < 1.1


def test_each_limit_holds_from_when_it_was_set() -> None:
    slower = [(EVER, 600), (10.0, 60)]
    fast, slow = [n / 10 for n in range(100)], [10.0 + n for n in range(30)]
    assert most_beyond(at([*fast, *slow]), slower)[0] <= 0
    assert most_beyond(at(n / 10 for n in range(400)), slower)[0] > 200, "a change that nobody took up"
    assert most_beyond(at(n / 10 for n in range(400)), [(EVER, 600), (10.0, None)])[0] <= 0
    assert most_beyond(at(n / 10 for n in range(400)), [(EVER, None), (10.0, 60)])[0] > 200
    for rate in (Rate(600, 60, 4), Rate(per_domain=60), Rate(at_once=7), Rate()):
        assert _read(rate.code) == rate.to_json()


def test_how_many_are_out_at_once() -> None:
    assert most_at_once([(1.0, 2.0), (2.0, 3.0), (1.5, 1.6)]) == 2
    assert most_at_once([(1.0, 9.0), (2.0, 3.0), (2.5, 4.0), (5.0, 6.0)]) == 3
    assert most_at_once([(None, None)]) == 0
