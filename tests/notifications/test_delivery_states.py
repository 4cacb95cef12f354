"""The moves of a delivery: each by its one statement, every other refused by the database."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from pytest_django import DjangoDbBlocker

from breachdesk.people.actions import hold_person
from notifications import delivery
from notifications.models import Approval, Attempt, Batch, Delivery, DeliveryDecision, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import (
    make_delivery_decision,
    make_edition,
    make_edition_being_sent,
    make_edition_in_review,
    make_user,
    unguarded,
)

pytestmark = pytest.mark.django_db

ACCEPTED = Outcome(Kind.HANDED_OVER, Phase.DOT, 250, "2.0.0", b"r" * 32)
MOVES = {
    "planned": "claimed blocked suppressed cancelled",
    "claimed": "handing_over planned blocked suppressed cancelled",
    "handing_over": "handed_over retry_wait refused unknown planned",
    "retry_wait": "claimed blocked suppressed cancelled",
    "blocked": "planned cancelled",
    "unknown": "handed_over delivered bounced planned assumed_sent",
    "handed_over": "delivered bounced complained",
    "delivered": "bounced complained",
    "bounced": "complained planned",
    "refused": "planned",
    "complained": "",
    "cancelled": "",
    "suppressed": "",
    "assumed_sent": "delivered bounced complained",
}
REFUSED = r"cannot go from|No decision that stands"
# Only by a decision that stands; each is a new generation where it sends again.
DECIDED = {
    ("unknown", "planned"): "resend",
    ("unknown", "assumed_sent"): "assume_sent",
    ("refused", "planned"): "second_address",
    ("bounced", "planned"): "second_address",
    ("blocked", "planned"): "try_again",
    ("blocked", "cancelled"): "give_up",
}


@pytest.fixture(scope="module")
def edition(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    """Being sent to three people, of whom nobody's message is taken yet."""
    with django_db_blocker.unblock():
        return make_edition_being_sent()


def begin(token: UUID, ids: Iterable[UUID]) -> set[UUID]:
    delivery.share_hand_overs(Batch.objects.get(pk=token).edition_id)
    return delivery.begin_hand_over(token, dict.fromkeys(ids, b"c" * 32))


def claimed_and_begun(edition: Edition, rows: int = 3) -> tuple[UUID, list[UUID]]:
    token, found = delivery.claim(edition.pk, rows)
    return token, sorted(begin(token, [row.id for row in found]))


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def put(row: Delivery, state: str, **columns: Any) -> None:
    """By raw SQL, as somebody could who has the application's rights."""
    changes = {"state": state, "token": str(row.token or uuid4()), "next_at": None, **columns}
    if (row.state, state) == ("claimed", "handing_over"):
        changes["recipient"] = b"c" * 32
    if state in ("planned", "retry_wait"):
        changes["next_at"] = "2026-01-01"
    words = ", ".join(f"{name} = %s" for name in changes)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE notifications_delivery SET {words} WHERE id = %s", [*changes.values(), row.pk])


def test_the_plan_holds_each_reachable_person_once() -> None:
    edition = make_edition_in_review()
    assert Delivery.objects.filter(edition=edition, state="planned").count() == edition.recipients_count == 3
    assert delivery.plan_deliveries(edition) == 0


def test_a_plan_that_was_never_tried_can_be_forgotten() -> None:
    edition = make_edition()
    with unguarded():
        delivery.plan_deliveries(edition)
        assert delivery.forget_plan(edition) == 3


def test_two_workers_never_hold_the_same_row(edition: Edition) -> None:
    first, second = delivery.claim(edition.pk, 2), delivery.claim(edition.pk, 2)
    assert len(first[1]) == 2
    assert len(second[1]) == 1
    assert {row.id for row in first[1]}.isdisjoint(row.id for row in second[1])
    assert delivery.claim(edition.pk, 2)[1] == []
    assert Batch.objects.count() == 2, "a claim of nothing leaves nothing"


def test_a_person_on_hold_is_not_claimed(edition: Edition) -> None:
    held = Delivery.objects.select_related("person").first()
    assert held is not None
    hold_person(held.person, reason="The police asked.", expected_version=1, by=make_user("dpo"))
    assert held.pk not in {row.id for row in delivery.claim(edition.pk, 10)[1]}


def test_an_edition_that_lost_its_approval_is_neither_claimed_nor_begun(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 1)
    with unguarded():
        Approval.objects.update(voided_at="2026-01-01T00:00Z")
    assert begin(token, [rows[0].id]) == set()
    assert delivery.claim(edition.pk, 1)[1] == []


def test_a_token_opens_only_its_own_rows(edition: Edition) -> None:
    (mine, my_rows), (theirs, their_rows) = delivery.claim(edition.pk, 1), delivery.claim(edition.pk, 1)
    assert begin(mine, [my_rows[0].id, their_rows[0].id]) == {my_rows[0].id}
    delivery.settle(theirs, [(my_rows[0].id, 0, ACCEPTED)])
    assert Delivery.objects.get(pk=my_rows[0].id).state == "handing_over"


def test_what_was_given_back_and_taken_by_another_is_not_begun_by_the_first(edition: Edition) -> None:
    slow, rows = delivery.claim(edition.pk, 3)
    assert delivery.give_back(slow) == 3
    quick, _ = delivery.claim(edition.pk, 3)
    ids = [row.id for row in rows]
    assert begin(slow, ids) == set()
    assert begin(quick, ids) == set(ids)


def test_a_lease_that_is_nearly_over_begins_nothing(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 1)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_batch SET lease_until = now() + make_interval(secs => 5)")
    assert begin(token, [rows[0].id]) == set()


def test_an_accepted_message_is_settled_in_its_own_row_and_repeating_changes_nothing(edition: Edition) -> None:
    token, ids = claimed_and_begun(edition)
    for _ in range(2):
        delivery.settle(token, [(row, 0, ACCEPTED) for row in ids])
    row = Delivery.objects.get(pk=ids[0])
    assert (row.state, row.code, bytes(row.reply_sha256 or b""), row.tries) == ("handed_over", 250, b"r" * 32, 1)
    assert not Attempt.objects.exists()


def test_every_other_answer_leaves_an_attempt(edition: Edition) -> None:
    token, (refused, later, unknown) = claimed_and_begun(edition)
    delivery.settle(
        token,
        [
            (refused, 0, Outcome(Kind.REFUSED, Phase.RCPT, 550, "5.1.1", b"x" * 32)),
            (later, 0, Outcome(Kind.RETRY_WAIT, Phase.DOT, 451, "4.0.0", b"y" * 32)),
            (unknown, 0, Outcome(Kind.UNKNOWN, Phase.DOT)),
        ],
    )
    assert states() == ["refused", "retry_wait", "unknown"]
    told = {a.delivery_id: (a.n, a.phase, a.outcome, a.code, a.enhanced) for a in Attempt.objects.all()}
    assert told == {
        refused: (1, "rcpt", "refused", 550, "5.1.1"),
        later: (1, "dot", "retry_wait", 451, "4.0.0"),
        unknown: (1, "dot", "unknown", None, ""),
    }


WAITS = [(0, 60), (1, 300), (2, 900), (3, 3600), (4, 14400), (9, 14400)]


def test_the_wait_grows_with_each_definite_refusal(edition: Edition) -> None:
    found = []
    for tries, _ in WAITS:
        with transaction.atomic():
            token, ids = claimed_and_begun(edition, 1)
            delivery.settle(token, [(ids[0], tries, Outcome(Kind.RETRY_WAIT, Phase.RCPT, 450))])
            row = Delivery.objects.get(pk=ids[0])
            assert row.next_at is not None
            assert row.settled_at is not None
            found.append((tries, (row.next_at - row.settled_at).total_seconds()))
            transaction.set_rollback(True)
    assert found == WAITS


def test_what_never_left_us_counts_as_no_try(edition: Edition) -> None:
    token, ids = claimed_and_begun(edition, 1)
    delivery.settle(token, [(ids[0], 0, Outcome(Kind.NOT_SENT, Phase.MAIL))])
    row = Delivery.objects.get(pk=ids[0])
    assert (row.state, row.tries) == ("retry_wait", 0)
    assert not Attempt.objects.exists()


def test_a_late_answer_is_believed_for_an_unknown_and_only_if_it_was_taken(edition: Edition) -> None:
    token, (first, second, _) = claimed_and_begun(edition)
    lost = Outcome(Kind.UNKNOWN, Phase.DOT)
    delivery.settle(token, [(first, 0, lost), (second, 0, lost)])
    delivery.settle(token, [(first, 0, ACCEPTED), (second, 0, Outcome(Kind.RETRY_WAIT, Phase.DOT, 451))])
    assert Delivery.objects.get(pk=first).state == "handed_over"
    assert Delivery.objects.get(pk=second).state == "unknown"
    assert [a.outcome for a in Attempt.objects.filter(delivery=first).order_by("closed_at", "outcome")] == [
        "handed_over",
        "unknown",
    ]


def test_a_blocked_row_says_why(edition: Edition) -> None:
    token, rows = delivery.claim(edition.pk, 1)
    delivery.block(token, {rows[0].id: "This person has no value for ((first name))."})
    assert Delivery.objects.get(pk=rows[0].id).state == "blocked"
    assert Attempt.objects.get().reason == "This person has no value for ((first name))."


def test_the_database_allows_exactly_the_moves_of_the_design(edition: Edition) -> None:
    decisions = {kind: make_delivery_decision(edition, kind) for kind in DECIDED.values()}
    for before, allowed in MOVES.items():
        for after in MOVES:
            with transaction.atomic():
                kind = DECIDED.get((before, after))
                decision = decisions[kind] if kind else None
                _try_move(before, after, decision, is_allowed=after == before or after in allowed.split())
                transaction.set_rollback(True)  # no event names these


def _try_move(before: str, after: str, decision: DeliveryDecision | None, *, is_allowed: bool) -> None:
    row = Delivery.objects.all()[0]
    asked: dict[str, Any] = {"decision_id": decision.pk} if decision and decision.kind == "resend" else {}
    with unguarded():
        put(row, before, **asked)
    row.refresh_from_db()
    if decision:
        with pytest.raises(IntegrityError, match=REFUSED):
            put(row, after)
        rung = row.rung + int(decision.kind == "second_address")
        put(row, after, decision_id=decision.pk, generation=int(after == "planned"), rung=rung)
    elif is_allowed:
        put(row, after)
    else:
        with pytest.raises(IntegrityError, match=REFUSED):
            put(row, after)


def test_a_delivery_keeps_its_person_and_edition(edition: Edition) -> None:
    columns = ["person_id", "edition_id", "notice_id", "id"]
    refusals = {}
    for column in columns:
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                cursor.execute(f"UPDATE notifications_delivery SET {column} = gen_random_uuid()")
            except IntegrityError as refusal:
                refusals[column] = str(refusal)
            transaction.set_rollback(True)
    assert [column for column, why in refusals.items() if "cannot go from" in why] == columns, refusals


def test_an_unknown_is_planned_again_only_as_a_new_generation(edition: Edition) -> None:
    token, ids = claimed_and_begun(edition, 1)
    delivery.settle(token, [(ids[0], 0, Outcome(Kind.UNKNOWN, Phase.DOT))])
    with pytest.raises(IntegrityError, match=REFUSED):
        put(Delivery.objects.get(pk=ids[0]), "planned")


def test_a_hand_over_begins_only_under_the_token_of_its_claim(edition: Edition) -> None:
    _, rows = delivery.claim(edition.pk, 1)
    with pytest.raises(IntegrityError, match="cannot go from"):
        put(Delivery.objects.get(pk=rows[0].id), "handing_over", token=str(uuid4()))


def test_what_was_tried_is_never_deleted(edition: Edition) -> None:
    delivery.claim(edition.pk, 1)
    with pytest.raises(IntegrityError, match="never deleted"):
        Delivery.objects.filter(state="claimed").delete()


def test_nobody_gets_a_second_delivery_of_a_notice(edition: Edition) -> None:
    row = Delivery.objects.first()
    assert row is not None
    with pytest.raises(IntegrityError, match="one_delivery_per_person"):
        Delivery.objects.create(notice=edition.notice, edition=edition, person=row.person, next_at="2026-01-01T00:00Z")


def test_nothing_is_taken_or_begun_with_fewer_approvals_than_it_needs(edition: Edition) -> None:
    token, [row] = delivery.claim(edition.pk, 1)
    with unguarded():
        Edition.objects.update(approvers_needed=2)
    assert delivery.claim(edition.pk, 5)[1] == []
    delivery.share_hand_overs(edition.pk)
    assert delivery.begin_hand_over(token, {row.id: b"c" * 32}) == set()
