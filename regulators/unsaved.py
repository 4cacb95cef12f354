"""Words that are typed and not saved: kept sealed beside the filing for whoever typed them, and no part of it.

They leave no event, because nothing was answered: a pause makes an answer of them, and that one is in the trail.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from django.core.exceptions import ValidationError
from django.http import QueryDict

from breachdesk.vault.sealing import KeyDestroyed, seal, unseal
from regulators.models import Answer, Filing, Typing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

LARGEST = 100_000  # bytes of one answer, several times what its boxes take
HERE = timedelta(seconds=75)  # an open page says so every half minute
LATELY = timedelta(minutes=10)
PLACE = ("regulators_typing", "sealed")


@dataclass(frozen=True)
class Words:
    """What one person typed into the boxes of one answer, as their browser sent it."""

    data: QueryDict
    at: datetime


@dataclass(frozen=True)
class Colleague:
    """Somebody else at the same filing: who has it open, what they are typing in, and what they changed lately."""

    name: str
    is_here: bool
    typing_in: tuple[str, ...]
    changed: tuple[tuple[str, datetime], ...]


def keep_words(filing: Filing, question: str, typed: Mapping[str, Sequence[str]], *, by: "User", at: datetime) -> None:
    """Takes the place of what they had typed there before. Two at once leave one of the two."""
    content = json.dumps({name: list(values) for name, values in typed.items()}).encode()
    if len(content) > LARGEST:
        raise ValidationError("That is too long to be kept while you type. Shorten it, or attach a document.")
    row = _row_of(filing, by, question)
    sealed = seal(filing.incident_id, content, table=PLACE[0], column=PLACE[1], row=row)
    _put(Typing(id=row, filing=filing, user=by, question=question, sealed=sealed, at=at))


def say_here(filing: Filing, *, by: "User", at: datetime) -> None:
    _put(Typing(id=_row_of(filing, by, ""), filing=filing, user=by, at=at))


def _put(typing: Typing) -> None:
    Typing.objects.bulk_create([typing], update_conflicts=True, unique_fields=["id"], update_fields=["sealed", "at"])


def _row_of(filing: Filing, user: "User", question: str) -> UUID:
    return uuid5(filing.pk, f"{user.pk} {question}")


def drop_words(filing: Filing, questions: Sequence[str], *, by: "User") -> None:
    Typing.objects.of(filing).by(by).filter(question__in=questions).delete()


def drop_all_words(filing: Filing) -> None:
    """Everybody's: what was not saved by then is no part of what was signed."""
    Typing.objects.of(filing).delete()


def words_of(filing: Filing, user: "User") -> dict[str, Words]:
    """By question. Nothing once the incident's key is gone: they went with it."""
    rows = Typing.objects.of(filing).by(user).words()
    try:
        return {row.question: _opened(filing, row) for row in rows}
    except KeyDestroyed:
        return {}


def _opened(filing: Filing, row: Typing) -> Words:
    content = unseal(filing.incident_id, bytes(row.sealed or b""), table=PLACE[0], column=PLACE[1], row=row.pk)
    data = QueryDict(mutable=True)
    for name, values in json.loads(content).items():
        data.setlist(name, values)
    return Words(data, row.at)


def colleagues_at(filing: Filing, user: "User", *, at: datetime) -> list[Colleague]:
    """Who else is in the filing now, or was within ten minutes, by name."""
    numbers = filing.definition.numbers
    rows = list(Typing.objects.of(filing).by_others(user).since(at - LATELY))
    answers = [one for one in _lately_answered(filing, at) if one.answered_by_id != user.pk]
    people = {row.user_id: row.user for row in rows} | {one.answered_by_id: one.answered_by for one in answers}
    found = [
        Colleague(
            name=person.name,
            is_here=any(row.user_id == pk and not row.question and row.at >= at - HERE for row in rows),
            typing_in=_sorted(numbers[row.question] for row in rows if row.user_id == pk and row.question in numbers),
            changed=tuple((numbers[one.question], one.answered_at) for one in answers if one.answered_by_id == pk),
        )
        for pk, person in people.items()
    ]
    shown = [one for one in found if one.is_here or one.typing_in or one.changed]
    return sorted(shown, key=lambda one: one.name)


def _lately_answered(filing: Filing, at: datetime) -> list[Answer]:
    return sorted(
        (one for one in filing.answers.all() if one.answered_at >= at - LATELY),
        key=lambda one: one.answered_at,
        reverse=True,
    )


def _sorted(numbers: object) -> tuple[str, ...]:
    return tuple(sorted(numbers, key=lambda number: [int(part) for part in number.split(".")]))  # type: ignore[call-overload]
