"""Cases of rules 6 to 9: times, opened values, deliveries, decisions."""

import json
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import zipped
from tests.audit.verifier.cases import (
    FIELDS,
    OPENED,
    ROWS,
    Files,
    Told,
    case,
    edited,
    lines_of,
    moved,
    retold,
    settle,
    told,
    told_with,
    with_line,
    with_lines,
)

# Rule 6: times


@retold(6)
def a_log_in_which_time_goes_back() -> Told:
    story = told()
    story.forge.wait(-90)
    story.forge.append("incident.closed", incident=story.forge.incident)
    return story


@retold(6)
def an_event_from_the_future() -> Told:
    return told_with(data=FIELDS, at=moved(told(), 3600))


@retold(None, "VALID")
def an_event_from_the_future_that_was_reported() -> Told:
    story = told_with(data=FIELDS, at=moved(told(), 3600))
    n = len(story.forge.log) - 1
    story.forge.append("clock.anomaly", data={"kind": "ahead", "seconds": 3600, "first": n, "last": n})
    return story


@edited(6)
def an_anchor_of_a_note_that_is_not_here(files: Files) -> Files:
    return with_line(files, "anchors.jsonl", 0, note=base64url(bytes(32)))


# Rule 7: opened values


@edited(7)
def an_opened_value_that_was_changed(files: Files) -> Files:
    return with_line(files, OPENED, 0, value="Nothing much")


@edited(7)
def two_openings_swapped(files: Files) -> Files:
    first, second = lines_of(files, OPENED)[:2]
    swapped = with_line(files, OPENED, 0, value=second["value"], salt=second["salt"])
    return with_line(swapped, OPENED, 1, value=first["value"], salt=first["salt"])


@edited(7)
def an_opening_left_out(files: Files) -> Files:
    return with_lines(files, OPENED, lines_of(files, OPENED)[1:])


@edited(7)
def an_opening_of_no_event(files: Files) -> Files:
    return with_line(files, OPENED, 0, event="00000000-0000-4000-8000-000000000000")


@retold(None, "VALID")
def a_value_that_was_erased_on_record() -> Told:
    story = told()
    story.forge.erase(story.marks["opened"], "title", by=story.approver)
    return story


# Rule 8: deliveries


def changed_row(files: Files, i: int, **changes: Any) -> Files:
    row = json.loads(lines_of(files, ROWS)[i]["line"]) | changes
    return with_line(files, ROWS, i, line=canonical(row).decode())


@edited(8)
def a_row_that_was_altered(files: Files) -> Files:
    return changed_row(files, 0, code=251)


@edited(8)
def a_row_with_one_field_more(files: Files) -> Files:
    return changed_row(files, 0, more=1)


@edited(8)
def a_row_left_out(files: Files) -> Files:
    return with_lines(files, ROWS, lines_of(files, ROWS)[:-1])


@edited(8)
def a_row_that_is_there_twice(files: Files) -> Files:
    lines = lines_of(files, ROWS)
    return with_lines(files, ROWS, [*lines, lines[-1]])


@edited(8)
def a_row_of_no_batch(files: Files) -> Files:
    lines = lines_of(files, ROWS)
    return with_lines(files, ROWS, [*lines, lines[0] | {"n": lines[0]["n"] + 1}])


@retold(8)
def a_batch_that_counts_wrong() -> Told:
    story = told(until="settled")
    settle(story, handed_over=3, refused=0)
    return story


@retold(8)
def a_message_handed_over_twice() -> Told:
    story = told()
    again = json.loads(story.marks["settled"].rows[0])["delivery"]
    story.forge.settle(story.edition, [story.forge.row("handed_over", again, 2)])
    story.forge.settle(story.edition, [story.forge.row("handed_over", again, 3)])
    return story


# Rule 9: decisions


@retold(9)
def a_start_without_approval() -> Told:
    story = told(until="approved")
    story.frozen("started", 4, epoch=1)
    return story


@retold(9)
def a_start_of_another_text() -> Told:
    story = told(until="started")
    story.frozen("started", 5, epoch=1, digest=base64url(bytes(32)))
    return story


@retold(9)
def an_approval_by_the_author() -> Told:
    story = told(until="approved")
    story.frozen("approved", 4, by=story.author)
    story.frozen("started", 5, epoch=1)
    return story


@retold(9)
def an_approval_of_another_text() -> Told:
    story = told(until="approved")
    story.frozen("approved", 4, by=story.approver, digest=base64url(bytes(32)))
    return story


@retold(9)
def a_text_changed_after_its_approval() -> Told:
    story = told(until="started")
    story.step("saved", 5, private={"subject": "Other", "body": "Words"})
    story.frozen("started", 6, epoch=1)
    return story


@retold(9)
def messages_before_the_start() -> Told:
    story = told(until="started")
    settle(story)
    return story


@edited(9)
def a_section_that_was_changed(files: Files) -> Files:
    return {**files, "sections/incident.json": canonical({"v": 1, "status": "closed"})}


@case("INVALID", 9)
def a_bundle_that_nobody_exported() -> bytes:
    story = told()
    story.forge.head()
    return zipped(story.forge.files())
