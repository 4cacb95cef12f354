"""What laws ask that only a person can answer: about a case, or once for the organisation. Keys, questions and values.

A key of catalogue/rule_facts.yaml that the case itself answers (its kinds of data, its people, the decision about the
risk) is no question here. `reach.<regime>` says whether a law reaches us at all, `supervisor.<place>` which of several
authorities is ours there. Those two are of one case.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError

from breachdesk.people.countries import COUNTRIES
from regulators.catalogue import the_catalogue
from regulators.rulebook import rulebook_of

FROM_THE_CASE = ("role.", "risk.", "people.", "data.kinds")

PLACES: Mapping[str, str] = {
    "us.established_in": "Countries where we have an establishment",
    "us.representative_in": "Countries where we have a representative under GDPR Article 27",
    "us.targets": "Countries to whose people we offer goods or services, or whose behaviour we watch",
}
MAIN_ESTABLISHMENT = "us.main_establishment"
SECTORS = "us.sectors"
BREACH_KINDS = "breach.kinds"
KINDS_OF_BREACH = {
    "confidentiality": "Somebody saw or took it who may not",
    "integrity": "It was changed",
    "availability": "It was lost, or could not be reached",
}


@dataclass(frozen=True)
class Question:
    """`choices` are (value, label); a question without any is a yes or a no."""

    key: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    several: bool = False


@lru_cache(maxsize=1)
def of_the_case() -> dict[str, Question]:
    """What can be said about one case, in the order of rule_facts.yaml."""
    asked = {
        key: Question(key, label)
        for key, label in the_catalogue().known.facts.items()
        if not key.startswith((*FROM_THE_CASE, "us.")) and key != BREACH_KINDS
    }
    return {BREACH_KINDS: Question(BREACH_KINDS, "What was lost", tuple(KINDS_OF_BREACH.items()), True), **asked}


@lru_cache(maxsize=1)
def of_the_organisation() -> dict[str, Question]:
    countries = tuple(sorted(COUNTRIES.items(), key=lambda country: country[1]))
    places = {key: Question(key, label, countries, True) for key, label in PLACES.items()}
    main = Question(MAIN_ESTABLISHMENT, "Where the decisions about this data are taken (GDPR Article 4(16))", countries)
    trades = Question(SECTORS, "What we are", tuple(the_catalogue().known.sectors.items()), True)
    yes_no = {key: Question(key, label) for key, label in the_catalogue().known.facts.items() if key.startswith("us.")}
    return {**places, MAIN_ESTABLISHMENT: main, SECTORS: trades, **yes_no}


@lru_cache(maxsize=1)
def of_the_laws() -> dict[str, Question]:
    """Whether each law reaches us, and which authority is ours where a law has several in one place."""
    known = the_catalogue()
    reach = {f"reach.{law}": Question(f"reach.{law}", "Whether this law reaches us") for law in known.regimes}
    rules, choices = rulebook_of(known), dict[str, dict[str, str]]()
    for regime in rules.regimes:
        for place in regime.places:
            if len(there := rules.supervisors_of(regime, place)) > 1:
                choices.setdefault(place, {}).update((one.id, one.name) for one in there)
    ours = {
        f"supervisor.{place}": Question(
            f"supervisor.{place}", f"Which authority is ours in {known.known.places[place].name}", tuple(named.items())
        )
        for place, named in choices.items()
    }
    return reach | ours


def question_of(key: str) -> Question | None:
    """None: nobody asks this."""
    return of_the_case().get(key) or of_the_organisation().get(key) or of_the_laws().get(key)


def checked_value(key: str, value: Any) -> Any:
    """The value as it is kept, or a ValidationError: a yes or a no, one choice, or a sorted list of several."""
    question = question_of(key)
    if question is None:
        raise ValidationError(f"No law we hold asks “{key}”. Nothing was changed.")
    if value is None:
        return None
    fits, expected = _shape(question)
    if not fits(value):
        raise ValidationError(f"{question.label}: {expected}. Nothing was changed.")
    return sorted(set(value)) if question.several else value


def _shape(question: Question) -> tuple[Callable[[Any], bool], str]:
    values = {value for value, _ in question.choices}
    if not question.choices:
        return lambda value: isinstance(value, bool), "the answer is yes or no"
    if question.several:
        return lambda value: isinstance(value, list) and set(value) <= values, "choose from the list"
    return lambda value: value in values, "choose one from the list"
