"""Fills any form by its questions alone, as a person would: again and again, until no answer opens another question."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import NewAnswer
from regulators.addressees import addressees_of
from regulators.catalogue.schema import TYPED, Form, Kind, Question
from regulators.content import content_of, digest_of
from regulators.models import Filing
from regulators.sheet import Given, Sheet, sheet_of

VALUES: dict[Kind, Any] = {
    Kind.YES_NO: "yes",
    Kind.NUMBER: 4_321,
    Kind.DATE: "2026-11-19",
    Kind.DATES: ["2026-11-18", "2026-11-19"],
    Kind.MOMENT: {"at": "2026-11-20T09:30:00.000000Z", "zone": "Europe/Paris", "precision": "about"},
    Kind.CONTACT: {"name": "Imke Sander", "email": "imke.sander@example.com", "phone": "01632 960055", "address": ""},
    Kind.MONEY: {"amount": "12500.50", "currency": "EUR"},
    Kind.PERCENT: "12.5",
    Kind.URL: "https://halden-rowe.example/",
}

Words = Callable[[Question], str]


def plain_words(question: Question) -> str:
    return f"Said of {question.key.replace('_', ' ')}."[: question.max_length]


def open_one(incident: Incident, form: Form, *, by: User) -> Filing:
    """To its own authority, to the first that takes it, or to one that somebody names."""
    whom = addressees_of(form)
    if whom:
        return actions.open_filing(incident, form.id, authority=whom[0].key, by=by)
    return actions.open_filing(incident, form.id, named="Data Commission of Utopia", by=by)


def now(filing: Filing) -> Sheet:
    return sheet_of(Filing.objects.with_case().get(pk=filing.pk), at=timezone.now())


def fill(
    filing: Filing,
    *,
    by: User,
    words: Words = plain_words,
    choice: int = 0,
    wanted: Mapping[str, Any] = MappingProxyType({}),
) -> Sheet:
    """Every question asked, also what the facts would answer. `choice` is the place in a list of the one taken.

    `wanted` are answers by their questions that are given instead; None for one that is to stay open.
    """
    done = {key for key, value in wanted.items() if value is None}
    while to_do := [given for given in now(filing).asked if given.key not in done]:
        answers = {given.key: answer_to(given, words, choice, wanted.get(given.key)) for given in to_do}
        actions.save_answers(filing, answers, by=by)
        done |= set(answers)
    return now(filing)


def answer_to(given: Given, words: Words, choice: int, wanted: Any = None) -> NewAnswer:
    question = given.question
    if question.kind in {Kind.CHOICE, Kind.YES_NO} and wanted is not None:
        return NewAnswer(given.version, wanted)
    if question.kind in TYPED:
        return NewAnswer(given.version, words(question))
    if question.kind == Kind.CHOICES:
        return NewAnswer(given.version, list(question.values))
    if question.kind in {Kind.CHOICE, Kind.YES_NO}:
        return NewAnswer(given.version, question.values[min(choice, len(question.values) - 1)])
    return NewAnswer(given.version, VALUES[question.kind])


def sign(filing: Filing, *, by: User) -> Filing:
    asked = actions.submit_for_sign_off(filing, expected_version=filing.version, by=by)
    actions.sign_off_filing(asked, digest=digest_of(content_of(now(asked))), expected_version=asked.version, by=by)
    return Filing.objects.with_case().get(pk=filing.pk)


def squeezed(text: str) -> str:
    """Letters alone, without marks of direction; lam and alef alike, whose ligature is read back in either order."""
    same = str.maketrans({"\N{ARABIC LETTER LAM}": "\N{ARABIC LETTER ALEF}", "\u202a": "", "\u202b": "", "\u202c": ""})
    return "".join(text.translate(same).split())


MARKS = "()[]{}<>.,;:!?-"


def not_printed(sheet: Sheet, text: str) -> list[str]:
    """What the text of a document does not hold of the answers, line by line.

    Readers guess the direction of a line that has both, and put its parts in another order; a bracket at the end of a
    line beside one of those goes along. So of all lines it is looked whether every letter is there, as often as it was
    written, and of those in one direction whether they stand as they were written, but for the marks at their ends.
    """
    whole = squeezed(text)
    lines = [(given.key, squeezed(line)) for given in sheet.asked for line in given.text.splitlines()]
    lost = [key for key, line in lines if not _has_arabic(line) and line.strip(MARKS) not in whole]
    missing = Counter("".join(line for _, line in lines)) - Counter(whole)
    return [*lost, *(f"{number} times {letter}" for letter, number in missing.items())]


def _has_arabic(line: str) -> bool:
    return any("\N{ARABIC LETTER HAMZA}" <= letter <= "\N{ARABIC LETTER YEH}" for letter in line)
