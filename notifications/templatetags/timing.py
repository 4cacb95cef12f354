"""An edition's schedule on every page that shows one."""

from django import template

from notifications.models import Edition
from notifications.timing import Timing, timing_of

register = template.Library()


@register.simple_tag
def timing(edition: Edition) -> Timing:
    """Counted only where a page shows it."""
    return timing_of(edition)
