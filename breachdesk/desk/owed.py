"""What an incident obliges us to do, to whom and by which rule, with how far we are."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from breachdesk.desk.addresses import address_of_filing
from breachdesk.desk.deadlines import Deadline
from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.due_dates import home_due_at
from regulators.models import Filing


@dataclass(frozen=True)
class State:
    """Shape, word, colour, in that order."""

    icon: str
    label: str
    tone: str = ""


@dataclass(frozen=True)
class Owed:
    """One duty: to whom, how it stands, by when and by which rule."""

    to: str
    url: str
    state: State
    basis: str
    due: datetime | None = None
    due_note: str = ""
    is_next: bool = False


EDITION_STATES = {
    Edition.State.SENDING: State("loader-circle", "Being sent", "act"),
    Edition.State.PAUSED: State("pause", "Paused half-way", "soon"),
    Edition.State.IN_REVIEW: State("hourglass", "Waiting for approval", "soon"),
    Edition.State.APPROVED: State("circle-dot", "Approved, not started", "soon"),
    Edition.State.DRAFT: State("pencil-line", "Being written", "soon"),
    Edition.State.FINISHED: State("circle-check", "Sent", "good"),
}


def owed_to_authority(incident: Incident, filing: Filing | None, deadline: Deadline | None) -> Owed:
    if incident.our_role == Incident.Role.PROCESSOR:
        state = State("arrow-right", "Tell the controller", "soon")
        return Owed("The controller", "", state, "UK GDPR Art 33(2)", due_note="Without undue delay")
    url = address_of_filing(incident, filing)
    due = home_due_at(incident)
    state = _filing_state(filing, deadline)
    return Owed("ICO, United Kingdom", url, state, "UK GDPR Art 33(1)", due, is_next=deadline is not None)


def _filing_state(filing: Filing | None, deadline: Deadline | None) -> State:
    if deadline and deadline.urgency == "over":
        return State("stop", "Overdue", "alarm")
    if filing is None:
        return State("circle-dashed", "Not begun", "soon" if deadline else "")
    return {
        Filing.State.DRAFT: State("pencil-line", "Being drafted", "soon"),
        Filing.State.IN_REVIEW: State("hourglass", "Waiting for sign-off", "soon"),
        Filing.State.SIGNED_OFF: State("signature", "Signed off, not submitted", "soon"),
        Filing.State.SUBMITTED: State("circle-check", "Submitted", "good"),
    }[Filing.State(filing.state)]


def owed_to_people(incident: Incident, editions: list[Edition]) -> Owed:
    """The edition that is furthest from done speaks for all."""
    states = {edition.state for edition in editions}
    state = next((shown for key, shown in EDITION_STATES.items() if key in states), None)
    url = reverse("notice-list", args=[incident.reference])
    shown = state or State("circle-dashed", "No notice yet")
    note = "Without undue delay, if the risk to them is high"
    return Owed("The people affected", url, shown, "UK GDPR Art 34", due_note=note)
