"""How answers read: the same words on the screen, in the PDF and in the text that is hashed."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from breachdesk.audit.canonical import time_of
from regulators.catalogue.schema import Kind, Question

PARTS = {"name": "Name", "email": "Email", "phone": "Phone", "address": "Address"}
"""Of a contact, in the order in which they are asked and printed."""


def said(moment: datetime, zone: str) -> str:
    """Tuesday 23 September 2025, 09:20 BST."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M} {local:%Z}"


def said_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def lasting(time: timedelta) -> str:
    """2 days, 3 hours; of less than an hour the minutes."""
    minutes = max(0, int(time.total_seconds())) // 60
    parts = {"day": minutes // 1440, "hour": minutes % 1440 // 60, "minute": minutes % 60 if minutes < 60 else 0}
    return ", ".join(f"{n:,} {unit}{'' if n == 1 else 's'}" for unit, n in parts.items() if n) or "less than a minute"


def text_of(question: Question, value: Any) -> str:
    """The answer in plain words; paragraphs are lines. Nothing for no answer."""
    if value is None:
        return ""
    match question.kind:
        case Kind.CHOICE | Kind.YES_NO:
            return question.label_of(value)
        case Kind.CHOICES:
            return "\n".join(question.label_of(item) for item in value)
        case Kind.NUMBER:
            return f"{value:,}"
        case Kind.DATE:
            return said_day(date.fromisoformat(value))
        case Kind.MOMENT:
            about = "About " if value["precision"] == "about" else ""
            return f"{about}{said(time_of(value['at']), value['zone'])}"
        case Kind.DATES:
            return "\n".join(said_day(date.fromisoformat(day)) for day in value)
        case Kind.MONEY:
            return f"{value['currency']} {Decimal(value['amount']):,}"
        case Kind.PERCENT:
            return f"{value} %"
        case Kind.CONTACT:
            return "\n".join(value[part] for part in PARTS if value.get(part))
        case _:
            return str(value)
