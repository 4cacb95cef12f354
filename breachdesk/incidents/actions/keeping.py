"""How long personal data is kept, legal holds, and the two people it takes to destroy it."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import OPERATOR, action
from breachdesk.audit.record import record
from breachdesk.incidents.models import Destruction, DestructionQuerySet, Incident, LegalHold, Retention
from breachdesk.incidents.retention import Keeping, keeping_of, refuse_destroying
from breachdesk.incidents.sealed_parts import counts_of, parts_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State, What = Destruction.State, Destruction.What
LAPSES_AFTER = timedelta(days=14)
LONGEST = timedelta(days=50 * 366)
PHRASES = {What.DATA: "personal_data", What.INDEX: "index_of_addresses"}


@action("incidents.set_retention")
def set_retention(incident: Incident, *, delete_on: date, index_until: date, reason: str, by: "User") -> Retention:
    """Chooses the case's two dates anew; the old ones stay in the trail."""
    incident = _lock(incident)
    keeping = keeping_of(incident)
    _check_dates(keeping, delete_on, index_until)
    reason = _reason(reason, "Say why: an auditor will ask why it was kept so long, or no longer.")
    chosen = keeping.chosen or Retention(incident=incident, version=0)
    chosen.delete_on, chosen.index_until, chosen.reason = delete_on, index_until, reason
    chosen.set_by, chosen.set_at, chosen.version = by, timezone.now(), chosen.version + 1
    chosen.save()
    record(
        "retention.set",
        by=by,
        on=chosen,
        incident=incident.pk,
        private={"reason": reason},
        delete_on=delete_on.isoformat(),
        index_until=index_until.isoformat(),
    )
    return chosen


def _check_dates(keeping: Keeping, delete_on: date, index_until: date) -> None:
    today = timezone.localdate()
    if keeping.index_destroyed_at:
        raise ValidationError("Both keys of this case are destroyed: there is nothing left to keep.")
    if keeping.data_destroyed_at and delete_on != keeping.delete_on:
        raise ValidationError({"delete_on": "The personal data is destroyed already: this day can no longer change."})
    if delete_on < today and delete_on != keeping.delete_on:
        raise ValidationError({"delete_on": "This day has passed. Choose today or a later day."})
    if index_until < max(delete_on, today) and index_until != keeping.index_until:
        raise ValidationError({"index_until": "The index lives as long as the data or longer. Choose a later day."})
    if index_until < delete_on:
        raise ValidationError({"index_until": "The index lives as long as the data or longer. Choose a later day."})
    if index_until > today + LONGEST:
        raise ValidationError({"index_until": "That is more than 50 years away. Check the year."})


@action("incidents.set_retention")
def hold_incident(incident: Incident, *, reason: str, by: "User") -> LegalHold:
    """Nothing of the case is destroyed until the hold is lifted; a request that is under way ends."""
    incident = _lock(incident)
    keeping = keeping_of(incident)
    reason = _reason(reason, "Say which dispute or order demands it.")
    if keeping.hold:
        raise ValidationError(f"There is a legal hold on {incident.reference} already.")
    if keeping.index_destroyed_at:
        raise ValidationError("Both keys of this case are destroyed: there is nothing left to hold.")
    _end_requests(incident, by=by)
    hold = LegalHold.objects.create(incident=incident, reason=reason, set_by=by, set_at=timezone.now())
    record("retention.held", by=by, on=hold, incident=incident.pk, private={"reason": reason})
    return hold


def _end_requests(incident: Incident, *, by: "User") -> None:
    """The eraser locks the request it carries out: so it is either done by now, or ends here."""
    for request in Destruction.objects.select_for_update().of(incident).in_work():
        _end(request, State.WITHDRAWN, by=by, event="destruction.withdrawn")


@action("incidents.set_retention")
def release_incident(incident: Incident, *, reason: str, by: "User") -> LegalHold:
    incident = _lock(incident)
    reason = _reason(reason, "Say why nothing has to be held any more.")
    hold = LegalHold.objects.select_for_update().filter(incident=incident, released_at=None).first()
    if hold is None:
        raise ValidationError(f"There is no legal hold on {incident.reference}.")
    hold.release_reason, hold.released_by, hold.released_at = reason, by, timezone.now()
    hold.version += 1
    hold.save()
    record("retention.released", by=by, on=hold, incident=incident.pk, private={"reason": reason})
    return hold


@action("incidents.ask_destruction")
def ask_destruction(incident: Incident, *, what: str, reason: str, by: "User") -> Destruction:
    """Somebody else confirms it within 14 days, or it lapses."""
    incident, now = _lock(incident), timezone.now()
    _lapse(Destruction.objects.of(incident).lapsed_at(now))
    reason = _reason(reason, "Say why it is destroyed now.")
    refuse_destroying(incident, what)
    if Destruction.objects.of(incident).in_work().exists():
        raise ValidationError(f"It was asked already to destroy something of {incident.reference}. Decide that first.")
    request = Destruction.objects.create(
        incident=incident,
        what=what,
        reason=reason,
        asked_by=by,
        asked_at=now,
        lapses_at=now + LAPSES_AFTER,
        counts=counts_of(parts_of(incident)) if what == What.DATA else {},
    )
    _record("destruction.asked", request, by=by, private={"reason": reason}, lapses_at=request.lapses_at)
    ask_for_decision(
        "incidents.confirm_destruction",
        on=request,
        url=reverse("destruction-decide", args=[incident.reference, request.pk]),
        sentence=f"{incident.reference}: {_sentence(request)} Confirm or refuse it.",
        by=by,
        excluding=[by],
    )
    return request


def _sentence(request: Destruction) -> str:
    if request.is_of_data:
        return "somebody asks to destroy the case's personal data for ever."
    return "somebody asks to destroy the index that tells whether an address was written to."


@action("incidents.confirm_destruction")
def confirm_destruction(request: Destruction, *, by: "User") -> Destruction:
    """The eraser carries it out, not before BREACHDESK_DESTRUCTION_WAIT hours from now."""
    request, now = _lock_request(request), timezone.now()
    if request.asked_by_id == by.pk:
        raise ValidationError("You asked for this. Somebody else must confirm it.")
    if request.state != State.ASKED or request.lapses_at <= now:
        raise ValidationError("This request is decided, or its 14 days are over. Nothing was changed.")
    refuse_destroying(request.incident, request.what)
    request.state, request.decided_by, request.decided_at = State.CONFIRMED, by, now
    request.not_before = now + timedelta(hours=settings.BREACHDESK.destruction_wait)
    request.lapses_at = request.not_before + LAPSES_AFTER
    request.counts = counts_of(parts_of(request.incident)) if request.is_of_data else {}
    request.version += 1
    request.save()
    _record("destruction.confirmed", request, by=by, not_before=request.not_before)
    settle_decisions(on=request, by=by)
    return request


@action("incidents.confirm_destruction")
def refuse_destruction(request: Destruction, *, reason: str, by: "User") -> Destruction:
    """Also after it was confirmed, until it is carried out."""
    request = _lock_request(request)
    reason = _reason(reason, "Say why not.")
    if request.asked_by_id == by.pk:
        raise ValidationError("You asked for this. Withdraw it instead.")
    _refuse_ended(request)
    request.refusal, request.decided_by, request.decided_at = reason, by, timezone.now()
    return _end(request, State.REFUSED, by=by, event="destruction.refused", private={"reason": reason})


@action("incidents.ask_destruction")
def withdraw_destruction(request: Destruction, *, by: "User") -> Destruction:
    """Also after it was confirmed, until it is carried out."""
    request = _lock_request(request)
    _refuse_ended(request)
    return _end(request, State.WITHDRAWN, by=by, event="destruction.withdrawn")


@action(OPERATOR)
def lapse_requests(*, at: datetime, by: None) -> int:
    """Those that nobody confirmed, or nobody could carry out, in their time. Returns how many."""
    return _lapse(Destruction.objects.lapsed_at(at))


def _lapse(overdue: DestructionQuerySet) -> int:
    requests = list(overdue.select_for_update())
    for request in requests:
        _end(request, State.LAPSED, by=None, event="destruction.lapsed")
    return len(requests)


def _lock(incident: Incident) -> Incident:
    """Whoever holds, asks or chooses dates comes one after the other."""
    return Incident.objects.select_for_update().get(pk=incident.pk)


def _lock_request(request: Destruction) -> Destruction:
    _lock(request.incident)
    return Destruction.objects.select_for_update(of=["self"]).select_related("incident").get(pk=request.pk)


def _refuse_ended(request: Destruction) -> None:
    if not request.is_in_work:
        raise ValidationError(f"This request is {request.get_state_display().lower()} already. Nothing was changed.")


def _end(
    request: Destruction, state: str, *, by: "User | None", event: str, private: dict[str, str] | None = None
) -> Destruction:
    request.state = state
    request.version += 1
    request.save()
    record(event, by=by, on=request, incident=request.incident_id, private=private, what=PHRASES[What(request.what)])
    settle_decisions(on=request, by=by)
    return request


def _record(
    event: str, request: Destruction, *, by: "User", private: dict[str, str] | None = None, **moments: Any
) -> None:
    record(
        event,
        by=by,
        on=request,
        incident=request.incident_id,
        private=private,
        what=PHRASES[What(request.what)],
        **request.counts,
        **moments,
    )


def _reason(typed: str, demand: str) -> str:
    if not typed.strip():
        raise ValidationError({"reason": demand})
    return typed.strip()
