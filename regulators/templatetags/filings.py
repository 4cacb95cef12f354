"""What the pages of a filing say about its earlier versions."""

from typing import Any

from django import template

from regulators.changes import Change

register = template.Library()


@register.simple_tag(takes_context=True)
def change_of(context: dict[str, Any], key: str) -> Change | None:
    """How this answer differs from the version before; None when it does not."""
    changed: dict[str, Change] = context.get("changed") or {}
    return changed.get(key)
