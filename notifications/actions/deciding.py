"""From a draft to a question, and back. The yes is in approving.py."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.languages import language_name
from notifications import delivery
from notifications.authorship import authors_of
from notifications.checking import NOBODY, check, refuse_what_cannot_be_sent
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import digest_of, recipients_of_plan
from notifications.genuine import published_of
from notifications.lint import Finding
from notifications.locked import back_to_draft, digest_in, frozen, lock, save, typed, which
from notifications.models import Edition, Override
from notifications.renderings import required_for
from notifications.wording import text_digest

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Edition.State


@action("notifications.approve_edition")
def overrule_checks(
    edition: Edition, *, checks: Iterable[str], reason: str, by: "User", expected_version: int | None = None
) -> list[Override]:
    """A second person takes the responsibility for failing checks of exactly these words, by the keys of the checks."""
    locked = lock(edition, {State.DRAFT}, "overruled", expected_version)
    if locked.authors.filter(author=by).exists():
        raise ValidationError("You wrote a part of this edition, so somebody else must take the responsibility.")
    if not reason.strip():
        raise ValidationError(
            {"reason": "Say why it may go out all the same. It stands in the trail and in the bundle."}
        )
    found = check(locked, the_organisation(), subject=locked.subject, body=locked.body, fresh=True)
    wanted = set(checks)
    chosen = [fault for fault in found.faults if fault.key in wanted]
    if not chosen:
        raise ValidationError("Choose what you take the responsibility for. None of what was chosen is failing now.")
    given = [_override(locked, fault, reason.strip(), by) for fault in {fault.key: fault for fault in chosen}.values()]
    record(
        "edition.overruled",
        by=by,
        on=locked,
        also=given,
        private={"reason": reason.strip(), "what": " ".join(fault.sentence for fault in chosen)},
        checks=len(given),
        sha256=bytes(given[0].text_sha256),
        **which(locked),
    )
    return given


@action("notifications.write_notice")
def submit_for_review(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    """Freezes text and list, and asks somebody who wrote none of it. Refused while one message could not be made."""
    locked = lock(edition, {State.DRAFT}, "submitted", expected_version)
    organisation = the_organisation()
    refuse_what_cannot_be_sent(locked, organisation)
    delivery.plan_deliveries(locked)
    locked.recipients_root, locked.recipients_count = recipients_of_plan(locked)
    if not locked.recipients_count:
        raise ValidationError(NOBODY)
    locked.approvers_needed, locked.renderings = organisation.approvers_needed, required_for(locked)
    locked.digest = digest_of(locked, organisation, locked.recipients_root, locked.recipients_count)
    locked.published = published_of(skeleton_of(locked, organisation))
    locked.state, locked.submitted_by, locked.submitted_at = State.IN_REVIEW, by, timezone.now()
    save(locked)
    record(
        "edition.submitted",
        by=by,
        on=locked,
        batches=[delivery.plan_of(locked)],
        sha256=digest_in(locked),
        **which(locked),
        **frozen(locked),
    )
    ask_for_decision(
        "notifications.approve_edition",
        on=locked,
        url=reverse("edition-review", args=[locked.notice.incident.reference, locked.pk]),
        sentence=_asked_sentence(locked),
        excluding=authors_of(locked),
        by=by,
    )
    return locked


@action("notifications.write_notice")
def withdraw(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> Edition:
    """An author takes the edition back to go on writing; an approval it had is void."""
    locked = lock(edition, {State.IN_REVIEW, State.APPROVED}, "taken back", expected_version)
    names = back_to_draft(locked)
    record("edition.withdrawn", by=by, on=locked, private=typed(reason), **names, **which(locked))
    return locked


@action("notifications.approve_edition")
def reject_edition(edition: Edition, *, reason: str, by: "User", expected_version: int | None = None) -> Edition:
    locked = lock(edition, {State.IN_REVIEW}, "sent back", expected_version)
    if not reason.strip():
        raise ValidationError({"reason": "Say what must change. The author reads this first."})
    digest = digest_in(locked)
    names = back_to_draft(locked)
    record("edition.rejected", by=by, on=locked, private=typed(reason), digest=digest, **names, **which(locked))
    return locked


def _override(locked: Edition, fault: Finding, reason: str, by: "User") -> Override:
    digest = text_digest(locked.subject, locked.body)
    said = {"check_key": fault.key, "sentence": fault.sentence[:600], "reason": reason, "text_sha256": digest}
    return Override.objects.create(edition=locked, given_by=by, given_at=timezone.now(), **said)


def _asked_sentence(edition: Edition) -> str:
    reference, language = edition.notice.incident.reference, language_name(edition.language)
    return f"{reference}: a notice in {language} to {edition.recipients_count:,} people waits for approval."
