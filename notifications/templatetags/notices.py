"""How an edition's state and text look, the same on every screen."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.utils import translation
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localdate

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from breachdesk.people.countries import country_name
from notifications.amendments import Since, since
from notifications.audience import suggested_audience
from notifications.audience_words import sentence_of
from notifications.authorship import authors_of
from notifications.commenting import Read, read
from notifications.models import Amendment, Approval, BreakGlass, Edition, Notice
from notifications.placeholders import COVERS, normal_name
from notifications.readership import Readership, names_in, readership_of
from notifications.segments import Segments, segments_of
from notifications.starters import Starter

register = template.Library()
BRACKETS = re.compile(r"\(\(([^()\n]*)\)\)")

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


@dataclass(frozen=True)
class Eyes:
    """Who wrote, approved or answered for an edition, and how many approvals it still waits for."""

    authors: list[User]
    others: list[User]
    approvals: list[Approval]
    glass: list[BreakGlass]
    missing: int


@register.simple_tag
def eyes(edition: Edition) -> Eyes:
    authors = [row.author for row in edition.authors.select_related("author").order_by("author__name")]
    approvals = list(edition.approvals.in_force().select_related("approver").order_by("approved_at"))
    glass = list(edition.broken_glass.in_force().select_related("given_by").order_by("given_at"))
    others = [user for user in authors_of(edition) if user not in authors]
    waits = edition.state == Edition.State.IN_REVIEW
    return Eyes(authors, others, approvals, glass, (edition.approvers_needed or 1) - len(approvals) if waits else 0)


@dataclass(frozen=True)
class CameSince:
    """What an edition's page says of its list: how many came or changed, and what waits for a yes."""

    waiting: Amendment | None
    found: Since
    is_over: bool


@register.simple_tag
def came_since(edition: Edition) -> CameSince:
    if edition.recipients_count is None or edition.state == Edition.State.CANCELLED:
        return CameSince(None, Since(0, 0), is_over=True)
    waiting = edition.amendments.waiting().select_related("asked_by").first()
    return CameSince(waiting, since(edition), edition.state == Edition.State.FINISHED)


@register.simple_tag
def words_of(edition: Edition) -> Read:
    """The text by paragraphs, with what was said of it."""
    return read(edition)


@register.simple_tag
def segments(edition: Edition) -> Segments:
    """Groups of alike people; counted only where a page offers to show one of each."""
    return segments_of(edition)


@register.simple_tag
def readership(notice: Notice) -> Readership:
    """Whom a notice is for, in a sentence and in numbers, remembered until something happens in the case."""
    return readership_of(notice)


@register.simple_tag
def suggested(starter: Starter, incident: Incident) -> str:
    """Whom a notice that begins with it is for, in a sentence; empty for everybody."""
    audience = suggested_audience(starter.key, incident)
    said = sentence_of(audience, names_in(audience, incident))
    return "" if audience.is_everybody else said[0].lower() + said[1:]


@register.simple_tag
def waiting_for(readers: Readership, edition: Edition) -> int:
    return readers.waiting_for(edition.language)


@register.filter
def people(number: int | None) -> str:
    """1 person; 5,000 people."""
    return "not known" if number is None else f"{number:,} {'person' if number == 1 else 'people'}"


@register.filter
def public_day(moment: datetime | None, language: str) -> str:
    """27 September 2025, as the language writes it."""
    with translation.override({"en": "en-gb"}.get(language, language)):
        written = "j F Y" if language == "en" else "DATE_FORMAT"  # British English would shorten the month
        return date_format(localdate(moment), written) if moment else ""


@register.filter
def marked(text: str, known: Collection[str]) -> SafeString:
    """The text with its ((fields)) marked, as app.js marks them again while somebody types."""
    parts, end = [], 0
    for found in BRACKETS.finditer(text):
        name = normal_name(re.split(r"\||\?\?", found[1])[0])
        look = "cover" if name.startswith(COVERS) else "" if name in known else "bad"
        parts.append((text[end : found.start()], look, found[0]))
        end = found.end()
    return format_html("{}{}", format_html_join("", '{}<mark class="{}">{}</mark>', parts), text[end:] + "\n")


@register.filter
def first_sentence_bold(text: str) -> SafeString:
    """What is wrong stands out; what to do follows in plain."""
    first, stop, rest = text.partition(". ")
    return format_html("<b>{}</b> {}", f"{first}." if stop else first, rest)


@register.filter
def slice_items(items: Iterable[Any], number: int) -> list[Any]:
    return list(items)[:number]


@register.filter
def country_rows(rows: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """(country code, number) with the country's name."""
    return [(country_name(code) if code else "Not given", number) for code, number in rows]
