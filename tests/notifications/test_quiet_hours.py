"""Whose night it is: against a plain model, over a year of clock changes, and in a send."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from breachdesk.people.countries import COUNTRIES
from breachdesk.people.states import STATES
from notifications.zones import (
    US_ZONES,
    every_place,
    quiet_places,
    quiet_until,
    zones_by_country,
    zones_of,
    zones_with_a_day,
)

NIGHT = (time(21), time(8))
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
# Whole and half hours, half an hour of summer time, clock changes at midnight and at 24:00, and none at all.
ZONES = (
    "Europe/London America/New_York Australia/Lord_Howe America/St_Johns Asia/Kathmandu Africa/Cairo America/Santiago"
)
HOURS = st.tuples(st.integers(0, 95), st.integers(1, 48)).map(
    lambda quarters: (_clock(quarters[0]), _clock(quarters[0] + quarters[1]))
)


def _clock(quarters: int) -> time:
    return time(quarters // 4 % 24, quarters % 4 * 15)


def is_quiet_on_the_wall(zone: str, quiet: tuple[time, time], at: datetime) -> bool:
    """What a clock on the wall says, without any arithmetic on instants."""
    begin, end = quiet
    now = at.astimezone(ZoneInfo(zone)).time().replace(fold=0)
    return begin <= now < end if begin < end else now >= begin or now < end


def changes_clocks_near(zone: str, at: datetime) -> bool:
    day = timedelta(days=1)
    return len({(at + n * day).astimezone(ZoneInfo(zone)).utcoffset() for n in (-1, 0, 1)}) > 1


@given(st.sampled_from(ZONES.split()), HOURS, st.integers(0, 365 * 24 * 60))
@example("Europe/London", (time(1, 15), time(1, 45)), 297 * 24 * 60 + 90)
@example("America/New_York", (time(21), time(2, 30)), 66 * 24 * 60 + 7 * 60)
def test_it_agrees_with_a_clock_on_the_wall(zone: str, quiet: tuple[time, time], minute: int) -> None:
    at = NEW_YEAR + timedelta(minutes=minute)
    end = quiet_until([zone], quiet, at)
    if is_quiet_on_the_wall(zone, quiet, at):
        assert end is not None, "nobody is woken"
    elif end is not None:
        assert changes_clocks_near(zone, at), "and nobody waits without a reason"
    if end is not None:
        assert at < end <= at + timedelta(hours=14)
        assert not is_quiet_on_the_wall(zone, quiet, end)
        assert quiet_until([zone], quiet, end) is None


@given(st.lists(st.sampled_from(ZONES.split()), min_size=2, max_size=4), st.integers(0, 365 * 24 * 60))
def test_it_is_quiet_while_it_is_in_any_of_the_zones(zones: list[str], minute: int) -> None:
    at = NEW_YEAR + timedelta(minutes=minute)
    alone = [quiet_until([zone], NIGHT, at) for zone in zones]
    end = quiet_until(zones, NIGHT, at)
    assert (end is None) == (not any(alone))
    if end:
        assert end >= max(one for one in alone if one)
    if end and end - at < timedelta(days=2):
        assert not any(is_quiet_on_the_wall(zone, NIGHT, end) for zone in zones)


def test_every_zone_of_the_table_is_known_and_every_zone_of_the_states_is_in_it() -> None:
    assert set(US_ZONES) == set(STATES)
    named = {zone for zones in US_ZONES.values() for zone in zones}
    assert set(zones_by_country()["US"]) <= named
    assert named - set(zones_by_country()["US"]) == {"Pacific/Pago_Pago", "Pacific/Guam", "America/Puerto_Rico"}
    for zone in {zone for zones in zones_by_country().values() for zone in zones}:
        ZoneInfo(zone)


def test_a_place_has_all_zones_it_may_mean() -> None:
    home = "Europe/London"
    assert zones_of(("FR", ""), home) == ("Europe/Paris",)
    assert zones_of(("US", "CA"), home) == ("America/Los_Angeles",)
    assert zones_of(("US", "TX"), home) == ("America/Chicago", "America/Denver")
    assert len(zones_of(("US", ""), home)) > 20
    assert zones_of(("", ""), home) == zones_of(("XK", ""), home) == zones_of(("US", "AE"), home) == (home,)
    assert {country for country in COUNTRIES if zones_of((country, ""), "UTC") == ("UTC",)} == {"BV", "HM", "XK"}


def test_where_it_would_never_be_day_the_organisation_s_zone_counts() -> None:
    odd = {
        place
        for place in every_place()
        if zones_with_a_day(place, (time(20), time(8)), "UTC", NEW_YEAR) != zones_of(place, "UTC")
    }
    assert odd == {("AQ", "")}


def test_a_minute_before_the_night_nothing_is_taken_any_more() -> None:
    at = datetime(2026, 7, 1, 19, 58, tzinfo=UTC)
    found = quiet_places(NIGHT, "Europe/London", at)
    assert ("GB", "") not in found
    assert ("DE", "") in found
    soon = quiet_places(NIGHT, "Europe/London", at + timedelta(minutes=1))
    assert soon["GB", ""] == soon["", ""] == datetime(2026, 7, 2, 7, 0, tzinfo=UTC)
