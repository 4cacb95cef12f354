"""What a schedule says, how it is kept, and what is foreseen under it: without a database."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from notifications.forecasting import forecast
from notifications.schedule import Hotline, Schedule, ScheduleFault

START = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
NIGHT = (time(21), time(8))
WHOLE: dict[str, Any] = {
    "start_at": START,
    "zone": "Europe/Berlin",
    "late_after": 45,
    "quiet": NIGHT,
    "per_minute": 600,
    "per_domain": 100,
    "wave_size": 4800,
    "wave_hours": 2,
    "hotline": Hotline(120, 50),
    "canary": 25,
}
KEPT: dict[str, Any] = {
    "start_at": "2026-11-24T07:00Z",
    "zone": "Europe/Berlin",
    "late_after": 45,
    "quiet": ["21:00", "08:00"],
    "per_minute": 600,
    "per_domain": 100,
    "wave_size": 4800,
    "wave_hours": 2,
    "hotline": [120, 50],
    "canary": 25,
}


def test_it_is_kept_in_one_form_and_read_back_the_same() -> None:
    assert Schedule(**WHOLE).to_json() == KEPT
    assert Schedule.from_json(KEPT) == Schedule(**WHOLE)
    assert Schedule().to_json() == {}
    assert not Schedule.from_json({}).is_limited
    assert not Schedule(start_at=START, zone="UTC").is_limited
    for limit in (
        {"quiet": NIGHT},
        {"per_minute": 1},
        {"per_domain": 1},
        {"wave_size": 1, "wave_hours": 1},
        {"canary": 1},
    ):
        assert Schedule(**limit).is_limited


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({"speed": 3}, "speed"),
        ({"per_minute": "600"}, "number that is none"),
        ({"per_minute": True}, "number that is none"),
        ({"per_minute": None}, "number that is none"),
        ({"canary": 0}, "form in which it is kept"),
        ({"quiet": ["21:00"]}, "cannot be read"),
        ({"quiet": ["9pm", "8am"]}, "cannot be read"),
        ({"start_at": "2026-11-24T07:00:00Z", "zone": "UTC"}, "cannot be read"),
        ({"start_at": 5, "zone": "UTC"}, "cannot be read"),
        ({**KEPT, "wave_size": 4801}, "does not follow"),
    ],
)
def test_nothing_else_is_read(stored: dict[str, Any], named: str) -> None:
    with pytest.raises(ScheduleFault, match=named):
        Schedule.from_json(stored)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"start_at": None}, "start_date"),
        ({"start_at": None, "zone": "", "late_after": 31}, "start_date"),
        ({"start_at": START.replace(second=1)}, "start_time"),
        ({"start_at": START.replace(tzinfo=None)}, "start_time"),
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"late_after": 4}, "late_after"),
        ({"late_after": 1441}, "late_after"),
        ({"quiet": (time(8), time(8))}, "quiet_until"),
        ({"quiet": (time(19, 59), time(8))}, "quiet_until"),
        ({"per_minute": 0}, "per_minute"),
        ({"per_domain": 601}, "per_domain"),
        ({"wave_hours": None}, "wave_hours"),
        ({"wave_size": None}, "wave_size"),
        ({"wave_hours": 169}, "wave_hours"),
        ({"hotline": Hotline(0, 50)}, "calls_per_hour"),
        ({"hotline": Hotline(120, 0)}, "share"),
        ({"hotline": Hotline(120, 49)}, "wave_size"),
        ({"canary": -1}, "canary"),
    ],
)
def test_a_fault_names_its_field(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(ScheduleFault) as fault:
        Schedule(**WHOLE | changed)
    assert fault.value.field == field
    assert str(fault.value).endswith(".")


def test_it_is_said_in_sentences() -> None:
    assert Schedule().sentences() == ["It begins when somebody starts it."]
    start, quiet, rates, waves, canary = Schedule(**WHOLE).sentences()
    assert start.startswith("It begins by itself on Tuesday 24 November 2026 at 08:00 (Europe/Berlin)")
    assert "More than 45 minutes late" in start
    assert "between 21:00 and 08:00 of their own time" in quiet
    assert rates == "At most 600 messages a minute in all and at most 100 messages a minute to addresses of one domain."
    assert waves == (
        "A wave of 4,800 people every 2 hours. 2 hours × 120 calls an hour are 240 calls; if 5 per cent of the people "
        "call, 240 ÷ 5 % = 4,800 people a wave, rounded down."
    )
    assert canary.startswith("After the first 25 people it pauses by itself")


def test_the_size_of_a_wave_is_rounded_down_to_one_at_least() -> None:
    assert Hotline(100, 30).size(1) == 3333
    assert Hotline(1, 1000).size(1) == 1
    assert Hotline(7, 1000).size(3) == 21
    assert Hotline(1, 3).per_cent == "0.3 per cent"


def test_no_canary_where_it_would_be_everybody() -> None:
    schedule = Schedule(canary=25)
    assert [schedule.canary_of(people) for people in (24, 25, 26)] == [0, 0, 25]


PEOPLE = {("GB", ""): 3000, ("DE", ""): 500, ("US", "CA"): 400, ("AU", ""): 300, ("", ""): 100}


def foreseen(begins_at: datetime = START, **schedule: Any) -> Any:
    return forecast(Schedule(**schedule), PEOPLE, begins_at=begins_at, organisation_zone="Europe/London")


def test_without_limits_nothing_holds_it_up() -> None:
    found = foreseen()
    assert (found.ends_at, found.people, found.is_held_up) == (START, 4300, False)
    assert "as long as the mail route needs" in found.sentence()


def test_a_rate_makes_it_last_and_the_days_add_up() -> None:
    found = foreseen(per_minute=1)
    assert found.ends_at == START + timedelta(minutes=4300)
    assert [number for _, number in found.days] == [17 * 60, 1440, 1440, 400]
    assert found.sentence().startswith("The last of 4,300 messages goes out on Friday 27 November 2026 at 06:40")


def test_people_elsewhere_wait_for_their_morning() -> None:
    found = foreseen(quiet=NIGHT)
    assert found.ends_at == datetime(2026, 11, 24, 16, 0, tzinfo=UTC), "eight in the morning in California"
    assert sum(number for _, number in found.days) == 4300
    later = foreseen(quiet=NIGHT, begins_at=START + timedelta(hours=4))
    assert later.ends_at == datetime(2026, 11, 25, 0, 0, tzinfo=UTC), "night in Sydney, and eight in Perth the last"


def test_waves_follow_each_other_and_rest_in_the_night() -> None:
    found = foreseen(wave_size=1000, wave_hours=2)
    assert found.ends_at == START + timedelta(hours=8)
    slow = foreseen(wave_size=500, wave_hours=4, quiet=NIGHT)
    assert slow.ends_at is not None
    assert slow.ends_at > START + timedelta(hours=8 * 4)
    assert sum(number for _, number in slow.days) == 4300


def test_a_wave_that_is_open_already_has_the_room_it_has_left() -> None:
    schedule = Schedule(wave_size=1000, wave_hours=2)
    opened = START - timedelta(hours=1)
    found = forecast(schedule, PEOPLE, begins_at=START, organisation_zone="Europe/London", wave=(opened, 300))
    assert found.ends_at == START + timedelta(hours=1 + 3 * 2), "300 now, 1,000 in an hour, and three times more"


def test_what_takes_for_ever_is_said_so() -> None:
    found = foreseen(wave_size=1, wave_hours=24)
    assert found.ends_at is None
    assert found.sentence() == "In 60 days it reaches 60 of 4,300 people. Loosen the limits."
    assert "nobody on the list" in forecast(Schedule(), {}, begins_at=START, organisation_zone="UTC").sentence()
