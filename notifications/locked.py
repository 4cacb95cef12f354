"""What all actions on an edition share: its lock, its way back to a draft, and what an event says of it."""

from functools import partial
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from breachdesk.accounts.decisions import settle_decisions
from breachdesk.accounts.models import User
from breachdesk.incidents.locking import refuse_closed
from breachdesk.people.languages import language_name
from notifications import amendments, delivery, tasks
from notifications.authorship import why_not
from notifications.editions import the_organisation
from notifications.freezing import is_as_approved, recipients_of_plan
from notifications.models import Amendment, Approval, BreakGlass, Edition, Override

Given = TypeVar("Given", Approval, Override, BreakGlass, Amendment)
State = Edition.State
STILL_WRITABLE = {State.DRAFT, State.IN_REVIEW, State.APPROVED}
STARTED = {State.SENDING, State.PAUSED}


def lock(
    edition: Edition, states: set[State], done: str, expected_version: int | None, *, even_closed: bool = False
) -> Edition:
    locked = Edition.objects.select_related("notice__incident").select_for_update(of=("self",)).get(pk=edition.pk)
    # Who waited here may have waited for a change of the audience, and the row above was read before.
    locked.notice.refresh_from_db(fields=["audience", "fallback"])
    name = f"The {language_name(locked.language)} edition"
    if locked.state not in states:
        state = locked.get_state_display().lower()
        raise ValidationError(f"{name} cannot be {done}: it is “{state}” now. Nothing was changed.")
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError(
            f"{name} was changed by somebody else since you opened it. Nothing was changed: read it again, then decide."
        )
    if not even_closed:
        refuse_closed(locked.notice.incident)
    return locked


def save(locked: Edition) -> None:
    locked.version += 1
    locked.save()


def open_the_gate(locked: Edition) -> None:
    """It is sent from now on, in an epoch of its own; the workers are rung after the commit."""
    locked.state = State.SENDING
    locked.epoch += 1
    save(locked)
    transaction.on_commit(partial(tasks.ring, locked.pk), robust=True)


def void(given: "QuerySet[Given]") -> "list[Given]":
    """What was given for words that are no more."""
    voided = list(given)
    for one in voided:
        one.voided_at, one.version = timezone.now(), one.version + 1
        one.save(update_fields=["voided_at", "version"])
    return voided


def back_to_draft(locked: Edition) -> dict[str, Any]:
    """Whoever said yes said it to something else: approvals are void, the list is free again. What the event names."""
    voided = [*void(locked.approvals.in_force()), *void(locked.broken_glass.in_force())]
    voided += void(locked.amendments.in_force())
    amendments.forget(locked)
    delivery.forget_plan(locked)
    locked.state = State.DRAFT
    locked.digest = locked.recipients_root = locked.recipients_count = locked.approvers_needed = None
    locked.renderings, locked.armed_by, locked.armed_at = [], None, None
    save(locked)
    settle_decisions(on=locked, by=None)
    return {"also": voided, "batches": [delivery.plan_of(locked)]}


def refuse_difference(locked: Edition, done: str) -> None:
    """The digest is computed again from what stands in the database now, never taken from the row."""
    root, count = recipients_of_plan(locked)
    if not is_as_approved(locked, the_organisation(), root, count):
        raise ValidationError(
            "This is not what was submitted any more: the organisation's page, a fact of the incident or the list of "
            f"people has changed. Nothing was {done}. An author takes it back and submits it again."
        )
    _refuse_who_may_no_more(locked, done)
    for amendment in locked.amendments.approved():
        if not amendments.holds(amendment):
            raise ValidationError(
                "The people who came to the list later are not those that were approved. "
                f"Nothing was {done}. An author takes it back and submits it again."
            )


def _refuse_who_may_no_more(locked: Edition, done: str) -> None:
    """A yes counts while whoever gave it may give it."""
    given = [(one.approver, "approve_edition", "approve") for one in _with_names(locked.approvals, "approver")]
    given += [(one.given_by, "break_glass", "answer for") for one in _with_names(locked.broken_glass, "given_by")]
    for user, permission, verb in given:
        may = User.objects.who_may(f"notifications.{permission}").filter(pk=user.pk).exists()
        if not may or why_not(locked, user):
            raise ValidationError(
                f"{user.name} may not {verb} it any more. Nothing was {done}. "
                "An author takes it back and submits it again, and somebody else approves it."
            )


def _with_names(given: Any, who: str) -> list[Any]:
    return list(given.in_force().select_related(who))


def which(edition: Edition) -> dict[str, Any]:
    return {"language": edition.language, "revision": edition.revision}


def frozen(edition: Edition) -> dict[str, Any]:
    return {
        "recipients": edition.recipients_count,
        "recipients_root": bytes(edition.recipients_root or b""),
        "digest": digest_in(edition),
    }


def digest_in(edition: Edition) -> bytes:
    return bytes(edition.digest or b"")


def typed(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}
