"""What the pages of duties say about a place, a fact and how near the end is."""

from typing import Any

from django import template

from regulators.listing import name_of
from regulators.models import StatedFact
from regulators.positions import question_of
from regulators.standing import Duty, Standing

register = template.Library()


@register.simple_tag
def place_name(code: str) -> str:
    return name_of(code)


@register.simple_tag(takes_context=True)
def urgency(context: dict[str, Any], duty: Duty) -> str:
    standing: Standing = context["standing"]
    return duty.urgency(standing.now)


@register.filter
def place_of_zone(zone: str) -> str:
    """`America/New_York`: New York."""
    return zone.rpartition("/")[2].replace("_", " ")


@register.simple_tag
def stated_value(fact: StatedFact) -> str:
    """Yes, no, or the words of what was chosen."""
    question, value = question_of(fact.key), fact.value
    if value is None:
        return "Not known"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    labels = dict(question.choices) if question else {}
    chosen: list[str] = value if isinstance(value, list) else [str(value)]
    return ", ".join(labels.get(one, one) for one in chosen) or "None"
