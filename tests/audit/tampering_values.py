"""What is done to private values, deliveries and approvals (T12 to T14), to the chain of a case and to anchors."""

import json
from typing import Any

from breachdesk.audit.canonical import base64url, canonical
from tests.audit.forge import APPROVER, AUTHOR, LEADER, STARTER, Forge, sealed, whole_story
from tests.audit.tampering import CASES, Case, Files, Lines, case, changed, edited, forged, replaced

# T12, T13: private values


@case("T12 an opened value changed", 7)
def change_value() -> Files:
    return replaced("private.jsonl", "Too long", "Too short")


@case("T12 two openings swapped", 7)
def swap_values() -> Files:
    def change(lines: Lines) -> None:
        for key in ("salt", "value"):
            lines[0][key], lines[1][key] = lines[1][key], lines[0][key]

    return edited("private.jsonl", change)


@case("T12 an opening of nothing", 7)
def opening_of_nothing() -> Files:
    return edited("private.jsonl", lambda lines: lines.append({**lines[-1], "field": "zone"}))


@case("T13 an opening missing", 7)
def drop_value() -> Files:
    return edited("private.jsonl", lambda lines: lines.pop(2))


# T14: deliveries


@case("T14 a row altered", 8)
def change_row() -> Files:
    return edited(
        "deliveries.jsonl", lambda lines: changed(lines, 0, "line", lambda text: text.replace('"try":1', '"try":2'))
    )


@case("T14 a row dropped", 8)
def drop_row() -> Files:
    return edited("deliveries.jsonl", lambda lines: lines.pop(1))


@case("T14 a row doubled", 8)
def double_row() -> Files:
    return edited("deliveries.jsonl", lambda lines: lines.insert(1, dict(lines[0])))


@case("T14 a row numbered otherwise", 8)
def number_row() -> Files:
    return edited("deliveries.jsonl", lambda lines: lines[0].update(row=5))


@case("T14 a batch dropped", 8)
def drop_batch() -> Files:
    def change(lines: Lines) -> None:
        lines[:] = [line for line in lines if line["n"] != lines[0]["n"]]

    return edited("deliveries.jsonl", change)


@case("T14 a row of no batch", 8)
def row_of_no_batch() -> Files:
    return edited("deliveries.jsonl", lambda lines: lines.append({**lines[-1], "n": lines[-1]["n"] + 9}))


def settle_again(forge: Forge, **changes: Any) -> None:
    edition = next(row for row in forge.log if row.type == "edition.started").content["object"]["id"]
    rows = [forge.row(), forge.row("refused")]
    if changes.pop("again", False):
        rows[0]["delivery"] = json.loads(next(row for row in forge.log if row.rows).rows[0])["delivery"]
        rows[0]["try"] = 9
    forge.settle(edition, rows, **changes)


@case("T14 counts that do not add up, stolen", 8)
def wrong_counts() -> Files:
    return forged(lambda forge: settle_again(forge, refused=2))


@case("T14 rows in another order, stolen", 8)
def wrong_order() -> Files:
    return forged(lambda forge: settle_again(forge, backwards=True))


@case("T14 handed over twice, stolen", 8)
def twice() -> Files:
    forge = whole_story(export=False)
    line = next(line for row in forge.log for line in row.rows if b'"handed_over"' in line)
    edition = next(row for row in forge.log if row.type == "edition.started").content["object"]["id"]
    forge.settle(edition, [forge.row("handed_over", json.loads(line)["delivery"], 7)])
    forge.export(by=LEADER)
    return forge.files()


# Rule 9: what was sent had been approved


def edition_story(*steps: tuple[str, str, str]) -> Files:
    """One more edition: (event, who, which digest)."""

    def story(forge: Forge) -> None:
        edition, digests = forge.uuid(), {name: base64url(forge.chance()) for name in "ab"}
        for version, (name, by, digest) in enumerate(steps, 1):
            data: dict[str, Any] = {"language": "de", "recipients": 1, "digest": digests.get(digest)}
            keys = {"edition.created": ["language"], "edition.saved": ["language"]}.get(f"edition.{name}", list(data))
            data = {key: data[key] for key in keys} | ({"revision": 1} if name == "created" else {})
            if name in ("withdrawn", "rejected"):
                data = {"language": "de"}
            on = ("notifications.edition", edition, version)
            forge.append(f"edition.{name}", incident=forge.incident, by=by, on=on, data=data)

    return forged(story)


BEGUN = (("created", AUTHOR, ""), ("saved", LEADER, ""), ("submitted", AUTHOR, "a"))
EDITIONS = {
    "never approved": (*BEGUN, ("started", STARTER, "a")),
    "approved by the one who began it": (*BEGUN, ("approved", AUTHOR, "a"), ("started", STARTER, "a")),
    "approved by another writer": (*BEGUN, ("approved", LEADER, "a"), ("started", STARTER, "a")),
    "approved is not what was submitted": (*BEGUN, ("approved", APPROVER, "b"), ("started", STARTER, "b")),
    "sent is not what was approved": (*BEGUN, ("approved", APPROVER, "a"), ("started", STARTER, "b")),
    "changed after the approval": (
        *(*BEGUN, ("approved", APPROVER, "a"), ("saved", AUTHOR, ""), ("started", STARTER, "a")),
    ),
    "withdrawn after the approval": (
        *(*BEGUN, ("approved", APPROVER, "a"), ("withdrawn", AUTHOR, ""), ("started", STARTER, "a")),
    ),
    "without any digest": (("created", AUTHOR, ""), ("submitted", AUTHOR, ""), ("approved", APPROVER, "")),
}  # fmt: skip
for _name, _steps in EDITIONS.items():
    CASES.append(Case(f"edition {_name}, stolen", 9, lambda steps=_steps: edition_story(*steps)))


@case("edition not started, rows settled, stolen", 9)
def not_started() -> Files:
    return forged(lambda forge: forge.settle(forge.uuid(), [forge.row()]))


@case("sections are not as exported", 9)
def sections_changed() -> Files:
    files = whole_story().files()
    files["sections/incident.json"] = canonical({"v": 1, "reference": "BD-2026-0099"})
    return sealed(files)


@case("a section left out", 9)
def section_left_out() -> Files:
    files = whole_story().files()
    del files["sections/notices.json"]
    return sealed(files)


@case("never exported", 9)
def never_exported() -> Files:
    forge = whole_story(export=False)
    forge.head()
    return forge.files()


# Rule 5: the chain


@case("chain with a gap, stolen", 5)
def gap() -> Files:
    def story(forge: Forge) -> None:
        number, leaf = forge.chains[forge.incident]
        forge.chains[forge.incident] = number + 1, leaf

    return forged(story)


@case("chain names another entry, stolen", 5)
def wrong_previous() -> Files:
    def story(forge: Forge) -> None:
        number, _ = forge.chains[forge.incident]
        forge.chains[forge.incident] = number, forge.log[2].leaf

    return forged(story)


@case("head pins another number, stolen", 5)
def wrong_head() -> Files:
    forge = whole_story(export=False)
    forge.export(by=LEADER)
    forge.head(inc_n=3)
    return forge.files()


@case("another reference", 5)
def another_reference() -> Files:
    return replaced("bundle.json", "BD-2026-0007", "BD-2026-0017")


@case("another last entry in bundle.json", 5)
def another_head() -> Files:
    files = whole_story().files()
    about = json.loads(files["bundle.json"])
    files["bundle.json"] = canonical(about | {"head": about["head"] - 1})
    return sealed(files)


# Rule 6: anchors


@case("an anchor of no note", 6)
def anchor_of_no_note() -> Files:
    return edited("anchors.jsonl", lambda lines: lines[0].update(note=base64url(bytes(32))))


@case("an anchor of another size", 6)
def anchor_of_another_size() -> Files:
    return edited("anchors.jsonl", lambda lines: lines[0].update(size=lines[0]["size"] - 1))
