"""Known: one fact with its origin, in the hands of whoever fills a form from it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Known:
    """One fact: its value, and a sentence and an address for where it comes from.

    A value is a text, a number, a date, a set of keys, or a moment or contact in the shape of an answer.
    """

    value: Any
    origin: str
    url: str = ""


def day_of(moment: datetime, zone: str) -> str:
    """22 November 2026."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"
