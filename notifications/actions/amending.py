"""People who came to a frozen list, or changed on it: they alone are asked about, and wait until somebody says yes."""

from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.languages import language_name
from notifications import amendments, delivery, tasks
from notifications.authorship import authors_of, why_not
from notifications.locked import lock, refuse_difference, typed, which
from notifications.models import Amendment, Edition

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Edition.State
AMENDABLE = {State.APPROVED, State.SENDING, State.PAUSED}
NOBODY = "Nobody came to the list since it was frozen, and nobody on it changed. Nothing was asked."


@action("notifications.write_notice")
def ask_amendment(edition: Edition, *, by: "User", expected_version: int | None = None) -> Amendment:
    """Puts them on the list, each row blocked, and asks somebody else. Nobody gets a second delivery by it."""
    locked = lock(edition, AMENDABLE, "amended", expected_version)
    if locked.amendments.waiting().exists():
        raise ValidationError("An amendment waits for approval already. Once it is decided, ask about the next.")
    refuse_difference(locked, "asked")
    found = amendments.find(locked)
    if not (found.added or found.changed):
        raise ValidationError(NOBODY)
    amendment = Amendment(
        edition=locked,
        rows_root=found.root,
        added=len(found.added),
        changed=len(found.changed),
        asked_by=by,
        asked_at=timezone.now(),
    )
    amendment.digest = amendments.digest_of(amendment)
    amendment.save(force_insert=True)
    amendments.put_on_the_list(amendment, found)
    if not amendments.holds(amendment):
        raise ValidationError("Somebody's row changed in this very moment. Nothing was asked: ask again.")
    record("edition.amendment_asked", by=by, **_said(amendment))
    _ask(amendment, by)
    return amendment


@action("notifications.approve_edition")
def approve_amendment(amendment: Amendment, *, by: "User") -> Amendment:
    """They are planned like everybody else, due at once. Refused to the one who asked and to every author."""
    locked = _waiting(amendment, AMENDABLE, "approved")
    if locked.asked_by_id == by.pk:
        raise ValidationError("You asked for this, so somebody else must approve it.")
    if reason := why_not(locked.edition, by):
        raise ValidationError(reason)
    if not amendments.holds(locked):
        raise ValidationError("These are not the people that were asked about any more. Refuse it; it is asked anew.")
    locked.approved_by, locked.approved_at = by, timezone.now()
    locked.version += 1
    locked.save()
    amendments.let_go(locked)
    record("edition.amendment_approved", by=by, **_said(locked))
    settle_decisions(on=locked, by=by)
    if locked.edition.state == State.SENDING:
        transaction.on_commit(partial(tasks.ring, locked.edition_id), robust=True)
    return locked


@action("notifications.approve_edition")
def refuse_amendment(amendment: Amendment, *, reason: str, by: "User") -> Amendment:
    """Who was added goes off the list again; who changed stays blocked. Possible at the end of a send too."""
    locked = _waiting(amendment, {*AMENDABLE, State.FINISHED, State.CANCELLED}, "refused")
    if not reason.strip():
        raise ValidationError({"reason": "Say why they are not to be told. Whoever asked reads this first."})
    locked.voided_at = timezone.now()
    locked.version += 1
    locked.save()
    said = _said(locked)
    said.pop("rows_root")
    amendments.take_off(locked)
    record("edition.amendment_refused", by=by, private=typed(reason), **said)
    settle_decisions(on=locked, by=by)
    return locked


def _waiting(amendment: Amendment, states: set[State], done: str) -> Amendment:
    """Locked after its edition, as everybody does it."""
    edition = lock(amendment.edition, states, f"amended: the amendment cannot be {done}", None)
    locked = Amendment.objects.select_for_update().get(pk=amendment.pk)
    if locked.approved_at or locked.voided_at:
        raise ValidationError("This amendment is decided already. Nothing was changed.")
    locked.edition = edition
    return locked


def _said(amendment: Amendment) -> dict[str, Any]:
    return {
        "on": amendment.edition,
        "also": [amendment],
        "batches": [delivery.plan_of(amendment.edition)],
        "added": amendment.added,
        "changed": amendment.changed,
        "digest": bytes(amendment.digest),
        "rows_root": bytes(amendment.rows_root),
        **which(amendment.edition),
    }


def _ask(amendment: Amendment, by: "User") -> None:
    edition = amendment.edition
    reference, language = edition.notice.incident.reference, language_name(edition.language)
    ask_for_decision(
        "notifications.approve_edition",
        on=amendment,
        url=reverse("edition-detail", args=[reference, edition.pk]),
        sentence=f"{reference}: {amendment.added:,} came to a notice in {language}, {amendment.changed:,} changed.",
        excluding=[*authors_of(edition), by],
        by=by,
    )
