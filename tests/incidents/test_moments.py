from datetime import UTC, date, datetime, time

import pytest

from breachdesk.incidents.moments import NoSuchTime, instant_of, meant_yesterday


@pytest.mark.parametrize(
    ("day", "clock", "zone", "instant"),
    [
        (date(2026, 7, 1), time(9, 0), "Europe/London", datetime(2026, 7, 1, 8, 0, tzinfo=UTC)),
        (date(2026, 1, 1), time(9, 0), "Europe/London", datetime(2026, 1, 1, 9, 0, tzinfo=UTC)),
        (date(2026, 1, 1), time(0, 30), "Asia/Kathmandu", datetime(2025, 12, 31, 18, 45, tzinfo=UTC)),
        # 25 October 2026, 01:30 happens twice in London; the first passing starts the clock earlier.
        (date(2026, 10, 25), time(1, 30), "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_it_reads_local_time_as_the_instant_it_means(day, clock, zone, instant):
    assert instant_of(day, clock, zone) == instant


def test_it_refuses_an_hour_that_never_was():
    with pytest.raises(NoSuchTime, match="01:30 did not exist in Europe/London on 29 March 2026"):
        instant_of(date(2026, 3, 29), time(1, 30), "Europe/London")


def test_a_time_later_today_probably_meant_yesterday():
    now = datetime(2026, 9, 28, 3, 12, tzinfo=UTC)
    assert meant_yesterday(datetime(2026, 9, 28, 21, 40, tzinfo=UTC), now) == datetime(2026, 9, 27, 21, 40, tzinfo=UTC)
    assert meant_yesterday(datetime(2026, 9, 30, 21, 40, tzinfo=UTC), now) is None
