"""When duties are due: the table of cases worked out by hand, and what holds for every clock."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulators.calendars import CalendarUnknown, is_working_day
from regulators.catalogue.rules import Clock, Limit, Start, Unit
from regulators.clocks import due_of, hours_since, is_late
from regulators.facts import Stated
from regulators.workings import HAPPENED, missing_sentence, working_of
from tests.regulators.clock_table import due_in, faults_in, faults_in_readings, groups

ROOT = Path(__file__).parents[2]
TUESDAY = datetime(2026, 6, 2, 9, 20, tzinfo=UTC)


@pytest.mark.parametrize("group", groups())
def test_the_table_of_the_law(group: str) -> None:
    assert faults_in(group) == []


def test_the_table_is_as_long_as_promised() -> None:
    assert sum(groups().values()) >= 150


def test_the_readings_of_regulation_1182_71() -> None:
    assert faults_in_readings() == []


def elsewhere(*before: str, **environment: str) -> str:
    """The last line of the whole table, run by a Python of its own."""
    command = [*before, sys.executable, "-m", "tests.regulators.clock_table"]
    ran = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()[-1]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York", "Europe/London"])
def test_the_table_is_the_same_wherever_the_process_runs(zone: str) -> None:
    offset = f"{datetime.now(ZoneInfo(zone)):%z}"
    assert elsewhere(TZ=zone).endswith(offset)


def test_the_table_is_the_same_with_the_clock_a_year_ahead() -> None:
    if shutil.which("faketime") is None:
        assert not os.environ.get("REQUIRE_FAKETIME"), "REQUIRE_FAKETIME=1, and there is no faketime."
        pytest.skip("faketime is not installed")
    year = (datetime.now(UTC) + timedelta(days=366)).year
    assert f"here it is {year}" in elsewhere("faketime", "-f", "+366d", TZ="UTC")


def stated(at: datetime, start: Start = Start.AWARENESS) -> dict[Start, Stated]:
    return {start: Stated(at)}


def clock(*limits: dict) -> Clock:
    return Clock(limits=[Limit(**limit) for limit in limits], reading="As the test has it.")


HOURS_72 = clock({"starts": "awareness", "amount": 72, "unit": "hours"})


def test_the_last_microsecond_is_in_time_and_the_next_is_late() -> None:
    due = due_of(HOURS_72, stated(TUESDAY), zone="Europe/London")
    assert due.at == TUESDAY + timedelta(hours=72)
    assert is_late(due, due.at) is False
    assert is_late(due, due.at + timedelta(microseconds=1)) is True


def test_before_the_people_is_too_late_at_the_same_moment() -> None:
    before = due_in("md", {"people_told": "2026-06-10T09:00"})
    no_later = due_in("ct_ag", {"people_told": "2026-06-10T09:00"})
    assert (is_late(before, before.at), is_late(no_later, no_later.at)) == (True, False)


def test_without_a_date_nothing_is_late() -> None:
    due = due_in("uk", {})
    assert (due.at, is_late(due, TUESDAY)) == (None, None)


def test_an_hour_that_has_begun_counts() -> None:
    """So that more than 72 of them is late, to the microsecond."""
    assert hours_since(TUESDAY, TUESDAY + timedelta(hours=72)) == 72
    assert hours_since(TUESDAY, TUESDAY + timedelta(hours=72, microseconds=1)) == 73
    assert hours_since(TUESDAY, TUESDAY + timedelta(hours=71, seconds=1)) == 72
    assert hours_since(TUESDAY, TUESDAY) == 0
    assert hours_since(TUESDAY, TUESDAY - timedelta(days=1)) == 0


def test_a_moment_without_zone_has_no_deadline() -> None:
    owed = {Start.PEOPLE_TOLD: datetime(2026, 6, 2, 9, 20)}  # noqa: DTZ001
    with pytest.raises(ValueError, match="has no time zone"):
        due_of(clock({"starts": "people_told", "relation": "with"}), {}, zone="Europe/London", owed=owed)


def test_what_cannot_be_counted_is_refused_in_a_sentence() -> None:
    days = clock({"starts": "awareness", "amount": 3, "unit": "business_days"})
    with pytest.raises(ValueError, match="needs a calendar"):
        due_of(days, stated(TUESDAY), zone="Europe/London")
    with pytest.raises(CalendarUnknown, match="no calendar of public holidays for ZZ"):
        is_working_day("ZZ", TUESDAY.date())
    with pytest.raises(CalendarUnknown, match="no calendar of public holidays for DE-XX"):
        is_working_day("DE-XX", TUESDAY.date())
    with pytest.raises(CalendarUnknown, match="of KR are not known for 2150"):
        due_of(days, stated(TUESDAY.replace(year=2150)), zone="Asia/Seoul", calendar="KR")
    with pytest.raises(ZoneInfoNotFoundError):
        due_of(HOURS_72, stated(TUESDAY), zone="Europe/Utopia")


def test_the_working_can_be_checked_by_hand() -> None:
    assert working_of(due_in("uk", {"awareness": "2026-10-23T15:00"}, calendar="GB-ENG", by_1182=True)) == [
        "We became aware on Friday 23 October 2026 at 15:00 BST, which is 2026-10-23 14:00 UTC.",
        "UK GDPR Article 33(1) gives 72 hours. They are elapsed hours: nights, weekends and holidays count.",
        "72 hours later is 2026-10-26 14:00 UTC, which is Monday 26 October 2026 at 14:00 GMT.",
        "The clocks go back in between, so the time of day is an hour earlier. It is still 72 hours.",
        (
            "If the hour of the event is not counted (Regulation 1182/71, Article 3(1)): Monday 26 October 2026 at "
            "15:00 GMT. It is not relied on."
        ),
        (
            "If it must hold two working days (Regulation 1182/71, Article 3(5), disputed for periods in hours): The "
            "end of Tuesday 27 October 2026. It is not relied on."
        ),
    ]


def test_the_working_of_business_days_names_the_days() -> None:
    said = working_of(due_in("sec", {"materiality": "2026-06-30T20:30"}))
    assert said[0].endswith("Tuesday 30 June 2026 at 20:30 EDT, which is 2026-07-01 00:30 UTC.")
    assert said[1].endswith(" gives 4 business days. The day of the event is not counted.")
    closed = "By the calendar of US, Saturdays and Sundays are not counted, nor Friday 3 July 2026 (Independence Day"
    assert said[2].startswith(closed)
    days = ["Day 1 is Wednesday 1 July 2026", "day 2 is Thursday 2 July 2026", "day 3 is Monday 6 July 2026"]
    assert said[3] == f"{'; '.join(days)}; day 4 is Tuesday 7 July 2026."
    assert said[4:] == ["It ends at Tuesday 7 July 2026 at 17:30 EDT, which is 2026-07-07 21:30 UTC."]


SENTENCES = [
    ("hipaa_year", {"discovery": "2026-03-10T12:00"}, "That year ends on Thursday 31 December 2026."),
    ("il_hipaa", {"hhs_told": "2026-06-01T15:00"}, "The federal health department was told on Monday 1 June 2026"),
    ("hipaa", {"discovery": "2026-11-15T12:00"}, "Day 60 is Thursday 14 January 2027."),
    ("hipaa", {"discovery": "2026-11-15T12:00"}, "at 24:00 in America/New_York, which is 2027-01-15 05:00 UTC."),
    ("nis2_month", {"notification": "2026-01-31T12:00"}, "There is no 31 February 2026, so the period ends with"),
    ("dora_month", {"last_report": "2026-09-15T12:00"}, "the day that bears the same date: Thursday 15 October 2026."),
    ("month_first_day", {"last_report": "2026-03-01T12:00"}, "before the one with the same date: Tuesday 31 March"),
    ("month_moved", {"last_report": "2026-04-01T12:00"}, "closed (Labor Day), so the end moves to the next working"),
    ("dora_relief", {"classification": "2026-06-05T22:00"}, "That day is closed (a Saturday), so it moves to the next"),
    ("dora", {"awareness": "2026-06-01T08:00"}, "“The incident was classified”: nobody has stated when. It could only"),
    ("dora", {"awareness": "2026-06-01T08:00"}, "depends on a fact nobody has stated, so it counts."),
    ("vt", {"discovery": "2026-08-03T10:00", "people_told": "2026-08-10T12:00"}, "Whichever ends first counts: Monday"),
    ("md", {"people_told": "2026-06-10T09:00"}, "Md. Code Com. Law § 14-3504(h) asks for this before that."),
    ("la_ag", {"people_told": "2026-06-25T09:00"}, "It is in time only if it has arrived by then;"),
    ("ch", {"awareness": "2026-06-25T09:00"}, "The law names no number of hours or days"),
    ("uk", {}, "“We became aware”: nobody has stated when. Without it there is no date."),
    (
        "first_day_cut",
        {"awareness": "2026-06-01T18:00"},
        "event is day 1, if it fell no later than 17:30.",
    ),
    (
        "co_law",
        {"detection": "2026-06-01T10:00"},
        "Day 1 is Tuesday 2 June 2026, and day 15 is Wednesday 24",
    ),
    (
        "saudi_1",
        {"awareness": "2026-06-04T10:00"},
        "Fridays and Saturdays are not counted, and no public holiday",
    ),
    ("egypt_people", {"authority_told": "2027-05-12T10:00"}, "estimated waits for the sight of the moon"),
    ("uk", {"awareness": "2026-03-27T23:00"}, "The clocks go forward in between, so the time of day is an hour later."),
    ("lord_howe", {"awareness": "2026-04-03T12:00"}, "so the time of day is 30 minutes earlier. It is still 72 hours."),
]


def test_the_working_says_what_matters() -> None:
    silent = [
        (rule, part) for rule, events, part in SENTENCES if part not in " ".join(working_of(due_in(rule, events)))
    ]
    assert silent == []
    owed = {"owed": {"people_told": "2026-06-15T12:00"}}
    assert working_of(due_in("md", {}, owed))[0].startswith("The people are to be told by Monday 15 June 2026 at 12:00")


def test_an_instant_that_is_not_known_to_the_minute_is_said_so() -> None:
    about = {Start.AWARENESS: Stated(TUESDAY, "hour")}
    said = working_of(due_of(HOURS_72, about, zone="Europe/London"))
    assert "That is known to the hour only: if it was earlier, so is the deadline." in said


def test_every_event_has_its_words() -> None:
    assert set(HAPPENED) == set(Start)
    assert all(missing_sentence(start).endswith("Without it there is no date.") for start in Start)


ZONES = ["Europe/London", "America/New_York", "America/Santiago", "Atlantic/Azores", "Africa/Cairo", "Pacific/Apia"]
LIMITS = (
    st.builds(
        Limit,
        starts=st.sampled_from([Start.AWARENESS, Start.END_OF_YEAR]),
        amount=st.integers(1, 65),
        unit=st.sampled_from(Unit),
        counts_first_day=st.booleans(),
        ends_at=st.sampled_from([None, "12:00", "17:30"]),
    )
    | st.builds(
        Limit,
        starts=st.just(Start.AWARENESS),
        amount=st.integers(1, 65),
        unit=st.sampled_from([Unit.CALENDAR_DAYS, Unit.BUSINESS_DAYS, Unit.MONTHS]),
        moves_off_closed_days=st.just(True),
    )
    | st.builds(
        Limit,
        starts=st.just(Start.AWARENESS),
        amount=st.integers(1, 65),
        unit=st.just(Unit.CALENDAR_DAYS),
        whole_days=st.just(False),
    )
)
# Many within a few hours of a change of the clocks, where dates are easily lost.
STARTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)) | st.sampled_from(  # noqa: DTZ001
    [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 4, 5, 3, tzinfo=UTC)]
).flatmap(lambda at: st.timedeltas(timedelta(hours=-3), timedelta(hours=3)).map(lambda near: at + near))
LATER = st.timedeltas(timedelta(0), timedelta(hours=3)) | st.timedeltas(timedelta(0), timedelta(days=400))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(LIMITS, min_size=1, max_size=2),
    st.sampled_from(ZONES),
    st.sampled_from(["GB-ENG", "US", "EG", "KR"]),
    STARTS,
    LATER,
)
def test_a_later_start_never_gives_an_earlier_date(
    limits: list[Limit], zone: str, calendar: str, start: datetime, later: timedelta
) -> None:
    measure = Clock(limits=limits, reading="Any.")
    first, second = (
        due_of(measure, {Start.AWARENESS: Stated(at), Start.DISCOVERY: Stated(at)}, zone=zone, calendar=calendar)
        for at in (start, start + later)
    )
    assert first.at is not None
    assert second.at is not None
    assert second.at >= first.at
    assert all(reading.at > first.at for reading in first.readings)
