"""stale_answers(): every filing and notice that says a fact as it was and is not any more. Nothing is kept for it.

Counts of people have a list of their own (figures.py). Here are kinds of data, moments, the risk and whatever else an
answer takes from the facts; days and kinds of data in the words of notices; and the days that texts of filings name.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from breachdesk.desk.stale import filings, notices
from breachdesk.desk.stale.before import Stale, before_of
from breachdesk.incidents.models import Incident
from regulators.models import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

__all__ = ["Stale", "not_searched", "stale_answers"]


def stale_answers(incident: Incident, user: "User", now: datetime, *, paper: str = "") -> list[Stale]:
    """Newest first. `paper`: the address of the one that is asked about."""
    before = before_of(incident)
    found: list[Stale] = []
    for filing in Filing.objects.visible_to(user).of(incident).with_case():
        if paper in ("", filing.get_absolute_url()):
            found += filings.stale_in(filing, before, now)
    for edition in notices.editions_of(incident, user):
        if paper in ("", notices.address_of(edition)):
            found += notices.stale_in(edition, before)
    return sorted(found, key=lambda stale: stale.at, reverse=True)


def not_searched(incident: Incident, user: "User") -> list[str]:
    """Languages of the incident's notices in which kinds of data are not looked for."""
    return sorted(set(_other(edition.language for edition in notices.editions_of(incident, user))))


def _other(languages: Iterable[str]) -> Iterable[str]:
    return (language for language in languages if not notices.is_searched(language))
