"""First drafts in our own words, in English, French and German, so that nobody begins with an empty page.

Each says which contents of the law it covers, by the author's own marks; the author changes words and marks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from breachdesk.incidents.models import Incident
from notifications.lint.contents import CONSEQUENCES, CONTACT, CONTENTS, MEASURES, NATURE

FOLDER = Path(__file__).parent / "texts"
LANGUAGES = ("en", "fr", "de")
ARTICLE_34 = (NATURE, CONTACT, CONSEQUENCES, MEASURES)
USUAL = (*ARTICLE_34, "categories_of_data", "steps_individual_can_take", "entity_contact")
CALIFORNIA = ("prescribed_title", "prescribed_headings", "date_of_notice", "law_enforcement_delay_statement")


@dataclass(frozen=True)
class Starter:
    key: str
    name: str
    sentence: str
    covers: tuple[str, ...] = USUAL

    @property
    def covers_in_words(self) -> str:
        further = [CONTENTS[key].word for key in self.covers if key not in ARTICLE_34]
        return ", ".join(["all of Article 34(2)", *further])


STARTERS: dict[str, Starter] = {
    one.key: one
    for one in (
        Starter(
            "supplier_contact",
            "At a supplier, contact data only",
            "A company that works for you lost names and addresses; no passwords, no payment details.",
        ),
        Starter(
            "own_systems",
            "In your own systems, passwords reset",
            "Somebody was in your systems; whoever’s password was there reads that you have reset it.",
        ),
        Starter(
            "first_short",
            "First short notice, number unknown",
            "Little is known yet, and people should be careful now; you promise to write again.",
        ),
        Starter(
            "exact_data",
            "Follow-up with each person’s exact data",
            "You wrote before, and can now say of each person exactly what was taken.",
        ),
        Starter(
            "correction", "Correction of an earlier notice", "Something you wrote was wrong; this takes its place."
        ),
        Starter(
            "guardian",
            "To a parent or guardian",
            "The affected person is a child, and you write to who cares for them.",
        ),
        Starter("next_of_kin", "To next of kin", "The affected person has died, and you write to the family."),
        Starter(
            "not_affected",
            "You are not affected",
            "People heard of the breach and wonder; of these you know that nothing was taken.",
        ),
        Starter(
            "impostors", "Beware of impostors", "Somebody writes to your customers in your name, and uses the breach."
        ),
        Starter(
            "california",
            "California’s five headings",
            "With the title and the headings that California prescribes, in their order.",
            (*USUAL, *CALIFORNIA),
        ),
    )
}


def usual_starter(incident: Incident) -> str:
    return "supplier_contact" if incident.origin == Incident.Origin.PROCESSOR else "own_systems"


def starter_for(language: str, incident: Incident, key: str, today: date) -> tuple[str, str]:
    """Subject and body for a first draft, with what the incident already says; empty where we have no such language."""
    short = language.split("-")[0]
    if short not in LANGUAGES:
        return "", ""
    subject, _, body = (FOLDER / f"{STARTERS[key].key}.{short}.md").read_text("utf-8").partition("\n")
    return subject, Template(body.strip() + "\n").substitute(_known(short, incident, today))


def _known(language: str, incident: Incident, today: date) -> dict[str, str]:
    supplier, at, somebody = _SUPPLIER[language]
    is_supplier = incident.origin == Incident.Origin.PROCESSOR
    named = supplier if incident.processor else somebody
    aware = incident.aware_at.astimezone(ZoneInfo(incident.aware.zone))
    say = _DAYS[language]
    return {
        "day": say(aware),
        "today": say(today),
        "supplier": named,
        "at_supplier": f"{at}{named}" if is_supplier else "",
    }


_SUPPLIER = {
    "en": ("((processor)), a company that works for us", " at ", "a company that works for us"),
    "fr": ("((processor)), une entreprise qui travaille pour nous", " chez ", "une entreprise qui travaille pour nous"),
    "de": ("((processor)), einer Firma, die für uns arbeitet,", " bei ", "einer Firma, die für uns arbeitet,"),
}
_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
}
_DAYS: dict[str, Callable[[date], str]] = {
    "en": lambda day: f"{day.day} {day:%B %Y}",
    "fr": lambda day: f"{'1er' if day.day == 1 else day.day} {_MONTHS['fr'].split()[day.month - 1]} {day.year}",
    "de": lambda day: f"{day.day}. {_MONTHS['de'].split()[day.month - 1]} {day.year}",
}
