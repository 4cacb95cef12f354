"""What a second pair of eyes does: opens what must be seen, says yes, or answers for a yes that is missing."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.languages import language_name
from notifications.authorship import authors_of, why_not
from notifications.locked import digest_in, frozen, lock, refuse_difference, save, which
from notifications.models import Approval, BreakGlass, Edition, Opening
from notifications.renderings import Rendering, kinds_in, renderings_of, shown_as, unopened

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Edition.State
GLASS_NEEDS = 2


@action("notifications.approve_edition")
def open_rendering(edition: Edition, *, rendering: str, by: "User") -> Opening:
    """Notes that this colleague has this before their eyes. Opening it again notes nothing new."""
    locked = lock(edition, {State.IN_REVIEW}, "opened for approval", None)
    if rendering not in locked.renderings:
        raise ValidationError("This is not one of the messages that must be seen of it. Open them from the review.")
    seen = {"digest": locked.digest, "rendering": rendering, "opened_by": by}
    if found := locked.openings.filter(**seen).first():
        return found
    opening = Opening.objects.create(edition=locked, opened_at=timezone.now(), **seen)
    record(
        "edition.opened",
        by=by,
        on=locked,
        also=[opening],
        digest=digest_in(locked),
        shown=shown_as(rendering),
        kinds=kinds_in(rendering),
        **which(locked),
    )
    return opening


@action("notifications.approve_edition")
def approve_edition(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    """Binds this person's yes to exactly what is recomputed now. With the last yes it needs, it is approved."""
    locked = lock(edition, {State.IN_REVIEW}, "approved", expected_version)
    if reason := why_not(locked, by):
        raise ValidationError(reason)
    if locked.approvals.in_force().filter(approver=by).exists():
        raise ValidationError("You approved it already. It needs a second yes, and that must be somebody else's.")
    refuse_difference(locked, "approved")
    _refuse_unopened(renderings_of(locked, by))
    words = {"subject": locked.subject, "body": locked.body}
    given = Approval.objects.create(
        edition=locked, digest=locked.digest, approver=by, approved_at=timezone.now(), **words
    )
    so_far = locked.approvals.in_force().count()
    if so_far >= _needed(locked):
        locked.state = State.APPROVED
    save(locked)
    counted = {"given": so_far, "needed": _needed(locked)}
    digest, said = digest_in(locked), which(locked) | frozen(locked) | counted
    record("edition.approved", by=by, on=locked, also=[given], sha256=digest, **said)
    _ask_or_settle(locked, by)
    return locked


@action("notifications.break_glass")
def break_glass(edition: Edition, *, reason: str, by: "User", expected_version: int | None = None) -> Edition:
    """One of two who answer in writing for sending with one approval of two. The second one makes it approved."""
    locked = lock(edition, {State.IN_REVIEW}, "let go with one approval", expected_version)
    _refuse_glass(locked, by)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it cannot wait for a second approval. It stands in every report."})
    refuse_difference(locked, "approved")
    given = BreakGlass.objects.create(
        edition=locked, digest=locked.digest, reason=reason.strip(), given_by=by, given_at=timezone.now()
    )
    so_far = locked.broken_glass.in_force().count()
    if so_far >= GLASS_NEEDS:
        locked.state = State.APPROVED
    save(locked)
    record(
        "edition.glass_broken",
        by=by,
        on=locked,
        also=[given],
        sha256=digest_in(locked),
        private={"reason": given.reason},
        given=so_far,
        needed=_needed(locked),
        recipients=locked.recipients_count,
        digest=digest_in(locked),
        **which(locked),
    )
    if locked.state == State.APPROVED:
        settle_decisions(on=locked, by=by)
    return locked


def _needed(locked: Edition) -> int:
    return locked.approvers_needed or 1


def _refuse_unopened(renderings: list[Rendering]) -> None:
    if missing := unopened(renderings):
        left = "; ".join(f"“{title}”" for title in missing)
        raise ValidationError(f"Open everything that must be seen first. You have not opened {left}.")


def _refuse_glass(locked: Edition, by: "User") -> None:
    if reason := why_not(locked, by, done="answer for"):
        raise ValidationError(reason)
    approvals = locked.approvals.in_force()
    if _needed(locked) < 2 or not approvals.exists():
        raise ValidationError(
            "The glass is broken only for an edition that needs two approvals and has one. Nothing was changed."
        )
    if approvals.filter(approver=by).exists():
        raise ValidationError("You approved it already, so two others must answer for sending it with one approval.")
    if locked.broken_glass.in_force().filter(given_by=by).exists():
        raise ValidationError("You have answered for it already. A second person must do so too.")


def _ask_or_settle(locked: Edition, by: "User") -> None:
    """Whoever could give the second yes is asked for it; the first approver is not."""
    if locked.state == State.APPROVED:
        settle_decisions(on=locked, by=by)
        return
    reference, language = locked.notice.incident.reference, language_name(locked.language)
    ask_for_decision(
        "notifications.approve_edition",
        on=locked,
        url=reverse("edition-review", args=[reference, locked.pk]),
        sentence=f"{reference}: a notice in {language} to {locked.recipients_count:,} people needs a second approval.",
        excluding=[
            *authors_of(locked),
            *(one.approver for one in locked.approvals.in_force().select_related("approver")),
        ],
        by=by,
    )
