"""What an incident obliges us to do, to whom and by which rule, with how far we are."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from breachdesk.desk.addresses import address_of_filing
from breachdesk.desk.deadlines import urgency_of
from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.due_dates import HOME, home_due_at
from regulators.listing import name_of
from regulators.models import Filing
from regulators.obligations import Verdict
from regulators.standing import Duty, Progress, Standing


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
    urgency: str = "calm"


NEAREST = 6


@dataclass(frozen=True)
class Duties:
    """What the laws of every place make of the case: the nearest few, and how many there are."""

    nearest: list[Owed]
    owed: int
    met: int
    undecided: int


def duties_in(standing: Standing, incident: Incident) -> Duties | None:
    """None while nobody has said where we are established: no law is certain then, and the page counts down at home."""
    if standing.facts.established_in is None:
        return None
    is_open = incident.status == Incident.Status.OPEN
    nearest = sorted((duty for duty in standing.duties if duty.is_open and duty.is_ours), key=_order)[:NEAREST]
    next_one = next((duty for duty in nearest if is_open and duty.due.at and _is_certain(duty)), None)
    rows = [_row(duty, incident, standing.now, is_next=duty is next_one) for duty in nearest]
    met = sum(duty.met_at is not None for duty in standing.owed)
    return Duties(rows, len(standing.owed), met, len(standing.undecided))


def _order(duty: Duty) -> tuple[bool, bool, float, bool]:
    """What is owed for certain first, then by its end; of the same end, the home authority first."""
    at = duty.due.at
    return not _is_certain(duty), at is None, at.timestamp() if at else 0, duty.obligation.regime.id != HOME


def _is_certain(duty: Duty) -> bool:
    return duty.obligation.verdict == Verdict.OWED


def _row(duty: Duty, incident: Incident, now: datetime, *, is_next: bool) -> Owed:
    one = duty.obligation
    whom = one.supervisor.short_name if one.supervisor else duty.whom
    urgency = duty.urgency(now)
    return Owed(
        f"{whom}, {name_of(one.place or one.regime.name)}",
        reverse("duty", args=[incident.reference, duty.key]),
        _state_of(duty, urgency),
        one.duty.article,
        duty.due.at,
        "No date: its start is not stated" if duty.due.missing else "Without delay",
        is_next,
        urgency,
    )


def _state_of(duty: Duty, urgency: str) -> State:
    if not _is_certain(duty):
        return State("circle-dashed", "Undecided", "soon")
    if urgency == "over":
        return State("stop", "Overdue", "alarm")
    begun = duty.progress == Progress.BEGUN
    return State("pencil-line", "Begun", "soon") if begun else State("circle-dot", "Not begun", "act")


EDITION_STATES = {
    Edition.State.SENDING: State("loader-circle", "Being sent", "act"),
    Edition.State.PAUSED: State("pause", "Paused half-way", "soon"),
    Edition.State.IN_REVIEW: State("hourglass", "Waiting for approval", "soon"),
    Edition.State.APPROVED: State("circle-dot", "Approved, not started", "soon"),
    Edition.State.DRAFT: State("pencil-line", "Being written", "soon"),
    Edition.State.FINISHED: State("circle-check", "Sent", "good"),
}


def owed_to_authority(incident: Incident, filing: Filing | None, now: datetime) -> Owed:
    if incident.our_role == Incident.Role.PROCESSOR:
        state = State("arrow-right", "Tell the controller", "soon")
        return Owed("The controller", "", state, "UK GDPR Art 33(2)", due_note="Without undue delay")
    url = address_of_filing(incident, filing)
    due = home_due_at(incident)
    is_open = incident.status == Incident.Status.OPEN and not (filing and filing.is_reported)
    urgency = urgency_of(due, now) if is_open else "calm"
    state = _filing_state(filing, urgency, is_open=is_open)
    return Owed("ICO, United Kingdom", url, state, "UK GDPR Art 33(1)", due, is_next=is_open, urgency=urgency)


def _filing_state(filing: Filing | None, urgency: str, *, is_open: bool) -> State:
    if urgency == "over":
        return State("stop", "Overdue", "alarm")
    if filing is None:
        return State("circle-dashed", "Not begun", "soon" if is_open else "")
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
