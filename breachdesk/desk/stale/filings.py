"""What a filing says as it was: answers that follow the facts, answers typed as the facts were, days named in texts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from breachdesk.audit.canonical import parse, time_text
from breachdesk.desk.figures import FACT as COUNT
from breachdesk.desk.stale.before import Before, Stale
from regulators.catalogue.schema import TYPED, Kind, Question
from regulators.changes import changes_between
from regulators.content import content_of
from regulators.fitting import fitted
from regulators.models import Filing, FilingVersion
from regulators.prefill import MOMENTS
from regulators.sheet import Given, Sheet, sheet_of
from regulators.wording import text_of

MOVES = ("filing.", "others.", "individuals.", "cross_border.other_sas")
"""Facts that move on by filing and telling: no version said those wrongly."""
DECIDED = ("individuals.decision", "individuals.reason_not", "individuals.reason_not_text")
"""And those of them that do not."""
KINDS = "data.categories"


def stale_in(filing: Filing, before: Before, now: datetime) -> Iterator[Stale]:
    """Of its last version alone, since an earlier one was followed by it; and of what is typed in its draft."""
    sheet, last = sheet_of(filing, at=now), filing.newest
    if last:
        yield from _of_version(filing, last, sheet, before)
    if not filing.is_fixed:
        yield from _of_draft(filing, sheet, before)


def _of_version(filing: Filing, version: FilingVersion, sheet: Sheet, before: Before) -> Iterator[Stale]:
    receipt, content = getattr(version, "receipt", None), parse(bytes(version.content))
    at = receipt.submitted_at if receipt else version.signed_at
    blank = _blank(filing, f"version {version.number}", at, went_out=receipt is not None)
    said = {one["key"]: one for section in content["sections"] for one in section["questions"]}
    live = {given.key for given in sheet.asked if given.live and follows_a_fact(given.question)}
    found = set()
    for change in changes_between(content, content_of(sheet)):
        if change.key in live and change.before:
            found.add(change.key)
            yield replace(blank, question=f"{change.number} {change.label}", said=change.before, now=change.after)
    for given in sheet:
        if given.key in said and given.key not in found and given.key not in live:
            yield from _of_answer(given, said[given.key]["answer"], blank, before)
    for given in sheet:
        if given.key in said and given.key not in found and given.question.kind in TYPED:
            yield from _of_text(given, said[given.key]["answer"] or "", blank, before)


def _of_draft(filing: Filing, sheet: Sheet, before: Before) -> Iterator[Stale]:
    """Only what somebody typed: whatever follows the facts is right by itself."""
    for given in sheet.asked:
        if given.by and given.at and given.value is not None:
            blank = _blank(filing, "draft", given.at, went_out=False)
            yield from _of_answer(given, given.value, blank, before)
            if given.question.kind in TYPED:
                yield from _of_text(given, given.value, blank, before)


def _blank(filing: Filing, which: str, at: datetime, *, went_out: bool) -> Stale:
    what = f"{filing.definition.title} to the {filing.addressee.short_name}, {which}"
    return Stale(what, filing.get_absolute_url(), at, question="", said="", now="", went_out=went_out)


def follows_a_fact(question: Question) -> bool:
    """The number of people has a list of its own."""
    fact = question.fact or ""
    if fact == COUNT and question.kind == Kind.NUMBER:
        return False
    return bool(fact) and (fact in DECIDED or not fact.startswith(MOVES))


def _of_answer(given: Given, value: Any, blank: Stale, before: Before) -> Iterator[Stale]:
    """An answer that is what the facts said once, to the letter, and that they do not say now."""
    known = given.known
    if known is None or value is None or value == known.value:
        return
    if any(_same(fitted(given.question, old), value) for old in _earlier(given.question.fact or "", before)):
        said, now = text_of(given.question, value), given.known_text
        yield replace(blank, question=f"{given.number} {given.question.label}", said=said, now=now)


def _earlier(fact: str, before: Before) -> Iterator[Any]:
    if fact == KINDS:
        yield from (set(kinds) for _, kinds in before.kinds)
    for moment in before.corrected:
        if MOMENTS.get(fact) == moment.kind and moment.at:
            yield {"at": time_text(moment.at), "zone": moment.zone, "precision": str(moment.precision)}


def _same(old: Any, value: Any) -> bool:
    """A moment is the same whatever its zone and precision are called; what a page sends back has no seconds."""
    if isinstance(old, dict) and isinstance(value, dict) and "at" in old and "at" in value:
        return bool(old["at"][:16] == value["at"][:16])
    return old is not None and bool(old == value)


def _of_text(given: Given, text: str, blank: Stale, before: Before) -> Iterator[Stale]:
    for moment, words in before.old_days_in(text):
        about = f"{given.number} {given.question.label}: {moment.get_kind_display().lower()}"
        yield replace(blank, question=about, said=f"“{words}”", now=before.day_now(moment.kind))
