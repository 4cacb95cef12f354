"""Nothing of a notice changes without an event that names it: raw SQL fails to commit, whoever runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.people.actions import hold_person
from notifications import delivery, sweeping
from notifications.actions import cancel_edition, start_edition, withdraw
from notifications.batches import close_batch
from notifications.models import Batch, Delivery, Edition, MailEvent
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_approved_edition, make_delivery_decision, make_edition_being_sent, make_user, unguarded
from tests.notifications.test_delivery_states import ACCEPTED

pytestmark = pytest.mark.django_db(transaction=True)
UNNAMED = "no event of this transaction names"
LOST = Outcome(Kind.UNKNOWN, Phase.DOT)
LATER = Outcome(Kind.RETRY_WAIT, Phase.RCPT, 450)


def run(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0, "nothing was changed: the test proves nothing"


@contextmanager
def refused(why: str = UNNAMED) -> Iterator[None]:
    with pytest.raises(IntegrityError, match=why), transaction.atomic():
        yield


@contextmanager
def allowed() -> Iterator[None]:
    """What the commit would let through, undone: the next change finds the same rows."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def refusal_of(change: str, *parameters: Any) -> str:
    """What the database says when this is committed, or nothing."""
    try:
        with transaction.atomic():
            run(change, *parameters)
    except DatabaseError as refusal:
        return str(refusal)
    return ""


def sent(*outcomes: Outcome, close: bool = True) -> tuple[Edition, UUID, list[UUID]]:
    """An edition under way with one batch, settled unless told otherwise."""
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, len(outcomes))
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    answers = [(row.id, 0, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    with transaction.atomic():
        delivery.tell_late(token, delivery.settle(token, answers))
    if close:
        assert close_batch(token)
    return edition, token, [row.id for row in rows]


def tell(edition: Edition, **names: Any) -> Event:
    """An event of the same transaction, as an action would record it."""
    return record("delivery.answered_late", by=None, incident=edition.incident_id, count=1, **names)


# Deliveries of a settled batch

CHANGES = [
    "UPDATE notifications_delivery SET state = 'handed_over', code = 250 WHERE id = %s",
    """UPDATE notifications_delivery SET state = 'assumed_sent',
        decision_id = (SELECT id FROM notifications_deliverydecision WHERE kind = 'assume_sent') WHERE id = %s""",
    "UPDATE notifications_delivery SET state = 'delivered' WHERE id = %s",
    "UPDATE notifications_delivery SET code = 251 WHERE id = %s",
    "UPDATE notifications_delivery SET reply_sha256 = NULL, settled_at = now() WHERE id = %s",
    "UPDATE notifications_delivery SET state = 'planned', generation = 1, token = NULL, next_at = now() WHERE id = %s",
]


def decide(edition: Edition, row: UUID) -> None:
    """Two people want it sent again, and one takes it as sent: each could carry that out now."""
    make_delivery_decision(edition, "assume_sent")
    resend = make_delivery_decision(edition, "resend")
    with unguarded():
        Delivery.objects.filter(pk=row).update(decision=resend)


def test_an_unknown_of_a_settled_batch_is_not_changed_silently() -> None:
    edition, _, [row] = sent(LOST)
    decide(edition, row)
    before = Delivery.objects.values().get(pk=row)
    for change in CHANGES:
        assert UNNAMED in refusal_of(change, row), change
        assert Delivery.objects.values().get(pk=row) == before, change


def test_the_event_must_name_this_batch_and_no_other() -> None:
    edition, token, [row] = sent(LOST)
    for names in ([delivery.rows_of(uuid4())], [(delivery.ATTEMPTS, token)], [("people_person", token)]):
        with refused():
            run(CHANGES[0], row)
            tell(edition, batches=names)
    with allowed():
        run(CHANGES[0], row)
        tell(edition, batches=[delivery.rows_of(token)])
        assert Delivery.objects.get(pk=row).state == "handed_over"


def test_an_event_of_another_transaction_does_not_count_and_one_of_this_may_name_the_row() -> None:
    edition, token, [row] = sent(LOST)
    with transaction.atomic():
        tell(edition, batches=[delivery.rows_of(token)])
    with refused():
        run(CHANGES[0], row)
    with transaction.atomic():
        run(CHANGES[0], row)
        tell(edition, also=[Delivery.objects.get(pk=row)])
    assert Delivery.objects.get(pk=row).state == "handed_over"


def test_two_batches_in_one_statement_need_both_names() -> None:
    edition, first, _ = sent(LOST)
    second, [other] = delivery.claim(edition.pk, 1)
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(second, {other.id: b"c" * 32})
    delivery.settle(second, [(other.id, 0, LOST)])
    close_batch(second)
    change = "UPDATE notifications_delivery SET state = 'handed_over' WHERE state = 'unknown'"
    with refused():
        run(change)
        tell(edition, batches=[delivery.rows_of(first)])
    with transaction.atomic():
        run(change)
        tell(edition, batches=[delivery.rows_of(first), delivery.rows_of(second)])


# Deliveries that no batch holds

STRAY = [
    "UPDATE notifications_delivery SET state = 'cancelled', next_at = NULL",
    "UPDATE notifications_delivery SET state = 'suppressed', next_at = NULL WHERE state = 'planned'",
    "UPDATE notifications_delivery SET next_at = '2999-01-01'",
    "UPDATE notifications_delivery SET tries = 20",
]


def test_what_is_planned_is_not_changed_silently() -> None:
    edition = make_edition_being_sent()
    for change in STRAY:
        assert UNNAMED in refusal_of(change), change
        with allowed():
            run(change)
            tell(edition, batches=[delivery.plan_of(edition)])


def test_nobody_is_planned_or_taken_off_silently() -> None:
    edition = make_approved_edition()
    with refused():
        run("DELETE FROM notifications_delivery")
    withdraw(edition, by=edition.authors.get().author)
    with refused():
        delivery.plan_deliveries(edition)


def test_no_row_is_put_under_a_batch_that_is_settled_or_was_never_opened() -> None:
    _, token, _ = sent(ACCEPTED)
    for batch in (token, uuid4()):
        with refused():
            change = (
                "UPDATE notifications_delivery SET state = 'claimed', token = %s, next_at = NULL WHERE token IS NULL"
            )
            run(change, batch)


def test_nothing_is_emptied() -> None:
    sent(LOST)
    for table in ("delivery", "attempt", "mailevent", "batch", "approval"):
        assert "TRUNCATE is refused" in refusal_of(f"TRUNCATE notifications_{table} CASCADE"), table


# What a worker's own update may not do, and what it need not wait for

REFUSED_TO_A_WORKER = {
    "SET recipient = %s": (b"d" * 32, "To whom a delivery goes is committed when its hand-over begins"),
    "SET state = 'handing_over', recipient = %s": (
        None,
        "To whom a delivery goes is committed when its hand-over begins",
    ),
    "SET verification = %s": (b"v" * 16, "cannot go from"),
    "SET frozen = %s": (b"f" * 16, "cannot go from"),
    "SET amended = %s": (b"a" * 16, "A row is amended as the person is now"),
    "SET rung = %s": (1, "Only an unknown is put before a second person"),
    "SET token = %s, state = 'handing_over', recipient = decode(repeat('63', 32), 'hex')": (uuid4(), "cannot go from"),
}


def test_each_guard_refuses_what_a_worker_might_write_into_a_row_it_holds() -> None:
    token, rows = delivery.claim(make_edition_being_sent().pk, 1)
    said = {
        change: refusal_of(f"UPDATE notifications_delivery {change} WHERE id = %s", value, rows[0].id)
        for change, (value, _) in REFUSED_TO_A_WORKER.items()
    }
    missing = [change for change, (_, why) in REFUSED_TO_A_WORKER.items() if why not in said[change]]
    assert not missing, said
    assert Delivery.objects.get(pk=rows[0].id).token == token


def test_no_update_of_a_delivery_locks_its_row_by_itself_first() -> None:
    """As a BEFORE UPDATE trigger would, whether it refuses or not: a tenth of what a message writes to the log."""
    with connection.cursor() as cursor:
        cursor.execute("""SELECT tgname FROM pg_trigger WHERE tgrelid = 'notifications_delivery'::regclass
            AND tgtype & 1 = 1 AND tgtype & 2 = 2 AND tgtype & 16 = 16 AND NOT tgisinternal""")
        assert cursor.fetchall() == []


# What an open batch may do without an event, and what not


def test_a_batch_is_not_sealed_while_a_hand_over_of_it_is_open() -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 2)
    assert not close_batch(token), "both are claimed"
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    delivery.settle(token, [(rows[0].id, 0, ACCEPTED)])
    assert not close_batch(token), "one is on the wire"
    assert Batch.objects.get(pk=token).settled_at is None
    delivery.settle(token, [(rows[1].id, 0, ACCEPTED)])
    assert close_batch(token)


def test_a_worker_needs_no_event_before_its_batch_is_sealed() -> None:
    edition, token, _ = sent(ACCEPTED, LOST, LATER, close=False)
    sealed = Event.objects.filter(type="delivery.batch_settled")
    assert not sealed.exists()
    assert close_batch(token)
    assert sealed.get().content["object"]["id"] == str(token)
    assert delivery.claim(edition.pk, 10)[1] == [], "the one to be tried again is not due yet"


def test_what_a_worker_gives_back_and_what_never_left_needs_no_event() -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 3)
    with transaction.atomic():
        delivery.share_hand_overs(edition.pk)
        delivery.begin_hand_over(token, {rows[0].id: b"c" * 32})
    delivery.settle(token, [(rows[0].id, 0, Outcome(Kind.NOT_SENT, Phase.MAIL))])
    assert delivery.give_back(token) == 2
    assert close_batch(token)
    assert not Batch.objects.exists()
    assert not Delivery.objects.exclude(token=None).exists()


def test_a_person_on_hold_is_looked_at_again_without_an_event() -> None:
    edition = make_edition_being_sent()
    row = Delivery.objects.select_related("person").all()[0]
    hold_person(row.person, reason="The police asked.", expected_version=1, by=make_user("dpo"))
    assert len(delivery.claim(edition.pk, 10)[1]) == 2
    before, row.next_at = row.next_at, None
    row.refresh_from_db()
    assert before is not None
    assert row.next_at is not None
    assert row.next_at > before


def test_people_decide_about_no_row_that_a_worker_may_hold() -> None:
    edition, _, [row] = sent(LOST, close=False)
    decide(edition, row)
    for change in (CHANGES[1], CHANGES[5]):
        assert "A worker may still hold this delivery" in refusal_of(change, row), change


# Attempts, batches, reports


def add_attempt(token: UUID, row: UUID) -> None:
    run(
        "INSERT INTO notifications_attempt (id, delivery_id, batch_id, n, phase, outcome, enhanced, reason, remote_id, "
        "closed_at) VALUES (gen_random_uuid(), %s, %s, 7, 'dot', 'refused', '', '', '', now())",
        row,
        token,
    )


def test_no_attempt_is_added_to_a_settled_batch_silently() -> None:
    edition, token, [row] = sent(ACCEPTED)
    with refused():
        add_attempt(token, row)
    with refused():
        add_attempt(token, row)
        tell(edition, batches=[delivery.rows_of(token)])
    with transaction.atomic():
        add_attempt(token, row)
        tell(edition, batches=[(delivery.ATTEMPTS, token)])


def test_a_batch_is_sealed_only_with_its_event_and_never_deleted() -> None:
    _, token, _ = sent(ACCEPTED, close=False)
    with refused():
        run("UPDATE notifications_batch SET settled_at = now(), rows = 1, rows_root = sha256('') WHERE id = %s", token)
    with refused():
        run(
            "INSERT INTO notifications_batch (id, edition_id, epoch, opened_at, lease_until, settled_at, rows) "
            "SELECT gen_random_uuid(), edition_id, 1, now(), now(), now(), 3 FROM notifications_batch"
        )
    with refused():
        run("UPDATE notifications_batch SET epoch = 9")
    with refused("that deliveries belong to is never deleted"):
        run("DELETE FROM notifications_batch WHERE id = %s", token)


def test_a_report_is_stored_silently_and_applied_with_its_event() -> None:
    edition, _, [row] = sent(ACCEPTED)
    add = (
        "INSERT INTO notifications_mailevent (id, source, source_id, delivery_id, kind, received_at, applied_at, "
        "raw_sha256) VALUES (gen_random_uuid(), 'Postmark', %s, %s, 'bounced', now(), {}, sha256(''))"
    )
    with refused():
        run(add.format("now()"), "1", row)
    run(add.format("NULL"), "1", row)
    for change in ("UPDATE notifications_mailevent SET applied_at = now()", "DELETE FROM notifications_mailevent"):
        with refused():
            run(change)
    with transaction.atomic():
        run("UPDATE notifications_mailevent SET applied_at = now()")
        tell(edition, batches=[("notifications_mailevent", "Postmark")])
    assert MailEvent.objects.get().applied_at


# Notices and editions

OF_AN_APPROVED_ONE = [
    "UPDATE notifications_edition SET state = 'cancelled', version = version + 1",
    "UPDATE notifications_approval SET voided_at = now(), version = version + 1",
]
OF_ONE_BEING_SENT = [
    "UPDATE notifications_notice SET title = 'Another', version = version + 1",
    "UPDATE notifications_edition SET state = 'paused', version = version + 1",
]


def test_a_notice_is_not_changed_silently() -> None:
    approved = make_approved_edition()
    for change in OF_AN_APPROVED_ONE:
        refused_by_version(change)
    start_edition(approved, by=make_user("approver"))
    for change in OF_ONE_BEING_SENT:
        refused_by_version(change)


def refused_by_version(change: str) -> None:
    assert UNNAMED in refusal_of(change), change
    assert "its version stayed" in refusal_of(change.replace(", version = version + 1", "")), change


def test_nobody_becomes_an_author_silently() -> None:
    edition = make_approved_edition()
    withdraw(edition, by=edition.authors.get().author)
    with refused():
        run(
            "INSERT INTO notifications_editionauthor (id, edition_id, author_id) VALUES (gen_random_uuid(), %s, %s)",
            edition.pk,
            make_user("author").pk,
        )


def test_cancelling_names_every_row_it_ends() -> None:
    """Rows of all kinds: planned, held by a worker, waiting for another try after a batch that is settled."""
    edition, _, _ = sent(LATER)
    delivery.claim(edition.pk, 1)
    cancel_edition(edition, by=make_user("dpo"))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"cancelled"}


def test_finishing_names_those_it_leaves_out() -> None:
    edition, _, [row] = sent(LATER)
    with unguarded():
        Delivery.objects.exclude(pk=row).update(state="handed_over", token=uuid4(), next_at=None)
    person = Delivery.objects.select_related("person").get(pk=row).person
    hold_person(person, reason="The police asked.", expected_version=1, by=make_user("dpo"))
    assert sweeping.finish_if_done(edition.pk)
    assert Delivery.objects.get(pk=row).state == "suppressed"
