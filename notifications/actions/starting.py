"""Starting: at once, or armed to begin by itself at the time of the schedule."""

import logging
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import Error, transaction
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.models import User
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.languages import language_name
from notifications.delivery import now_of_database
from notifications.locked import digest_in, lock, open_the_gate, refuse_difference, save, which
from notifications.models import Edition
from notifications.schedule import Schedule

logger = logging.getLogger(__name__)
State = Edition.State
SEND = "notifications.send_edition"


@action(SEND)
def start_edition(edition: Edition, *, by: User, expected_version: int | None = None) -> Edition:
    """Checks the approved digest once more and rings the workers; before the time of its schedule, arms it.

    A lost ring only costs time: the sweeper rings.
    """
    locked = lock(edition, {State.APPROVED}, "started", expected_version)
    if locked.armed_at:
        raise ValidationError("It starts by itself already. Take that back first if it must not wait.")
    refuse_difference(locked, "sent")
    schedule = Schedule.from_json(locked.schedule)
    settle_decisions(on=locked, by=by)
    if schedule.start_at and schedule.start_at > now_of_database():
        return _arm(locked, schedule, by)
    return _start(locked, by)


@action(SEND)
def disarm_edition(edition: Edition, *, by: User, expected_version: int | None = None) -> Edition:
    """It stays approved, and starts only when somebody starts it."""
    locked = lock(edition, {State.APPROVED}, "disarmed", expected_version, even_closed=True)
    if locked.armed_at is None:
        raise ValidationError("It does not start by itself, so there is nothing to take back.")
    locked.armed_by = locked.armed_at = None
    save(locked)
    record("edition.disarmed", by=by, on=locked, **which(locked))
    return locked


def start_due_editions() -> list[UUID]:
    """Starts what was armed and whose time has come; what is too late, or is not what was approved, is disarmed.

    Called by the sweeper, by nobody's hand. Which these are is asked of the database's clock.
    """
    started = []
    for edition in Edition.objects.armed():
        schedule = Schedule.from_json(edition.schedule)
        if schedule.start_at is None or schedule.start_at > now_of_database():
            continue
        try:
            with transaction.atomic():
                started += [edition.pk] if _start_or_miss(edition, schedule) else []
        except (ValidationError, Error):  # taken back or changed at the same moment: the next look sees how it stands
            logger.exception("Edition %s could not be started by itself.", edition.pk)
    return started


def _start_or_miss(edition: Edition, schedule: Schedule) -> bool:
    locked = lock(edition, {State.APPROVED}, "started", edition.version)
    if schedule.latest_start and now_of_database() > schedule.latest_start:
        return _miss(locked, schedule, "late")
    try:
        refuse_difference(locked, "sent")
    except ValidationError:
        return _miss(locked, schedule, "changed_since_approval")
    _start(locked, None)
    return True


def _arm(locked: Edition, schedule: Schedule, by: User) -> Edition:
    locked.armed_by, locked.armed_at = by, timezone.now()
    save(locked)
    record(
        "edition.armed",
        by=by,
        on=locked,
        start_at=schedule.start_at,
        zone=schedule.zone,
        late_after=schedule.late_after,
        **which(locked),
    )
    return locked


def _miss(locked: Edition, schedule: Schedule, why: str) -> bool:
    """It is never started late by itself: whoever may send is asked."""
    locked.armed_by = locked.armed_at = None
    save(locked)
    record(
        "edition.schedule_missed",
        by=None,
        on=locked,
        why=why,
        start_at=schedule.start_at,
        late_after=schedule.late_after,
        **which(locked),
    )
    incident = locked.notice.incident
    what = "was not started in time" if why == "late" else "is not what was approved any more and was not started"
    ask_for_decision(
        SEND,
        on=locked,
        url=reverse("edition-detail", args=[incident.reference, locked.pk]),
        sentence=f"{incident.reference}: a notice in {language_name(locked.language)} {what}. Please decide.",
        by=None,
    )
    return False


def _start(locked: Edition, by: User | None) -> Edition:
    """`by` is None for the time of the schedule; then whoever armed it is named."""
    locked.started_by, locked.started_at = by, timezone.now()
    armed_by: dict[str, Any] = {} if by else {"armed_by": locked.armed_by_id}
    open_the_gate(locked)
    record(
        "edition.started",
        by=by,
        on=locked,
        sha256=digest_in(locked),
        recipients=locked.recipients_count,
        digest=digest_in(locked),
        epoch=locked.epoch,
        **which(locked),
        **armed_by,
    )
    return locked
