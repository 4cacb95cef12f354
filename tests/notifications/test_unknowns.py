"""What nobody knows is decided by people: one to take it as sent, two to send it again, about exactly what they saw."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.models import PendingDecision, User
from breachdesk.audit.models import Event
from breachdesk.people.models import Person
from notifications import delivery, replanning, sweeping
from notifications.actions import (
    ask_resend,
    cancel_edition,
    confirm_resend,
    give_up,
    pause_edition,
    take_as_sent,
    try_again,
    withdraw_resend,
)
from notifications.batches import close_batch
from notifications.mail_events import Kind, Report, apply_events, keep
from notifications.models import Delivery, DeliveryDecision, Edition, MailEvent
from notifications.reconciling import stop_what_was_sent
from notifications.unknowns import BLOCKED, Chosen, Rule, chosen_by
from notifications.verp import Sending
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.test_reconcile import unknowns

pytestmark = pytest.mark.django_db

WHY = "The relay's log of that hour is lost."
STOPPED = Rule(of=BLOCKED)


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    """Being sent; the outcome of two of three is unknown since two days, one waits."""
    edition = make_edition_being_sent()
    rows = unknowns(edition, 2)
    with unguarded():
        Delivery.objects.filter(pk__in=rows).update(settled_at=timezone.now() - timedelta(days=2))
        with connection.cursor() as cursor:
            cursor.execute("UPDATE notifications_attempt SET closed_at = now() - interval '2 days'")
    return edition


@pytest.fixture(scope="module")
def asker(made_once: None) -> User:
    return make_user("approver")


@pytest.fixture(scope="module")
def second(made_once: None) -> User:
    return make_user("dpo")


def chosen(edition: Edition, rule: Rule | None = None) -> Chosen:
    return chosen_by(edition, rule or Rule())


def ask(edition: Edition, by: User, rule: Rule | None = None) -> DeliveryDecision:
    rule = rule or Rule()
    return ask_resend(edition, rule=rule, rows_root=chosen(edition, rule).root, reason=WHY, by=by)


def root(decision: DeliveryDecision) -> bytes:
    return bytes(decision.rows_root)


def states(edition: Edition) -> dict[str, int]:
    return Delivery.objects.tally([edition])[edition.pk]


def finish(edition: Edition) -> Edition:
    """Whoever waits is sent to first."""
    token, rows = delivery.claim(edition.pk, 10)
    delivery.block(token, {row.id: "This person's address is no address." for row in rows})
    close_batch(token)
    assert sweeping.finish_if_done(edition.pk)
    return Edition.objects.with_incident().get(pk=edition.pk)


def test_one_person_takes_them_as_sent_and_it_stands_in_the_trail(edition: Edition, asker: User) -> None:
    seen = chosen(edition)
    decision = take_as_sent(edition, rule=Rule(), rows_root=seen.root, reason=WHY, by=asker)
    assert states(edition) == {"planned": 1, "assumed_sent": 2}
    told = Event.objects.of_type("delivery.decided").newest_first()[0]
    assert (told.content["data"]["people"], told.content["data"]["kind"]) == (2, "assume_sent")
    assert told.content["object"]["id"] == str(decision.pk)
    assert b"that hour" not in told.body


def test_a_second_person_agrees_to_exactly_these(edition: Edition, asker: User, second: User) -> None:
    before = set(chosen(edition).ids)
    decision = ask(edition, asker)
    assert states(edition) == {"planned": 1, "unknown": 2}, "asking sends nothing"
    [asked] = PendingDecision.objects.open().about(decision)
    assert asker in asked.excluded.all()
    assert confirm_resend(decision, rows_root=root(decision), by=second) == 2
    assert states(edition) == {"planned": 3}
    again = Delivery.objects.filter(pk__in=before)
    assert set(again.values_list("generation", "decision")) == {(1, decision.pk)}
    told = Event.objects.of_type("delivery.decided").newest_first()[0].content
    assert (told["data"]["asked_by"], told["data"]["moved"]) == (str(asker.pk), 2)
    assert told["actor"]["id"] == str(second.pk)
    assert not PendingDecision.objects.open().about(decision).exists()
    assert len(delivery.claim(edition.pk, 10)[1]) == 3, "they are sent like everybody else"


def test_whoever_was_heard_of_meanwhile_drops_out(edition: Edition, asker: User, second: User) -> None:
    decision = ask(edition, asker)
    heard = chosen(edition).ids[0]
    with unguarded():
        Delivery.objects.filter(pk=heard).update(state="delivered")
    client = Client()
    client.force_login(second)
    reference = edition.notice.incident.reference
    page = client.get(reverse("unknown", args=[reference, edition.pk])).content.decode()
    assert "they drop out, and 1 person is left" in " ".join(page.split())
    question = reverse("resend-confirm", args=[reference, edition.pk, decision.pk]) + f"?seen={root(decision).hex()}"
    assert "Of the 2 asked about, 1 were heard of meanwhile" in client.get(question).content.decode()
    sent = client.post(question, {"version": edition.version}, follow=True)
    assert "1 person are sent the message once more." in sent.content.decode()
    assert states(edition) == {"planned": 2, "delivered": 1}


def test_whoever_was_heard_of_a_moment_ago_drops_out_before_the_sweeper_comes_by(
    edition: Edition, asker: User, second: User
) -> None:
    decision = ask(edition, asker)
    heard = chosen(edition).ids[0]
    keep(Report("postmark", "e-1", Kind.DELIVERED, Sending(heard, 0), "", timezone.now(), b"r" * 32))
    assert confirm_resend(decision, rows_root=root(decision), by=second) == 1
    apply_events()
    assert Delivery.objects.get(pk=heard).state == "delivered"
    assert states(edition) == {"planned": 2, "delivered": 1}


ATTACKS: dict[str, Callable[[Edition, DeliveryDecision, User, User], object]] = {
    "You asked for this": lambda edition, asked, asker, second: confirm_resend(asked, rows_root=root(asked), by=asker),
    "not the people that were asked about": lambda edition, asked, asker, second: confirm_resend(
        asked, rows_root=b"f" * 32, by=second
    ),
    "changed by somebody else": lambda edition, asked, asker, second: confirm_resend(
        asked, rows_root=root(asked), by=second, expected_version=1
    ),
    "waits already": lambda edition, asked, asker, second: ask(edition, second),
    "part of the question": lambda edition, asked, asker, second: take_as_sent(
        edition, rule=Rule(), rows_root=chosen(edition).root, reason=WHY, by=second
    ),
    "Say why": lambda edition, asked, asker, second: take_as_sent(
        edition, rule=Rule(), rows_root=chosen(edition).root, reason=" ", by=second
    ),
    "not the people you saw": lambda edition, asked, asker, second: take_as_sent(
        edition, rule=Rule(), rows_root=chosen(edition, Rule(batch="x")).root, reason=WHY, by=second
    ),
    "Nobody is left": lambda edition, asked, asker, second: take_as_sent(
        edition, rule=Rule(batch="x"), rows_root=chosen(edition, Rule(batch="x")).root, reason=WHY, by=second
    ),
    "Only what was stopped": lambda edition, asked, asker, second: try_again(
        edition, rule=Rule(), rows_root=chosen(edition).root, reason=WHY, by=asker
    ),
}


@pytest.mark.parametrize("sentence", ATTACKS)
def test_what_is_refused_changes_nothing(edition: Edition, asker: User, second: User, sentence: str) -> None:
    asked = ask(edition, asker)
    with pytest.raises(ValidationError, match=sentence), transaction.atomic():
        ATTACKS[sentence](edition, asked, asker, second)
    assert states(edition) == {"planned": 1, "unknown": 2}


def test_not_before_the_term_not_by_anybody_not_twice(edition: Edition, asker: User, second: User) -> None:
    with pytest.raises(PermissionDenied):
        ask(edition, make_user("author"))
    with pytest.raises(PermissionDenied):
        try_again(edition, rule=STOPPED, rows_root=chosen(edition, STOPPED).root, reason=WHY, by=second)
    asked = ask(edition, asker)
    withdraw_resend(asked, by=asker)
    with pytest.raises(ValidationError, match="decided already"):
        confirm_resend(asked, rows_root=root(asked), by=second)
    assert Event.objects.of_type("delivery.decision_withdrawn").count() == 1
    again = ask(edition, asker)
    confirm_resend(again, rows_root=root(again), by=second)
    with pytest.raises(ValidationError, match="decided already"):
        confirm_resend(again, rows_root=root(again), by=second)
    unknowns(edition, 3)
    with pytest.raises(ValidationError, match="3 of these 3 are younger than 24 hours"):
        ask(edition, asker)


def test_a_finished_edition_goes_on_a_paused_stays_and_a_cancelled_cannot(
    edition: Edition, asker: User, second: User
) -> None:
    with transaction.atomic():
        finished = finish(edition)
        asked = ask(finished, asker)
        confirm_resend(asked, rows_root=root(asked), by=second)
        now = Edition.objects.get(pk=edition.pk)
        assert (now.state, now.epoch, states(edition)) == ("sending", 2, {"planned": 2, "blocked": 1})
        reopened = Event.objects.of_type("edition.reopened").newest_first()[0].content["data"]
        assert (reopened["people"], reopened["kind"]) == (2, "resend")
        transaction.set_rollback(True)
    with transaction.atomic():
        pause_edition(edition, by=second)
        asked = ask(edition, asker)
        confirm_resend(asked, rows_root=root(asked), by=second)
        assert Edition.objects.get(pk=edition.pk).state == "paused"
        assert delivery.claim(edition.pk, 10)[1] == []
        transaction.set_rollback(True)
    asked = ask(edition, asker)
    cancel_edition(edition, by=second)
    for step in (lambda: confirm_resend(asked, rows_root=root(asked), by=second), lambda: ask(edition, second)):
        with pytest.raises(ValidationError, match="cannot be sent to anybody again"), transaction.atomic():
            step()
    withdraw_resend(asked, by=second)
    take_as_sent(edition, rule=Rule(), rows_root=chosen(edition).root, reason=WHY, by=second)


FORGED = {
    "by whoever asked": "UPDATE notifications_deliverydecision SET confirmed_by_id = asked_by_id, confirmed_at = now()",
    "other rows": "UPDATE notifications_deliverydecision SET rows_root = '\\x00'",
    "unasked": "UPDATE notifications_delivery SET state = 'planned', generation = generation + 1, token = NULL, "
    "next_at = now() WHERE state = 'unknown'",
    "before the second yes": "UPDATE notifications_delivery SET state = 'planned', generation = generation + 1, "
    "token = NULL, next_at = now(), decision_id = (SELECT id FROM notifications_deliverydecision) "
    "WHERE state = 'unknown'",
    "taken as sent by a question": "UPDATE notifications_delivery SET state = 'assumed_sent' WHERE state = 'unknown'",
    "deleted": "DELETE FROM notifications_deliverydecision",
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_the_database_refuses_it_too(edition: Edition, asker: User, forged: str) -> None:
    ask(edition, asker)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(forged)


def test_another_editions_decision_or_a_withdrawn_one_moves_nothing(
    edition: Edition, asker: User, second: User
) -> None:
    asked = ask(edition, asker)
    rows = chosen(edition).ids
    withdraw_resend(asked, by=second)
    with pytest.raises(DatabaseError, match="No decision that stands"), transaction.atomic():
        replanning.move(DeliveryDecision.objects.get(pk=asked.pk), rows)
    other = DeliveryDecision.objects.get(pk=asked.pk)
    other.pk, other.kind, other.voided_at = uuid4(), DeliveryDecision.Kind.ASSUME_SENT, None
    other.confirmed_by, other.confirmed_at = second, timezone.now()
    with unguarded():
        other.edition = Edition.objects.create(notice=edition.notice, language="fr", revision=1)
        other.save(force_insert=True)
    other.edition_id = edition.pk  # as a forged request would have it
    with pytest.raises(DatabaseError, match="No decision that stands"), transaction.atomic():
        replanning.move(other, rows)


def stop_rest(edition: Edition) -> UUID:
    token, rows = delivery.claim(edition.pk, 10)
    delivery.block(token, {row.id: "This person's address is no address." for row in rows})
    close_batch(token)
    return rows[0].id


def test_what_was_stopped_is_tried_again_or_given_up(edition: Edition, asker: User) -> None:
    stop_rest(edition)
    before = Edition.objects.get(pk=edition.pk).version
    with transaction.atomic():
        try_again(edition, rule=STOPPED, rows_root=chosen(edition, STOPPED).root, reason=WHY, by=asker)
        assert states(edition) == {"planned": 1, "unknown": 2}
        transaction.set_rollback(True)
    why = chosen(edition, STOPPED).phases[0]
    assert (why.label, why.number) == ("This person's address is no address.", 1)
    only = Rule(of=BLOCKED, phase=why.value)
    given_up = give_up(
        edition, rule=only, rows_root=chosen(edition, only).root, reason=WHY, by=asker, expected_version=before
    )
    assert (states(edition), given_up.rule["phase"]) == ({"cancelled": 1, "unknown": 2}, why.value)


def test_a_row_that_was_tampered_with_can_be_looked_at_and_given_up(edition: Edition, asker: User) -> None:
    row = Delivery.objects.get(pk=stop_rest(edition))
    with unguarded():
        Person.objects.filter(pk=row.person_id).update(row_checksum=b"x" * 32)
    client = Client()
    client.force_login(asker)
    page = client.get(reverse("unknown", args=[edition.notice.incident.reference, edition.pk]) + "?of=blocked")
    assert "Give 1 up" in page.content.decode()


def test_what_was_stopped_because_it_was_sent_is_only_taken_as_sent(edition: Edition, asker: User) -> None:
    row = Delivery.objects.get(edition=edition, state="planned").pk
    MailEvent.objects.create(
        source="postfix_log", source_id="4F1A2B", delivery_id=row, generation=0, kind="accepted",
        received_at=timezone.now(), raw_sha256=b"0" * 32,
    )  # fmt: skip
    assert stop_what_was_sent() == 1
    seen = chosen(edition, STOPPED)
    for step in (try_again, give_up):
        with pytest.raises(ValidationError, match="nobody gets a message twice"), transaction.atomic():
            step(edition, rule=STOPPED, rows_root=seen.root, reason=WHY, by=asker)
    with unguarded():
        decision = DeliveryDecision.objects.create(
            edition=edition, kind="try_again", reason=WHY, people=1, rows_root=b"0" * 32, asked_by=asker,
            asked_at=timezone.now(), confirmed_by=asker, confirmed_at=timezone.now(),
        )  # fmt: skip
    with pytest.raises(DatabaseError, match="taken as sent"), transaction.atomic():
        replanning.move(decision, [row])
    take_as_sent(edition, rule=STOPPED, rows_root=seen.root, reason=WHY, by=asker)
    assert states(edition) == {"assumed_sent": 1, "unknown": 2}


def test_the_page_shows_what_is_known_masked_and_what_may_be_done(edition: Edition, asker: User) -> None:
    row = chosen(edition).ids[0]
    MailEvent.objects.create(
        source="postfix_log", source_id="absent", delivery_id=row, generation=0, kind="absent",
        received_at=timezone.now(), raw_sha256=b"0" * 32,
    )  # fmt: skip
    client = Client()
    client.force_login(asker)
    reference = edition.notice.incident.reference
    address = reverse("unknown", args=[reference, edition.pk])
    page = client.get(address).content.decode()
    for said in (
        "2 people of whom nobody knows", "Written whole; no answer was read", "the relay never had it",
        "24 hours or older", f"&lt;{row}@", "Try 1", "Take 2 as sent", "Ask to send 2 again", "@e••••.",
    ):  # fmt: skip
        assert said in page, said
    assert "@example." not in page
    for choice, number in (({"heard": "absent"}, 1), ({"heard": "nothing", "phase": "dot"}, 1), ({"age": "young"}, 0)):
        narrow = client.get(address, choice).content.decode()
        assert f"Ask to send {number} again" in narrow if number else "Nobody fits this choice" in narrow, choice
    seen = f"?seen={chosen(edition).root.hex()}"
    step = reverse("unknown-sent", args=[reference, edition.pk])
    assert client.get(step + "?seen=00").status_code == 409
    assert "Take the message to 2 people as sent?" in client.get(step + seen).content.decode()
    done = client.post(step + seen, {"version": edition.version, "reason": WHY}, follow=True).content.decode()
    assert "2 are taken as sent." in done
    assert "Nothing is unknown" in done
    assert "Decided so far" in done
    auditor = Client()
    auditor.force_login(make_user("auditor"))
    read = auditor.get(address).content.decode()
    assert "as sent</a>" not in read
    assert auditor.get(step + seen).status_code == 403


def test_open_doubts_and_the_question_are_where_open_work_is_listed(
    edition: Edition, asker: User, second: User
) -> None:
    stop_rest(edition)
    ask(edition, asker)
    client = Client()
    client.force_login(second)
    address = reverse("unknown", args=[edition.notice.incident.reference, edition.pk])
    home = client.get(reverse("home")).content.decode()
    assert "2 people: nobody knows whether the message left; 1 person stopped." in home
    assert "send again to 2 people who may have the message" in home
    assert home.count(f'href="{address}"') == 2, "the question, and the doubts"
    sent = client.get(reverse("send", args=[edition.notice.incident.reference, edition.pk])).content.decode()
    assert f'href="{address}"' in sent
    assert f'href="{address}?of=blocked"' in sent
    assert sweeping.finish_if_done(edition.pk)
    assert "2 people: nobody knows" in client.get(reverse("home")).content.decode(), "also once it has ended"
