"""What people decide about unknown and stopped deliveries: by a rule, about exactly the rows that they saw."""

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.people.languages import language_name
from notifications import delivery, replanning, tasks
from notifications.actions.reopening import reopen_if_finished
from notifications.locked import STARTED, lock, refuse_difference, which
from notifications.models import DeliveryDecision, Edition
from notifications.unknowns import BLOCKED, Chosen, Rule, asked_about, chosen_by, silence_hours, waiting_question

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State, Kind = Edition.State, DeliveryDecision.Kind
GOES_ON = {*STARTED, State.FINISHED}
STARTED_ONCE = {*GOES_ON, State.CANCELLED}
NO_REASON = "Say why. It stands in the trail, and the next person reads it first."
OTHERS = "These are not the people you saw: {number} now. Nothing was decided. Look at the list again."


@action("notifications.close_unknown")
def take_as_sent(
    edition: Edition,
    *,
    rule: Rule,
    rows_root: bytes,
    reason: str,
    by: "User",
    expected_version: int | None = None,
) -> DeliveryDecision:
    """Nobody hears of it again from us. Of what was stopped only what something says was sent."""
    locked, chosen = _chosen(edition, STARTED_ONCE, "decided about", rule, rows_root, reason, expected_version)
    if rule.of == BLOCKED and chosen.told < len(chosen.rows):
        raise ValidationError("Of these nothing says that they were sent. Try them again, or give them up.")
    _refuse_asked_about(locked, chosen)
    return _decide(locked, Kind.ASSUME_SENT, chosen, reason, by)


@action("notifications.resend_unknown")
def ask_resend(
    edition: Edition,
    *,
    rule: Rule,
    rows_root: bytes,
    reason: str,
    by: "User",
    expected_version: int | None = None,
) -> DeliveryDecision:
    """Puts exactly these before a second person. Until then nothing is sent."""
    locked, chosen = _chosen(edition, GOES_ON, "sent to anybody again", rule, rows_root, reason, expected_version)
    if waiting_question(locked):
        raise ValidationError("A question about this edition waits already. Once it is decided, ask the next.")
    if chosen.ripe < len(chosen.rows):
        young = len(chosen.rows) - chosen.ripe
        raise ValidationError(
            f"{young:,} of these {len(chosen.rows):,} are younger than {silence_hours()} hours: their outcome may yet "
            "be heard. Nothing was asked. Choose the older ones, or wait."
        )
    decision = _made(locked, Kind.RESEND, chosen, reason, by)
    batches = replanning.put_before_a_second_person(decision, chosen.ids)
    record("delivery.decision_asked", by=by, **_said(locked, decision, rule, batches))
    reference, language = locked.notice.incident.reference, language_name(locked.language)
    ask_for_decision(
        "notifications.resend_unknown",
        on=decision,
        url=reverse("unknown", args=[reference, locked.pk]),
        sentence=f"{reference}: send again to {decision.people:,} people who may have the message, in {language}?",
        excluding=[by],
        by=by,
    )
    return decision


@action("notifications.resend_unknown")
def confirm_resend(
    decision: DeliveryDecision, *, rows_root: bytes, by: "User", expected_version: int | None = None
) -> int:
    """The second yes: those whose outcome is still unknown are planned again. How many."""
    delivery.hold_back_hand_overs(decision.edition_id)
    locked, asked = _waiting(decision, GOES_ON, "sent to anybody again", expected_version)
    if asked.asked_by_id == by.pk:
        raise ValidationError("You asked for this, so somebody else must confirm it.")
    rows, unknown = asked_about(asked)
    root = replanning.root_of_deliveries(rows)
    if not root == bytes(asked.rows_root) == rows_root:
        raise ValidationError("These are not the people that were asked about. Nothing was sent. Ask anew.")
    if not unknown:
        raise ValidationError("The outcome of all of them was heard meanwhile. Nothing is left to send; withdraw it.")
    refuse_difference(locked, "sent")
    asked.confirmed_by, asked.confirmed_at = by, timezone.now()
    asked.version += 1
    asked.save(update_fields=["confirmed_by", "confirmed_at", "version"])
    return _carry_out(locked, asked, unknown, Rule(**asked.rule), by)


@action("notifications.resend_unknown")
def withdraw_resend(decision: DeliveryDecision, *, by: "User", expected_version: int | None = None) -> DeliveryDecision:
    """Whoever asked takes it back, or a second person says no. Nothing was sent, and it may be asked again."""
    locked, asked = _waiting(decision, STARTED_ONCE, "decided about", expected_version)
    asked.voided_at = timezone.now()
    asked.version += 1
    asked.save(update_fields=["voided_at", "version"])
    record("delivery.decision_withdrawn", by=by, on=asked, people=asked.people, kind=asked.kind, **which(locked))
    settle_decisions(on=asked, by=by)
    return asked


@action("notifications.unblock_delivery")
def try_again(
    edition: Edition,
    *,
    rule: Rule,
    rows_root: bytes,
    reason: str,
    by: "User",
    expected_version: int | None = None,
) -> DeliveryDecision:
    """What was stopped is planned again. Refused where something says that it was sent."""
    locked, chosen = _chosen(edition, GOES_ON, "tried again", rule, rows_root, reason, expected_version)
    _refuse_told(chosen)
    refuse_difference(locked, "sent")
    return _decide(locked, Kind.TRY_AGAIN, chosen, reason, by)


@action("notifications.unblock_delivery")
def give_up(
    edition: Edition,
    *,
    rule: Rule,
    rows_root: bytes,
    reason: str,
    by: "User",
    expected_version: int | None = None,
) -> DeliveryDecision:
    """They get nothing by this edition."""
    locked, chosen = _chosen(edition, STARTED_ONCE, "decided about", rule, rows_root, reason, expected_version)
    _refuse_told(chosen)
    return _decide(locked, Kind.GIVE_UP, chosen, reason, by)


def _chosen(
    edition: Edition, states: set[Edition.State], done: str, rule: Rule, seen: bytes, reason: str, version: int | None
) -> tuple[Edition, Chosen]:
    if not reason.strip():
        raise ValidationError({"reason": NO_REASON})
    delivery.hold_back_hand_overs(edition.pk)
    locked = lock(edition, states, done, version, even_closed=states is STARTED_ONCE)
    chosen = chosen_by(locked, rule)
    if chosen.root != seen:
        raise ValidationError(OTHERS.format(number=f"{len(chosen.rows):,}"))
    if not chosen.rows:
        raise ValidationError("Nobody is left of these. Nothing was decided.")
    return locked, chosen


def _refuse_told(chosen: Chosen) -> None:
    if chosen.rule.of != BLOCKED:
        raise ValidationError("Only what was stopped can be tried again or given up. Nothing was decided.")
    if chosen.told:
        raise ValidationError(
            f"Of {chosen.told:,} of these a log or a provider says that they were sent. Take those as sent: nobody "
            "gets a message twice. Nothing was decided."
        )


def _refuse_asked_about(locked: Edition, chosen: Chosen) -> None:
    question = waiting_question(locked)
    asked = sum(row.decision == question.pk for row in chosen.rows) if question else 0
    if asked:
        raise ValidationError(
            f"{asked:,} of these are part of the question whether to send again. Withdraw it first. "
            "Nothing was decided."
        )


def _waiting(
    decision: DeliveryDecision, states: set[Edition.State], done: str, version: int | None
) -> tuple[Edition, DeliveryDecision]:
    """Locked after its edition, as everybody does it."""
    locked = lock(decision.edition, states, done, version, even_closed=states is STARTED_ONCE)
    asked = DeliveryDecision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    if not asked.is_waiting or asked.kind != Kind.RESEND:
        raise ValidationError("This is decided already. Nothing was changed.")
    asked.edition = locked
    return locked, asked


def _made(locked: Edition, kind: DeliveryDecision.Kind, chosen: Chosen, reason: str, by: "User") -> DeliveryDecision:
    now = timezone.now()
    return DeliveryDecision.objects.create(
        edition=locked,
        kind=kind,
        rule=chosen.rule.stated,
        reason=reason.strip(),
        people=len(chosen.rows),
        rows_root=chosen.root,
        asked_by=by,
        asked_at=now,
        confirmed_by=None if kind == Kind.RESEND else by,
        confirmed_at=None if kind == Kind.RESEND else now,
    )


def _decide(locked: Edition, kind: DeliveryDecision.Kind, chosen: Chosen, reason: str, by: "User") -> DeliveryDecision:
    decision = _made(locked, kind, chosen, reason, by)
    _carry_out(locked, decision, chosen.ids, chosen.rule, by)
    return decision


def _carry_out(locked: Edition, decision: DeliveryDecision, rows: list[UUID], rule: Rule, by: "User") -> int:
    moved, batches = replanning.move(decision, rows)
    said = _said(locked, decision, rule, batches)
    asked_by = decision.asked_by_id if decision.kind == Kind.RESEND else None
    record("delivery.decided", by=by, moved=len(moved), asked_by=asked_by, **said)
    settle_decisions(on=decision, by=by)
    if decision.kind in (Kind.RESEND, Kind.TRY_AGAIN):
        reopened = reopen_if_finished(locked, decision, len(moved), by=by)
        if locked.state == State.SENDING and not reopened:
            transaction.on_commit(partial(tasks.ring, locked.pk), robust=True)
    return len(moved)


def _said(locked: Edition, decision: DeliveryDecision, rule: Rule, batches: set[UUID]) -> dict[str, Any]:
    return {
        "on": decision,
        "batches": replanning.named_by(locked, batches),
        "private": {"reason": decision.reason},
        "people": decision.people,
        "kind": decision.kind,
        "rows_root": bytes(decision.rows_root),
        "rule": rule.coded,
        **which(locked),
    }
