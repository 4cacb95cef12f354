"""What a notice says as it was: days of moments that were corrected, kinds of data that were added or taken away.

Conditions and the list of one's own data follow each person's row; they are held against the facts only where rows hold
what the facts do not name any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.urls import reverse

from breachdesk.desk.stale.before import Before, Stale
from breachdesk.incidents.kind_words import LANGUAGES, Claim, claims_in, sentence_at
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from notifications.editions import the_organisation, vocabulary_of
from notifications.models import Edition
from notifications.placeholders import LIST_FIELD, PERSON_FIELDS, Closing, Constant, Opening, Slot, mark_source

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

TAKEN, NOT_TAKEN = "Is among the data taken", "Is not among the data taken"


def editions_of(incident: Incident, user: "User") -> list[Edition]:
    """All but those that were cancelled before anybody got one."""
    every = Edition.objects.visible_to(user).of(incident).with_incident().in_order()
    return [edition for edition in every if edition.started_at or edition.state != Edition.State.CANCELLED]


def address_of(edition: Edition) -> str:
    return reverse("edition-detail", args=[edition.notice.incident.reference, edition.pk])


def is_searched(language: str) -> bool:
    return language[:2] in LANGUAGES


def written_at(edition: Edition) -> datetime:
    return edition.submitted_at or edition.saved_at or edition.notice.created_at


def stale_in(edition: Edition, before: Before) -> Iterator[Stale]:
    blank = Stale(
        f"Notice “{edition.notice.title}”, {edition.language}, revision {edition.revision}",
        address_of(edition),
        written_at(edition),
        question="",
        said="",
        now="",
        went_out=edition.started_at is not None,
    )
    read = read_wording(edition)
    for moment, words in before.old_days_in(read.text):
        day = before.day_now(moment.kind)
        yield replace(blank, question=moment.get_kind_display(), said=read.sentence_with(words), now=day)
    yield from (
        replace(blank, question=KINDS[kind].label, said=said, now=now)
        for kind, said, now in _kinds(edition, read, before)
    )


def _kinds(edition: Edition, read: "Read", before: Before) -> Iterator[tuple[str, str, str]]:
    then, now = before.kinds_at(written_at(edition)), before.kinds_now
    claims = list(claims_in(read.text, edition.language))
    for kind in KINDS:
        about = [claim for claim in claims if claim.kind == kind]
        if kind in then - now and (said := _still_said(kind, about, read, before)):
            yield kind, said, NOT_TAKEN
        elif kind in now - then and (said := _not_said(kind, about, read, claims)):
            yield kind, said, TAKEN


def _still_said(kind: str, about: list[Claim], read: "Read", before: Before) -> str:
    """Of a kind that was taken away: where everybody reads it, or how many people's rows bring it into theirs."""
    plain = next((claim for claim in about if claim.was_taken and kind not in read.kinds_at[claim.at]), None)
    if plain:
        return read.sentence_at(plain.at)
    people = before.held.get(kind, 0) if kind in read.conditions or read.lists_data else 0
    return f"Told to {people:,}, whose rows hold it" if people else ""


def _not_said(kind: str, about: list[Claim], read: "Read", claims: list[Claim]) -> str:
    """Of a kind that was added: that it was not taken, or nothing where others are named. Rows speak for themselves."""
    denied = next((claim for claim in about if not claim.was_taken), None)
    if denied:
        return read.sentence_at(denied.at)
    is_said = kind in read.conditions or read.lists_data or any(claim.was_taken for claim in about)
    return "Does not name it" if not is_said and any(claim.was_taken for claim in claims) else ""


# The wording as everybody reads it


@dataclass
class Read:
    """The text with its conditions: `kinds_at[i]` are those round the character i."""

    text: str = ""
    kinds_at: list[frozenset[str]] = field(default_factory=list)
    conditions: set[str] = field(default_factory=set)
    lists_data: bool = False

    def add(self, words: str, kinds: frozenset[str]) -> None:
        self.text += words
        self.kinds_at.extend([kinds] * len(words))

    def sentence_at(self, at: int) -> str:
        return f"“{sentence_at(self.text, at).strip('#-* ')}”"

    def sentence_with(self, words: str) -> str:
        at = self.text.casefold().find(words.casefold())
        return self.sentence_at(at) if at >= 0 else f"“{words}”"


def read_wording(edition: Edition) -> Read:
    """Also of a text that could not be sent as it stands."""
    constants = vocabulary_of(edition, the_organisation()).constants
    marked = mark_source(edition.body, fields=PERSON_FIELDS, constants=constants, kinds=KINDS)
    read, opened = Read(), list[Opening]()
    read.add(f"{edition.subject}\n", frozenset())
    for letter in marked.text:
        match marked.mark_at(letter):
            case Opening() as opening:
                opened.append(opening)
                read.conditions.add(opening.kind)
            case Closing(number=number):
                opened = [opening for opening in opened if opening.number != number]
            case Slot(name=name, default=default):
                read.lists_data |= name == LIST_FIELD
                read.add(default or "…", _kinds_of(opened))
            case Constant(words=words):
                read.add(words, _kinds_of(opened))
            case _:
                read.add(letter, _kinds_of(opened))
    return read


def _kinds_of(opened: list[Opening]) -> frozenset[str]:
    return frozenset(opening.kind for opening in opened)
