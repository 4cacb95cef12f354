"""Does the notice say what the law wants to be said, and where? Marked by the author, or proved by the product.

Sources: GDPR and UK GDPR Article 34(2) with Article 33(3)(b) to (d), for every notice; further contents by the laws of
the places where its people live (Regime.notice_contents of the catalogue). A law that is not surely owed asks, and
blocks nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notifications.lint import Finding, Level
from notifications.lint.contents import CONSEQUENCES, CONTACT, CONTENTS, MEASURES, NATURE
from notifications.lint.passages import Text

LETTERS_IN_POINTS = 11.25
"""The smallest letters of a message: 15 pixels, in the layout's last paragraph."""
TITLE = "notice of data breach"
HEADINGS = (
    "what happened",
    "what information was involved",
    "what we are doing",
    "what you can do",
    "for more information",
)
ARTICLE_34 = {
    NATURE: "Article 34(2)",
    CONTACT: "Articles 34(2) and 33(3)(b)",
    CONSEQUENCES: "Articles 34(2) and 33(3)(c)",
    MEASURES: "Articles 34(2) and 33(3)(d)",
}
Kinds = frozenset[str]


@dataclass(frozen=True)
class Law:
    """A law that has its people told, as far as this list is concerned. `places`: where `people` of them live."""

    key: str
    name: str
    article: str
    parts: tuple[str, ...]
    is_owed: bool
    people: int = 0


@dataclass(frozen=True)
class Around:
    """What the product knows besides the text: whom to ask, and the days of the case by what they are the day of."""

    dpo_name: str = ""
    dpo_email: str = ""
    hotline: str = ""
    reply_to: str = ""
    days_found: Mapping[str, int] = field(default_factory=dict)
    """Kind of moment → line where its day stands."""
    count_line: int = 0
    """Where the number of people stands."""


@dataclass(frozen=True)
class Proof:
    """Shown (or refuted) by the product itself."""

    holds: bool
    note: str
    line: int = 0


@dataclass(frozen=True)
class Demand:
    content: str
    laws: tuple[str, ...]
    is_owed: bool


def demands_of(laws: Iterable[Law]) -> list[Demand]:
    """Each content once, with the articles that ask for it: Article 34 first, then by law."""
    asked: dict[str, list[str]] = {content: [article] for content, article in ARTICLE_34.items()}
    owed = set(ARTICLE_34)
    for law in laws:
        for part in law.parts:
            asked.setdefault(part, []).append(f"{law.name} ({law.article})")
            if law.is_owed:
                owed.add(part)
    return [Demand(content, tuple(named), content in owed) for content, named in asked.items()]


def law_findings(text: Text, laws: Sequence[Law], around: Around, combinations: Mapping[Kinds, int]) -> list[Finding]:
    """`combinations`: the kinds of data that people's rows hold together, with how many people each has."""
    found = [_finding(demand, text, around, combinations) for demand in demands_of(laws)]
    return found + list(_contradictions(text))


def _finding(demand: Demand, text: Text, around: Around, combinations: Mapping[Kinds, int]) -> Finding:
    content = CONTENTS[demand.content]
    key, note = f"law.{demand.content}", _named(demand.laws)
    note = note if demand.is_owed else f"If it applies, which is not decided yet: {note}"
    prove = PROOFS.get(demand.content)
    proof = prove(text, around) if prove else None
    if proof and (proof.holds or demand.content not in MARKS_WILL_DO):
        level = Level.GOOD if proof.holds else _failing(demand)
        sentence = content.asks if proof.holds else f"{content.asks}: {proof.note}"
        return Finding(key, level, sentence, f"{note}. {proof.note}" if proof.holds else note, proof.line)
    places = list(_marked(text, demand.content))
    without = sum(people for kinds, people in combinations.items() if not any(one <= kinds for one, _ in places))
    if places and not without:
        return Finding(key, Level.GOOD, content.asks, note, places[0][1])
    who = f" It is missing for {without:,} {'person' if without == 1 else 'people'}." if places and without else ""
    return Finding(
        key,
        _failing(demand),
        f"{content.asks}: no words are marked for it.{who}",
        f"{note}. Mark them: ((covers {content.word}))",
        content=demand.content,
        suggested=suggestion(text, demand.content),
    )


def _failing(demand: Demand) -> Level:
    return Level.FAULT if demand.is_owed else Level.LOOK


def _named(laws: Sequence[str]) -> str:
    return laws[0] if len(laws) == 1 else f"{laws[0]} and {len(laws) - 1} more" if len(laws) > 2 else " and ".join(laws)


def _marked(text: Text, content: str) -> Iterator[tuple[Kinds, int]]:
    for passage in text.passages:
        for covered in passage.covered:
            if covered.content == content:
                yield covered.kinds, passage.line


def suggestion(text: Text, content: str) -> int:
    """The line of the first passage with words that such a sentence often has; 0 if none has."""
    cue = CONTENTS[content].cues.get(text.language)
    if not cue:
        return 0
    for passage in text.passages:
        sentences = [sentence for _, sentence in passage.sentences()]
        if (
            passage.shape != "heading"
            and passage.is_for_everybody
            and any(re.search(cue, one, re.IGNORECASE) for one in sentences)
        ):
            return passage.line
    return 0


def _contradictions(text: Text) -> Iterator[Finding]:
    """Marks on a heading say nothing: a heading announces what is still to come."""
    for passage in text.passages:
        if passage.shape == "heading" and passage.covered:
            sentence = "A heading cannot cover what the law wants: mark the words below it."
            yield Finding(f"law.heading.{passage.covered[0].content}", Level.FAULT, sentence, line=passage.line)


# What the product can show by itself


def _data_protection_officer(text: Text, around: Around) -> Proof:
    name, email = (text.has_for_everybody(one) for one in (around.dpo_name, around.dpo_email))
    if name and email:
        return Proof(True, f"{around.dpo_name}, {around.dpo_email}", email.line)
    lacking = " and ".join(field for field, found in (("((dpo name))", name), ("((dpo email))", email)) if not found)
    return Proof(False, f"write {lacking} where everybody reads it.")


def _entity_contact(text: Text, around: Around) -> Proof:
    for way in (around.hotline, around.reply_to, around.dpo_email):
        if found := text.has_for_everybody(way):
            return Proof(True, way, found.line)
    return Proof(False, "write ((hotline)) or ((reply address)) where everybody reads it.")


def _which_data(text: Text, around: Around) -> Proof:
    for passage in text.passages:
        if ("data list", frozenset()) in passage.slots:
            return Proof(True, "((data list)) says it to each person", passage.line)
    if conditions := [passage for passage in text.passages if passage.shape != "heading" and any(passage.kinds_at)]:
        return Proof(True, "Said by conditions, to each person", conditions[0].line)
    return Proof(False, "write ((data list)), or a condition for each kind.")


def _day_of(kind: str) -> Callable[[Text, Around], Proof]:
    def prove(text: Text, around: Around) -> Proof:
        line = around.days_found.get(kind, 0)
        return Proof(bool(line), "It is the day in the facts" if line else "its day from the facts is missing.", line)

    return prove


def _title(text: Text, around: Around) -> Proof:
    first = next(iter(text.headings()), None)
    if first and first.text.strip().casefold() == TITLE:
        return Proof(True, "The first heading", first.line)
    return Proof(text.subject.strip().casefold() == TITLE, "the first heading must be “Notice of Data Breach”.")


def _headings(text: Text, around: Around) -> Proof:
    written = [one.text.strip().rstrip("?.:").casefold() for one in text.headings()]
    in_order = [one for one in written if one in HEADINGS]
    if in_order == list(HEADINGS):
        return Proof(True, "All five, in their order")
    missing = [one.capitalize() for one in HEADINGS if one not in in_order]
    return Proof(False, f"missing: {', '.join(missing)}." if missing else "they stand in another order.")


def _letters(text: Text, around: Around) -> Proof:
    return Proof(True, f"The smallest letters of the layout have {LETTERS_IN_POINTS} points")


def _free_number(text: Text, around: Around) -> Proof:
    import phonenumbers

    for passage in text.passages:
        for found in phonenumbers.PhoneNumberMatcher(passage.text, "US"):
            if phonenumbers.number_type(found.number) == phonenumbers.PhoneNumberType.TOLL_FREE:
                return Proof(True, found.raw_string, passage.line)
    return Proof(False, "no free telephone number stands there.")


def _names(*names: str) -> Callable[[Text, Around], Proof]:
    def prove(text: Text, around: Around) -> Proof:
        places = {name: text.has_for_everybody(name) for name in names}
        if lacking := [name for name, passage in places.items() if passage is None]:
            return Proof(False, f"not named: {', '.join(lacking)}.")
        return Proof(True, ", ".join(names), next(passage.line for passage in places.values() if passage))

    return prove


def _no_number(text: Text, around: Around) -> Proof:
    return Proof(not around.count_line, "take the number of people out for these people.", around.count_line)


def _no_nature(text: Text, around: Around) -> Proof:
    line = next((line for _, line in _marked(text, NATURE)), 0)
    return Proof(not line, "the law forbids it: these people need a notice of their own.", line)


PROOFS: dict[str, Callable[[Text, Around], Proof]] = {
    CONTACT: _data_protection_officer,
    "entity_contact": _entity_contact,
    "categories_of_data": _which_data,
    "date_of_breach": _day_of("began"),
    "date_of_discovery": _day_of("aware"),
    "prescribed_title": _title,
    "prescribed_headings": _headings,
    "min_font_10pt": _letters,
    "toll_free_number_of_entity": _free_number,
    "toll_free_numbers_of_credit_agencies": _names("Equifax", "Experian", "TransUnion"),
    "ftc_contact": _names("Federal Trade Commission"),
    "must_not_include_number_affected": _no_number,
    "must_not_include_nature": _no_nature,
}
# Where a proof fails, the author may still say in which words it stands.
MARKS_WILL_DO = {"categories_of_data", "date_of_breach", "date_of_discovery", "toll_free_number_of_entity"}
