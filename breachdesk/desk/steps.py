"""What comes next for an incident, in the order of the clock, and who may do it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from breachdesk.accounts.permissions import roles_that_may
from breachdesk.desk.addresses import address_of_edition
from breachdesk.desk.deadlines import Deadline
from breachdesk.desk.templatetags.say import language
from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.catalogue.rules import Recipient

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class Step:
    """What comes next. `url` is empty for a user who may not do it; `who` names the roles that may."""

    title: str
    note: str
    url: str
    who: str


def steps_of(
    incident: Incident, user: "User", people: int | None, editions: list[Edition], deadline: Deadline | None
) -> list[Step]:
    """What this user may do first, then what others must; none for a closed incident."""
    if incident.status == Incident.Status.CLOSED:
        return []
    wanted = [*_report(deadline), *_people(incident, people), *_notices(incident, editions)]
    steps = [
        Step(title, note, url if user.has_perm(permission) else "", roles_that_may(permission))
        for title, note, permission, url in wanted
    ]
    return sorted(steps, key=lambda step: not step.url)


Wanted = list[tuple[str, str, str, str]]


def _report(deadline: Deadline | None) -> Wanted:
    """Nothing for the people: their notices have steps of their own."""
    if deadline is None or deadline.first.tells == Recipient.PEOPLE:
        return []
    first = deadline.first
    to = f"To the {first.short}" if first.is_report and first.short else first.whom
    return [(deadline.step.do, f"{to}. {deadline.state}.", deadline.step.needs, deadline.url)]


def _people(incident: Incident, people: int | None) -> Wanted:
    if people is not None:
        return []
    url = reverse("people", args=[incident.reference])
    return [("Load the affected people", "From the file you were given.", "people.load_people", url)]


def _notices(incident: Incident, editions: list[Edition]) -> Wanted:
    if not editions:
        url = reverse("notice-list", args=[incident.reference])
        return [("Write the notice", "A second person must approve it.", "notifications.write_notice", url)]
    return [
        (f"{verb}: {name_of(edition)}", note, permission, address_of_edition(incident, edition))
        for edition in editions
        for verb, note, permission in EDITION_STEPS.get(Edition.State(edition.state), [])
    ]


def name_of(edition: Edition) -> str:
    return f"{edition.notice.title}, {language(edition.language)}"


EDITION_STEPS = {
    Edition.State.DRAFT: [("Finish the draft", "Nobody was asked yet.", "notifications.write_notice")],
    Edition.State.IN_REVIEW: [("Read and decide", "Nobody is told until you do.", "notifications.approve_edition")],
    Edition.State.APPROVED: [("Start sending", "Approved, not started.", "notifications.send_edition")],
    Edition.State.PAUSED: [("Resume or cancel", "Paused half-way.", "notifications.send_edition")],
}
