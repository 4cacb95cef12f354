"""When a date warns: shares of its period, hours before its end, and once it has passed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from regulators.clocks import Due
from regulators.warning_times import Reached, Times, period_of, read_times, warnings_of
from tests.regulators.clock_table import due_in

AWARE = datetime(2026, 6, 2, 8, 20, tzinfo=UTC)
TOLD = datetime(2026, 6, 10, 13, tzinfo=UTC)
YEARS = timedelta(days=900)


def warned(due: Due, *more: Any) -> tuple[Reached, ...]:
    return warnings_of(period_of(due), *more)


def hours_after(start: datetime, rule: str, events: dict[str, str], **more: dict) -> list[tuple[str, float]]:
    reached = warned(due_in(rule, events, more), start + YEARS)
    return [(one.code, round((one.at - start) / timedelta(hours=1), 3)) for one in reached]


def test_seventy_two_hours_warn_at_half_and_three_quarters_and_before_the_end() -> None:
    assert hours_after(AWARE, "uk", {"awareness": "2026-06-02T09:20"}) == [
        ("50_percent", 36),
        ("24_hours", 48),
        ("75_percent", 54),
        ("6_hours", 66),
        ("1_hours", 71),
        ("overdue", 72),
    ]


def test_a_short_period_has_no_warning_before_it_begins() -> None:
    start = datetime(2026, 6, 1, 16, tzinfo=UTC)
    found = hours_after(start, "dora_4", {"classification": "2026-06-01T18:00"})
    assert found == [("50_percent", 2), ("1_hours", 3), ("75_percent", 3), ("overdue", 4)]


def test_only_what_has_come_is_reached() -> None:
    due = due_in("uk", {"awareness": "2026-06-02T09:20"})
    assert [one.code for one in warned(due, AWARE + timedelta(hours=48))] == ["50_percent", "24_hours"]
    assert warned(due, AWARE + timedelta(hours=36, microseconds=-1)) == ()
    assert "overdue" not in {one.code for one in warned(due, AWARE + timedelta(hours=72))}
    assert warned(due, AWARE + timedelta(hours=72, microseconds=1))[-1].is_overdue


def test_without_a_date_nothing_warns() -> None:
    assert warned(due_in("uk", {}), AWARE + YEARS) == ()
    assert warned(due_in("ch", {"awareness": "2026-06-02T09:20"}), AWARE + YEARS) == ()


def test_a_date_taken_over_warns_by_hours_alone() -> None:
    codes = [code for code, _ in hours_after(TOLD, "md", {}, owed={"people_told": "2026-06-10T09:00"})]
    assert codes == ["24_hours", "6_hours", "1_hours", "overdue"]


def test_before_another_event_is_overdue_at_that_moment() -> None:
    due = due_in("md", {}, {"owed": {"people_told": "2026-06-10T09:00"}})
    assert warned(due, TOLD)[-1].is_overdue


def test_the_times_are_a_setting() -> None:
    times = read_times("10% 2h")
    assert times == Times((10,), (2,))
    found = warned(due_in("uk", {"awareness": "2026-06-02T09:20"}), AWARE + timedelta(hours=71), times)
    assert [one.code for one in found] == ["10_percent", "2_hours"]
    with pytest.raises(ValueError, match="soon is no time of a warning"):
        read_times("50% soon")
