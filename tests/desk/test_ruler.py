from datetime import UTC, datetime, timedelta

from breachdesk.desk.ruler import Mark, Ruler

AWARE = datetime(2025, 9, 25, 20, 40, tzinfo=UTC)


def after(hours: float) -> datetime:
    return AWARE + timedelta(hours=hours)


def test_now_stands_where_the_time_is():
    ruler = Ruler(AWARE, after(53.5))
    assert ruler.used == 74.31
    assert ruler.now_label == "now, T+53 h"


def test_it_never_runs_over_its_end():
    ruler = Ruler(AWARE, after(100))
    assert ruler.used == 100
    assert ruler.now_label == "72 h passed"


def test_labels_that_would_run_into_each_other_are_left_to_the_sentence():
    marks = [Mark(after(54), "contained"), Mark(after(72), "ICO", "due", deadline=True)]
    contained, due = Ruler(AWARE, after(53), marks).placed
    assert not contained.label_shown
    assert due.label_shown
    assert "contained at T+54 h." in Ruler(AWARE, after(53), marks).sentence


def test_marks_outside_the_window_stay_at_its_edge():
    early = Ruler(AWARE, after(1), [Mark(after(-5), "told")]).placed[0]
    assert early.x == 0
