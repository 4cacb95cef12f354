"""72 elapsed hours, by hand from the law and the calendar. Each case names what makes it hard."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulators.deadlines import due_at, hours_since, is_late, working_of

CASES = [
    # what, zone, aware (local), due (local)
    ("an ordinary Tuesday", "Europe/London", "2026-06-02T09:20", "2026-06-05T09:20"),
    ("Friday at 17:00: the weekend counts", "Europe/London", "2026-06-05T17:00", "2026-06-08T17:00"),
    ("over Christmas: bank holidays count", "Europe/London", "2026-12-23T12:00", "2026-12-26T12:00"),
    ("into the new year", "Europe/London", "2026-12-30T23:59", "2027-01-02T23:59"),
    ("leap day", "Europe/London", "2028-02-28T08:00", "2028-03-02T08:00"),
    ("no leap day", "Europe/London", "2027-02-27T08:00", "2027-03-02T08:00"),
    ("month end", "Europe/London", "2026-04-29T10:30", "2026-05-02T10:30"),
    ("clocks go forward: 23:00 GMT is 24:00 BST", "Europe/London", "2026-03-27T23:00", "2026-03-31T00:00"),
    ("clocks go back", "Europe/London", "2026-10-23T15:00", "2026-10-26T14:00"),
    ("aware in the hour after the gap", "Europe/London", "2026-03-29T02:00", "2026-04-01T02:00"),
    ("Berlin before Christmas", "Europe/Berlin", "2020-12-22T12:17", "2020-12-25T12:17"),
    ("Berlin, clocks go back", "Europe/Berlin", "2026-10-24T10:00", "2026-10-27T09:00"),
    ("half an hour from UTC", "Asia/Kolkata", "2026-06-02T00:10", "2026-06-05T00:10"),
    ("clocks that move by half an hour", "Australia/Lord_Howe", "2026-04-03T12:00", "2026-04-06T11:30"),
]


@pytest.mark.parametrize(("what", "zone", "aware", "due"), CASES, ids=[case[0] for case in CASES])
def test_72_hours(what: str, zone: str, aware: str, due: str) -> None:
    place = ZoneInfo(zone)
    found = due_at(datetime.fromisoformat(aware).replace(tzinfo=place))
    assert found.astimezone(place).strftime("%Y-%m-%dT%H:%M") == due


def test_the_hour_that_happens_twice_is_two_hours() -> None:
    first = datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("Europe/London"))
    assert due_at(first.replace(fold=1)) - due_at(first) == timedelta(hours=1)


def test_a_moment_without_zone_has_no_deadline() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        due_at(datetime(2026, 6, 2, 9, 20))  # noqa: DTZ001


def test_the_last_second_is_in_time_and_the_next_is_late() -> None:
    aware = datetime(2026, 6, 2, 9, 20, tzinfo=UTC)
    assert not is_late(aware, due_at(aware))
    assert is_late(aware, due_at(aware) + timedelta(microseconds=1))
    assert hours_since(aware, due_at(aware)) == 72
    assert hours_since(aware, due_at(aware) - timedelta(seconds=1)) == 71
    assert hours_since(aware, aware - timedelta(days=1)) == 0


def test_the_working_can_be_checked_by_hand() -> None:
    aware = datetime(2026, 10, 23, 14, 0, tzinfo=UTC)
    assert working_of(aware, "Europe/London") == [
        "We became aware on Friday 23 October 2026 at 15:00 BST, which is 2026-10-23 14:00 UTC.",
        "UK GDPR Article 33(1) gives 72 hours. They are elapsed hours: nights, weekends and holidays count.",
        "72 hours later is 2026-10-26 14:00 UTC, which is Monday 26 October 2026 at 14:00 GMT.",
        "The clocks go back in between, so the time of day is an hour earlier. It is still 72 hours.",
    ]


def test_the_working_says_when_the_clocks_go_forward() -> None:
    aware = datetime(2026, 3, 27, 23, 0, tzinfo=UTC)
    assert working_of(aware, "Europe/London")[-1].startswith(
        "The clocks go forward in between, so the time of day is an"
    )
    assert len(working_of(aware + timedelta(days=30), "Europe/London")) == 3


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
    st.timedeltas(timedelta(0), timedelta(days=400)),
)
def test_a_later_start_never_gives_an_earlier_deadline(aware: datetime, later: timedelta) -> None:
    assert due_at(aware.astimezone(UTC) + later) >= due_at(aware)
    assert due_at(aware) - aware.astimezone(UTC) == timedelta(hours=72)
