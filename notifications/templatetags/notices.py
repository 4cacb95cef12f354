"""How an edition's state and language look, the same on every screen."""

from typing import Any

from django import template

from breachdesk.people.languages import language_name
from notifications.models import Edition

register = template.Library()

LOOKS: dict[str, tuple[str, str]] = {
    Edition.State.DRAFT: ("pencil-line", "act"),
    Edition.State.IN_REVIEW: ("hourglass", "soon"),
    Edition.State.APPROVED: ("circle-check", "good"),
    Edition.State.SENDING: ("loader-circle", "act"),
    Edition.State.PAUSED: ("pause", "soon"),
    Edition.State.FINISHED: ("circle-check", "good"),
    Edition.State.CANCELLED: ("minus", ""),
}


@register.inclusion_tag("components/state.html")
def edition_state(edition: Edition) -> dict[str, Any]:
    icon, tone = LOOKS[edition.state]
    return {"icon": icon, "tone": tone, "label": edition.get_state_display()}


@register.filter
def language(tag: str) -> str:
    return language_name(tag)


@register.filter
def people(number: int | None) -> str:
    """1 person; 5,000 people."""
    return "not known" if number is None else f"{number:,} {'person' if number == 1 else 'people'}"
