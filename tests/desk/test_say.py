from datetime import UTC, datetime, timedelta

import pytest

from breachdesk.desk.templatetags import say

AT = datetime(2025, 9, 28, 20, 40, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(hours=18, minutes=28, seconds=59), "18 h 28 m"),
        (timedelta(minutes=47, seconds=12), "47 m 12 s"),
        (timedelta(hours=95, minutes=59), "95 h 59 m"),
        (timedelta(hours=96), "4 d 00 h"),
        (-timedelta(hours=3, minutes=12), "3 h 12 m"),
    ],
)
def test_a_duration_has_the_two_units_that_matter(span, said):
    assert say.duration(span).replace("\u202f", " ") == said


def test_a_moment_is_told_in_the_zone_asked_for():
    assert say.moment(AT, "Europe/London") == "Sun 28 Sep 2025, 21:40"
    assert say.full_moment(AT, "Europe/London") == "28 September 2025, 21:40:07 BST"
    assert say.moment(None) == "not known"


def test_a_number_that_is_not_known_is_never_zero():
    assert say.count(428316) == "428,316"
    assert say.count(None) == "not known"
    assert say.count(0) == "0"


def test_all_is_said_only_of_all():
    assert say.share(420_723, 420_724) == "99 %"
    assert say.share(420_724, 420_724) == "100 %"
    assert say.share(0, 0) == "0 %"


def test_hours_are_counted_from_awareness():
    assert say.t_plus(AT, AT - timedelta(hours=53, minutes=59)) == "T+53\u202fh"
    assert say.t_plus(AT, AT + timedelta(hours=2)) == "T\u22122\u202fh"
