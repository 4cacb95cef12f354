"""What two versions of a filing say differently, question by question: from their contents alone."""

from typing import Any

import pytest

from regulators.changes import Change, changes_between


def content(**questions: dict[str, Any]) -> dict[str, Any]:
    asked = [
        {"key": key, "number": f"1.{n}", "label": key.capitalize(), **one}
        for n, (key, one) in enumerate(questions.items(), 1)
    ]
    return {"sections": [{"questions": asked[:1]}, {"questions": asked[1:]}]}


def said(text: str) -> dict[str, Any]:
    return {"text": text}


def promised(day: str, so_far: str = "") -> dict[str, Any]:
    return {"text": "", "not_known": {"said": "Not yet known", "promised_on": day, "so_far": so_far}}


PROMISE = "Not yet known, to follow by 2026-12-01"


@pytest.mark.parametrize(
    ("before", "after", "kind", "words"),
    [
        (said("5,120"), said("5,300"), "changed", ("5,120", "5,300")),
        (said(""), said("5,300"), "added", ("", "5,300")),
        (said("5,120"), said(""), "removed", ("5,120", "")),
        (promised("2026-12-01"), said("5,300"), "changed", (PROMISE, "5,300")),
        (said(""), promised("2026-12-01", "Being counted."), "added", ("", f"{PROMISE}. Being counted.")),
        (
            promised("2026-11-30"),
            promised("2026-12-01"),
            "changed",
            ("Not yet known, to follow by 2026-11-30", PROMISE),
        ),
    ],
)
def test_one_answer(before: dict[str, Any], after: dict[str, Any], kind: str, words: tuple[str, str]) -> None:
    found = changes_between(content(title=said("Same"), count=before), content(title=said("Same"), count=after))
    assert found == [Change("count", "1.2", "Count", kind, *words)]  # type: ignore[arg-type]


def test_a_question_that_is_asked_no_more_took_its_answer_along() -> None:
    before = content(title=said("Same"), count=said("5,120"), blank=said(""))
    assert changes_between(before, content(title=said("Same"))) == [Change("count", "1.2", "Count", "removed", "5,120")]
    assert changes_between(content(title=said("Same")), before) == [
        Change("count", "1.2", "Count", "added", "", "5,120")
    ]


def test_versions_that_say_the_same_differ_in_nothing_and_the_order_is_the_later_ones() -> None:
    one = content(title=said("Same"), count=promised("2026-12-01"))
    assert changes_between(one, one) == []
    other = content(count=said("5"), title=said("Other"))
    assert [change.key for change in changes_between(one, other)] == ["count", "title"]
