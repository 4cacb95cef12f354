"""The moves of deliveries in any order that workers, the sweeper and people can think of, beside a plain model of them.

EXAMPLES=2000 in the environment plays other ones each time, and as many; `make faults` does.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from breachdesk.accounts.models import User
from breachdesk.audit.record import record
from notifications import actions, delivery, invariants, replanning, sweeping
from notifications.batches import close_batch
from notifications.mail_events import apply_events
from notifications.models import Batch, Delivery, DeliveryDecision, Edition, MailEvent
from notifications.transport import Kind, Outcome
from notifications.transport import Phase as Way
from tests.factories import make_user, unguarded
from tests.notifications.test_drain import being_sent

PEOPLE = 5
NOT_OUT = {"planned", "claimed", "retry_wait", "refused", "cancelled"}
OUT = {"handed_over", "delivered", "bounced", "complained"}
ANSWERS = {
    "taken": Outcome(Kind.HANDED_OVER, Way.DOT, 250, "2.0.0", b"r" * 32),
    "refused": Outcome(Kind.REFUSED, Way.RCPT, 550, "5.1.1", b"n" * 32),
    "later": Outcome(Kind.RETRY_WAIT, Way.DOT, 451, "4.3.0", b"l" * 32),
    "never left": Outcome(Kind.NOT_SENT, Way.MAIL),
    "lost, and taken": Outcome(Kind.UNKNOWN, Way.DOT),
    "lost": Outcome(Kind.UNKNOWN, Way.DOT),
}
RANKS = {"handed_over": 0, "assumed_sent": 0, "delivered": 1, "bounced": 2, "complained": 3}


@dataclass
class Row:
    state: str = "planned"
    tries: int = 0
    generation: int = 0
    token: UUID | None = None
    is_due: bool = True


@dataclass
class Held:
    """A batch as its worker sees it: what it took; what it began and got no answer to, with the number of each try.

    It is told of nothing that others do meanwhile.
    """

    epoch: int
    taken: list[UUID]
    lease: str = "runs"
    is_sealed: bool = False
    begun: dict[UUID, int] = field(default_factory=dict)


class Deliveries(RuleBasedStateMachine):
    edition: ClassVar[Edition]
    people: ClassVar[list[User]]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        ids = Delivery.objects.order_by("person__row_number").values_list("pk", flat=True)
        self.rows = {pk: Row() for pk in ids}
        self.batches: dict[UUID, Held] = {}
        self.state, self.epoch = "sending", self.edition.epoch
        self.inbox: Counter[tuple[UUID, int]] = Counter()
        self.last: tuple[UUID, Any] | None = None

    def teardown(self) -> None:
        for token in self._open():
            self._let_lease_end(token, "1 hour")
        sweeping.sweep()
        findings = [str(finding) for finding in invariants.check(edition=self.edition.pk).findings]
        transaction.savepoint_rollback(self.savepoint)
        assert findings == []

    def _open(self) -> list[UUID]:
        return [token for token, held in self.batches.items() if not held.is_sealed]

    def _of(self, token: UUID, *states: str) -> list[UUID]:
        return [pk for pk, row in self.rows.items() if row.token == token and row.state in states]

    def _set(self, ids: Any, state: str, *, token: UUID | None = None) -> None:
        for pk in ids:
            self.rows[pk].state, self.rows[pk].token, self.rows[pk].is_due = state, token, True

    # Workers

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        due = {pk for pk, row in self.rows.items() if row.state in ("planned", "retry_wait") and row.is_due}
        token, taken = delivery.claim(self.edition.pk, limit)
        ids = {row.id for row in taken}
        assert len(ids) == (min(limit, len(due)) if self.state == "sending" else 0)
        assert ids <= due
        if ids:
            self.batches[token] = Held(self.epoch, [pk for pk in self.rows if pk in ids])
        self._set(ids, "claimed", token=token)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """All it ever took, also those that others have by now: only its own are granted."""
        token = data.draw(st.sampled_from(list(self.batches)))
        held, own = self.batches[token], self._of(token, "claimed")
        may = self.state == "sending" and held.epoch == self.epoch and held.lease == "runs" and not held.is_sealed
        delivery.share_hand_overs(self.edition.pk)
        granted = delivery.begin_hand_over(token, dict.fromkeys(held.taken, b"c" * 32))
        assert granted == (set(own) if may else set())
        for pk in filter(granted.__contains__, self.rows):  # in an order that does not hang on chance
            self.rows[pk].state = "handing_over"
            self.rows[pk].tries += 1
            held.begun[pk] = self.rows[pk].tries

    @precondition(lambda self: any(held.begun for held in self.batches.values()))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """Of one message: it is on the wire only while the lease runs, and its answer may come at any time after."""
        token = data.draw(st.sampled_from([token for token, held in self.batches.items() if held.begun]))
        held = self.batches[token]
        pk = data.draw(st.sampled_from(list(held.begun)))
        number = held.begun.pop(pk)
        words = data.draw(st.sampled_from(sorted(ANSWERS))) if held.lease == "runs" else "later"
        late = data.draw(st.booleans())
        row = self.rows[pk]
        if words in ("taken", "lost, and taken"):
            self.inbox[pk, row.generation] += 1
        if late and held.lease == "runs":  # its worker froze before it could tell
            self._let_lease_end(token, "1 hour")
            sweeping.sweep()
            self._swept()
        self.last = token, [(pk, number - 1, ANSWERS[words])]
        self._settle(*self.last)
        if row.token == token and (row.state == "handing_over" or (row.state == "unknown" and words == "taken")):
            self._answered(row, ANSWERS[words].kind)

    def _settle(self, token: UUID, answers: Any) -> None:
        with transaction.atomic():
            delivery.tell_late(token, delivery.settle(token, answers))

    def _answered(self, row: Row, kind: Kind) -> None:
        row.is_due = False
        if kind is Kind.NOT_SENT:
            row.state, row.token, row.tries = "retry_wait", None, row.tries - 1
        else:
            row.state = str(kind)

    @precondition(lambda self: self.last)
    @rule()
    def tell_again(self) -> None:
        """The answer of the database was lost, so the worker repeats itself: nothing changes."""
        assert self.last
        before = self._stored()
        token, answers = self.last
        if self.rows[answers[0][0]].tries == answers[0][1] + 1 and answers[0][2].kind is not Kind.NOT_SENT:
            self._settle(token, answers)
            assert self._stored() == before or answers[0][2].kind is Kind.HANDED_OVER

    @precondition(lambda self: self._open())
    @rule(data=st.data())
    def put_down(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(self._open()))
        delivery.give_back(token)
        self._set(self._of(token, "claimed"), "planned")
        is_closed = not self._of(token, "handing_over")
        assert close_batch(token) is is_closed
        self.batches[token].is_sealed = is_closed

    # The sweeper, and time

    @precondition(lambda self: self._open())
    @rule(data=st.data(), ago=st.sampled_from(["1 second", "1 hour"]))
    def lease_ends(self, data: st.DataObject, ago: str) -> None:
        self._let_lease_end(data.draw(st.sampled_from(self._open())), ago)

    def _let_lease_end(self, token: UUID, ago: str) -> None:
        self.batches[token].lease = ago
        with unguarded(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE notifications_batch SET lease_until = now() - %s::interval WHERE id = %s", [ago, token]
            )

    @rule()
    def sweep(self) -> None:
        sweeping.sweep()
        self._swept()

    def _swept(self) -> None:
        for token in self._open():
            held = self.batches[token]
            if held.lease != "runs":
                self._set(self._of(token, "claimed"), "planned")
            if held.lease == "1 hour":
                self._set(self._of(token, "handing_over"), "unknown", token=token)
                held.is_sealed = True
        waiting = [pk for pk, row in self.rows.items() if row.state in ("planned", "retry_wait")]
        if self.state == "cancelled":
            self._set(waiting, "cancelled")
        if self.state == "sending" and not waiting and not self._open():
            self.state = "finished"

    @rule()
    def time_passes(self) -> None:
        with unguarded(), connection.cursor() as cursor:
            cursor.execute("UPDATE notifications_delivery SET next_at = now() WHERE next_at > now()")
        for row in self.rows.values():
            row.is_due = True

    # People, and the mail provider

    @precondition(lambda self: self.state == "sending")
    @rule()
    def pause(self) -> None:
        in_air = actions.pause_edition(self.edition, by=self.people[1])
        assert in_air == sum(row.state == "handing_over" for row in self.rows.values())
        self.state = "paused"

    @precondition(lambda self: self.state == "paused")
    @rule()
    def resume(self) -> None:
        actions.resume_edition(self.edition, by=self.people[0])
        self.state, self.epoch = "sending", self.epoch + 1

    @precondition(lambda self: self.state in ("sending", "paused") and len(self.batches) > 2)
    @rule()
    def cancel(self) -> None:
        actions.cancel_edition(self.edition, by=self.people[1])
        self._set(
            [pk for pk, row in self.rows.items() if row.state in ("planned", "retry_wait", "claimed")], "cancelled"
        )
        self.state = "cancelled"

    def _doubtful(self) -> list[UUID]:
        sealed = {token for token, held in self.batches.items() if held.is_sealed}
        return [pk for pk, row in self.rows.items() if row.state == "unknown" and row.token in sealed]

    def _decision(self, kind: str, rows: list[UUID], asked_by: User) -> DeliveryDecision:
        confirmed: dict[str, Any] = {"confirmed_by": asked_by, "confirmed_at": timezone.now()}
        return DeliveryDecision.objects.create(
            edition=self.edition,
            kind=kind,
            reason="The relay's log names nobody.",
            people=len(rows),
            rows_root=replanning.root_of_deliveries(rows),
            asked_by=asked_by,
            asked_at=timezone.now(),
            **({} if kind == "resend" else confirmed),
        )

    def _said(self, kind: str, rows: list[UUID]) -> dict[str, Any]:
        return {"incident": self.edition.incident_id, "people": len(rows), "language": "en", "kind": kind}

    @precondition(lambda self: self._doubtful() and self.state in ("sending", "paused"))
    @rule(is_one_person=st.booleans())
    def send_again(self, is_one_person: bool) -> None:
        """By two people; one alone is refused by the database, and so is a question nobody was asked."""
        rows, (first, second) = self._doubtful(), self.people
        decision = self._decision("resend", rows, first)
        with pytest.raises(IntegrityError), transaction.atomic():
            replanning.move(decision, rows)
        said = self._said("resend", rows)
        replanning.put_before_a_second_person(decision, rows)
        record("delivery.decision_asked", by=first, on=decision, **said)
        decision.confirmed_by, decision.confirmed_at = first if is_one_person else second, timezone.now()
        decision.version += 1
        try:
            with transaction.atomic():
                decision.save()
        except IntegrityError:
            assert is_one_person
            DeliveryDecision.objects.filter(pk=decision.pk).update(voided_at=timezone.now())
            return
        assert not is_one_person
        record("delivery.decided", by=second, on=decision, **said)
        replanning.move(decision, rows)
        for pk in rows:
            self.rows[pk].generation += 1
        self._set(rows, "planned")

    @precondition(lambda self: self._doubtful())
    @rule()
    def take_as_sent(self) -> None:
        rows = self._doubtful()
        decision = self._decision("assume_sent", rows, self.people[0])
        record("delivery.decided", by=self.people[0], on=decision, **self._said("assume_sent", rows))
        replanning.move(decision, rows)
        for pk in rows:
            self.rows[pk].state = "assumed_sent"

    def _heard_of(self) -> list[UUID]:
        """Whose message is out, also where a colleague only took it so."""
        taken = [pk for pk, row in self.rows.items() if row.state == "assumed_sent" and self.inbox[pk, row.generation]]
        return taken + [pk for pk, row in self.rows.items() if row.state in OUT]

    @precondition(lambda self: self._heard_of())
    @rule(data=st.data(), kind=st.sampled_from(["delivered", "bounced", "complained"]))
    def report(self, data: st.DataObject, kind: str) -> None:
        pk = data.draw(st.sampled_from(self._heard_of()))
        row = self.rows[pk]
        MailEvent.objects.create(
            source="test",
            source_id=os.urandom(8).hex(),
            delivery_id=pk,
            generation=row.generation,
            kind=kind,
            received_at=timezone.now(),
            raw_sha256=b"",
        )
        apply_events()
        if RANKS[kind] > RANKS[row.state]:
            row.state = kind

    # What must hold after each

    def _stored(self) -> dict[UUID, tuple[str, int, int]]:
        found = Delivery.objects.values_list("pk", "state", "tries", "generation")
        return {pk: (state, tries, generation) for pk, state, tries, generation in found}

    @invariant()
    def rows_are_as_the_model_says(self) -> None:
        assert self._stored() == {pk: (row.state, row.tries, row.generation) for pk, row in self.rows.items()}
        assert Edition.objects.values_list("state", "epoch").get() == (self.state, self.epoch)
        assert set(Batch.objects.filter(settled_at=None).values_list("pk", flat=True)) == set(self._open())

    @invariant()
    def nobody_is_told_twice_and_nobody_is_lost(self) -> None:
        assert not self.inbox or max(self.inbox.values()) == 1
        for pk, row in self.rows.items():
            times = self.inbox[pk, row.generation]
            assert times == 0 or row.state not in NOT_OUT
            assert times == 1 or row.state not in OUT


@pytest.mark.django_db
def test_whatever_happens_in_whatever_order_the_rows_are_what_they_must_be() -> None:
    Deliveries.edition = Edition.objects.with_incident().get(pk=being_sent(PEOPLE).pk)
    Deliveries.people = [make_user("approver"), make_user("dpo")]
    given = os.environ.get("EXAMPLES")
    chosen = settings(
        max_examples=int(given or 8),
        stateful_step_count=30,
        derandomize=given is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    run_state_machine_as_test(Deliveries, settings=chosen)
