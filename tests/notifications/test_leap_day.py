"""The short times of a mail log around days that not every year has, and around the turn of the year."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from notifications.relay_logs import PostfixLog

LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("now", "zone", "written", "meant"),
    [
        (
            datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
            LONDON,
            "Feb 29 23:58:00",
            datetime(2028, 2, 29, 23, 58, tzinfo=UTC),
        ),
        (datetime(2028, 3, 1, 0, 1, tzinfo=UTC), LONDON, "Feb 29 23:58:00", datetime(2028, 2, 29, 23, 58, tzinfo=UTC)),
        (datetime(2029, 1, 4, tzinfo=UTC), LONDON, "Feb 29 23:58:00", datetime(2028, 2, 29, 23, 58, tzinfo=UTC)),
        (datetime(2028, 1, 4, tzinfo=UTC), LONDON, "Feb 29 23:58:00", datetime(2024, 2, 29, 23, 58, tzinfo=UTC)),
        (datetime(2028, 1, 1, 0, 1, tzinfo=UTC), LONDON, "Dec 31 23:58:00", datetime(2027, 12, 31, 23, 58, tzinfo=UTC)),
        (datetime(2028, 1, 1, 0, 1, tzinfo=UTC), NEW_YORK, "Dec 31 19:01:00", datetime(2028, 1, 1, 0, 1, tzinfo=UTC)),
        (datetime(2027, 12, 31, 23, 58, tzinfo=UTC), LONDON, "Jan  1 00:01:00", datetime(2028, 1, 1, 0, 1, tzinfo=UTC)),
        (datetime(2028, 1, 1, tzinfo=UTC), LONDON, "Feb 30 00:01:00", None),
    ],
)
def test_it_is_the_last_such_day_that_is_not_in_the_future(
    now: datetime, zone: tzinfo, written: str, meant: datetime | None
) -> None:
    """A log whose clock is minutes ahead at midnight is of the next year already."""
    assert PostfixLog(zone, ["halden.example"], now)._moment(written) == meant
