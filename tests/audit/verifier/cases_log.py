"""Cases of rules 3 to 5: entries, events, and the chain of the incident."""

import json
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import sealed, zipped
from tests.audit.verifier.cases import (
    ENTRIES,
    FIELDS,
    OPENED,
    ROWS,
    Files,
    Told,
    case,
    edited,
    exported,
    flipped,
    lines_of,
    retold,
    told,
    told_with,
    with_about,
    with_line,
    with_lines,
)

# Rule 3: entries


def changed_entry(files: Files, i: int, **changes: Any) -> Files:
    entry = json.loads(lines_of(files, ENTRIES)[i]["entry"]) | changes
    return with_line(files, ENTRIES, i, entry=canonical(entry).decode())


@edited(3)
def an_entry_linked_at_another_time(files: Files) -> Files:
    return changed_entry(files, 3, seq_at="2026-11-01T09:00:00.000000Z")


@edited(3)
def an_entry_of_another_log(files: Files) -> Files:
    return changed_entry(files, 3, log="trail.example.com/breachdesk/0000")


@edited(3)
def an_entry_with_one_field_more(files: Files) -> Files:
    return changed_entry(files, 3, more=1)


@edited(3)
def an_entry_of_an_unknown_version(files: Files) -> Files:
    return changed_entry(files, 3, v=2)


@edited(3)
def an_entry_with_a_space(files: Files) -> Files:
    entry = lines_of(files, ENTRIES)[3]["entry"]
    return with_line(files, ENTRIES, 3, entry=entry.replace(":", ": ", 1))


@edited(3)
def an_entry_with_a_key_twice(files: Files) -> Files:
    entry = lines_of(files, ENTRIES)[3]["entry"]
    return with_line(files, ENTRIES, 3, entry=entry.replace('"v":1', '"v":1,"v":1'))


@edited(3)
def two_neighbours_swapped(files: Files) -> Files:
    lines = lines_of(files, ENTRIES)
    lines[3], lines[4] = lines[4], lines[3]
    return with_lines(files, ENTRIES, lines)


@edited(3)
def two_neighbours_that_took_each_others_place(files: Files) -> Files:
    lines = lines_of(files, ENTRIES)
    lines[3]["n"], lines[4]["n"] = lines[4]["n"], lines[3]["n"]
    lines[3], lines[4] = lines[4], lines[3]
    return with_lines(files, ENTRIES, lines)


@edited(3)
def a_proof_too_long(files: Files) -> Files:
    proof = lines_of(files, ENTRIES)[3]["proof"]
    return with_line(files, ENTRIES, 3, proof=[*proof, proof[0]])


@edited(3)
def a_proof_too_short(files: Files) -> Files:
    return with_line(files, ENTRIES, 3, proof=lines_of(files, ENTRIES)[3]["proof"][:-1])


@edited(3)
def a_proof_of_something_else(files: Files) -> Files:
    proof = lines_of(files, ENTRIES)[3]["proof"]
    return with_line(files, ENTRIES, 3, proof=[flipped(proof[0]), *proof[1:]])


@edited(3)
def an_entry_without_its_proof(files: Files) -> Files:
    return with_line(files, ENTRIES, 3, proof=None)


@edited(3)
def a_part_of_a_log_that_says_it_is_whole(files: Files) -> Files:
    lines = [line | {"proof": None} for line in lines_of(files, ENTRIES)]
    return with_about(with_lines(files, ENTRIES, lines), whole=True)


@case("INVALID", 3)
def a_whole_log_without_its_last_entry() -> bytes:
    files = exported(told(whole=True))
    return zipped(sealed(with_lines(files, ENTRIES, lines_of(files, ENTRIES)[:-1])))


@case("INVALID", 3)
def a_whole_log_with_another_time_in_it() -> bytes:
    return zipped(sealed(changed_entry(exported(told(whole=True)), 2, seq_at="2026-11-02T09:00:04.600000Z")))


@edited(3, "INCOMPLETE")
def no_entry_at_all(files: Files) -> Files:
    empty = with_lines(with_lines(files, ENTRIES, []), ROWS, [])
    return with_lines(empty, OPENED, [])


# Rule 4: bodies


def changed_body(files: Files, i: int, **changes: Any) -> Files:
    body = json.loads(lines_of(files, ENTRIES)[i]["body"]) | changes
    return with_line(files, ENTRIES, i, body=canonical(body).decode())


@edited(4)
def an_event_with_another_actor(files: Files) -> Files:
    return changed_body(files, 3, actor={"id": None, "kind": "system", "session": None})


@edited(4)
def an_event_that_is_not_json(files: Files) -> Files:
    return with_line(files, ENTRIES, 3, body="{")


@retold(4)
def an_event_of_an_unknown_type() -> Told:
    return told_with(data=FIELDS, body_changes={"type": "incident.forgotten"})


@retold(4)
def an_event_of_a_type_that_every_object_has() -> Told:
    return told_with(data=FIELDS, body_changes={"type": "constructor"})


@retold(4)
def an_event_with_an_unknown_field() -> Told:
    return told_with(data=FIELDS | {"more": 1})


@retold(4)
def an_event_without_a_field_of_its_sentence() -> Told:
    return told_with(data={})


@retold(4)
def an_event_with_a_private_value_it_cannot_have() -> Told:
    return told_with(data=FIELDS, private={"address": "12 Elm Street"})


@retold(4)
def an_event_of_an_unknown_version() -> Told:
    return told_with(data=FIELDS, body_changes={"v": 2})


@retold(4)
def an_event_that_stands_there_twice() -> Told:
    story = told()
    return told_with(data=FIELDS, body_changes={"id": story.marks["opened"].event})


@retold(4)
def an_event_moved_to_another_incident() -> Told:
    story = told()
    story.forge.append(
        "incident.closed",
        incident=story.forge.incident,
        entry_changes={"incident": story.forge.uuid(), "inc_n": 1, "inc_prev": None},
    )
    return story


@edited(4, "INCOMPLETE")
def an_event_that_is_withheld(files: Files) -> Files:
    number = next(i for i, line in enumerate(lines_of(files, ENTRIES)) if "edition.created" in line["body"])
    return with_line(files, ENTRIES, number, body=None)


# Rule 5: the chain of the incident


def without_entry(files: Files, which: str) -> Files:
    gone = next(line for line in lines_of(files, ENTRIES) if f'"type":"{which}"' in line["body"])
    fewer = with_lines(files, ENTRIES, (line for line in lines_of(files, ENTRIES) if line["n"] != gone["n"]))
    event = json.loads(gone["body"])["id"]
    return with_lines(fewer, OPENED, (line for line in lines_of(files, OPENED) if line["event"] != event))


@edited(5)
def the_first_entry_left_out(files: Files) -> Files:
    return without_entry(files, "incident.opened")


@edited(5)
def an_entry_in_the_middle_left_out(files: Files) -> Files:
    return without_entry(files, "edition.created")


@edited(5)
def the_last_entry_left_out(files: Files) -> Files:
    fewer = without_entry(files, "incident.head")
    return with_about(fewer, head=lines_of(fewer, ENTRIES)[-1]["n"])


@edited(5)
def a_bundle_that_names_another_last_entry(files: Files) -> Files:
    return with_about(files, head=1)


@edited(5)
def a_bundle_with_another_reference(files: Files) -> Files:
    return with_about(files, reference="BD-2026-9999")


@retold(5)
def an_entry_that_does_not_follow_the_one_before() -> Told:
    story = told()
    story.forge.append(
        "incident.closed", incident=story.forge.incident, entry_changes={"inc_prev": base64url(bytes(32))}
    )
    return story


@case("INVALID", 5)
def a_last_entry_that_counts_wrong() -> bytes:
    story = told()
    exported(story)
    story.forge.head(inc_n=3)
    return zipped(story.forge.files())
