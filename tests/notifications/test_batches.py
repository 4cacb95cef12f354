"""What a settled batch says: the same lines for ever, each with a commitment to exactly the address that was used."""

import json
from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

import pytest

from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.tree import leaf_of, root_of
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from notifications import delivery, sweeping
from notifications.batches import close_batch, delivery_lines, recipient_salt, rows_of_batch
from notifications.models import Attempt, Batch, Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import destroy_key, make_edition_being_sent, unguarded
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_delivery_states import ACCEPTED, claimed_and_begun
from tests.notifications.test_drain import being_sent, drain, through  # noqa: F401

LOST = Outcome(Kind.UNKNOWN, Phase.DOT)
NOBODY = Outcome(Kind.REFUSED, Phase.RCPT, 550, "5.1.1", b"x" * 32)


def lines_of(token: UUID) -> list[str]:
    return [row.line for row in rows_of_batch(token)]


def settled(edition: Edition) -> tuple[UUID, list[UUID]]:
    """One handed over, one unknown, one refused."""
    token, rows = claimed_and_begun(edition)
    delivery.settle(token, [(row, 0, said) for row, said in zip(rows, (ACCEPTED, LOST, NOBODY), strict=True)])
    assert close_batch(token)
    return token, rows


@pytest.mark.django_db
def test_a_line_is_the_canonical_form_of_what_came_of_a_message() -> None:
    token, (accepted, lost, refused) = settled(make_edition_being_sent())
    told = {row.id: row for row in Delivery.objects.all()}
    closed = {row.delivery_id: row.closed_at for row in Attempt.objects.all()}
    settled_at = told[accepted].settled_at
    assert settled_at is not None
    committed, reply, other = base64url(b"c" * 32), base64url(b"r" * 32), base64url(b"x" * 32)
    expected = [
        [time_text(settled_at), 250, str(accepted), "handed_over", committed, reply, 1],
        [time_text(closed[lost]), None, str(lost), "unknown", committed, None, 1],
        [time_text(closed[refused]), 550, str(refused), "refused", committed, other, 1],
    ]
    names = ("at", "code", "delivery", "outcome", "recipient", "reply", "try")
    assert lines_of(token) == [canonical(dict(zip(names, row, strict=True))).decode() for row in expected]


@pytest.mark.django_db
def test_the_event_of_a_batch_carries_the_root_over_its_lines() -> None:
    token, _ = settled(make_edition_being_sent())
    said = Event.objects.get(type="delivery.batch_settled").content["data"]
    assert said["rows_root"] == base64url(root_of(leaf_of(line.encode()) for line in lines_of(token)))
    assert (said["rows"], said["handed_over"], said["unknown"], said["refused"]) == (3, 1, 1, 1)


@pytest.mark.django_db
def test_what_happens_after_the_settling_changes_no_line() -> None:
    edition = make_edition_being_sent()
    token, (accepted, lost, _) = settled(edition)
    before = lines_of(token)
    delivery.tell_late(token, delivery.settle(token, [(lost, 0, ACCEPTED)]))
    with unguarded():
        Delivery.objects.filter(pk=accepted).update(state="bounced")
        Person.objects.update(sealed=b"another address", held=True)
    destroy_key(edition.notice.incident_id)
    assert lines_of(token) == before


@pytest.mark.django_db
def test_a_message_that_could_not_be_made_went_to_nobody() -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 1)
    delivery.block(token, {rows[0].id: "This person has no value for ((first name))."})
    [line] = map(json.loads, lines_of(token))
    assert (line["outcome"], line["recipient"], line["code"], line["try"]) == ("blocked", None, None, 1)


@pytest.mark.django_db(transaction=True)
def test_each_line_commits_to_the_address_of_the_envelope(through: Callable[..., None]) -> None:  # noqa: F811
    edition = being_sent(5)
    with Sink([Fault("rcpt", "550 5.1.1 nobody", "person0003"), Fault("dot", "take_and_drop", "person0001")]) as sink:
        through(sink)
        drain(edition)
    cipher = cipher_for(edition.notice.incident_id)
    [token] = Batch.objects.values_list("pk", flat=True)
    lines = [json.loads(line) for line in lines_of(token)]
    for line in lines:
        row = Delivery.objects.select_related("person").get(pk=line["delivery"])
        address = personal_of(cipher, row.person)["email"].encode()
        salt = recipient_salt(cipher, row.pk, line["try"])
        assert line["recipient"] == base64url(sha256(b"\x02" + salt + b"\x00\x09recipient" + address).digest())
    assert sorted(line["outcome"] for line in lines) == [
        "handed_over",
        "handed_over",
        "handed_over",
        "refused",
        "unknown",
    ]


@pytest.mark.django_db
def test_a_lost_hand_over_is_known_by_whom_it_was_for() -> None:
    edition = make_edition_being_sent()
    token, _ = claimed_and_begun(edition, 1)
    sweeping.mark_unknown(token)
    [line] = map(json.loads, lines_of(token))
    assert (line["outcome"], line["recipient"], line["try"]) == ("unknown", base64url(b"c" * 32), 1)


@pytest.mark.django_db
def test_every_try_has_a_salt_of_its_own() -> None:
    edition = make_edition_being_sent()
    cipher = cipher_for(edition.notice.incident_id)
    ids = list(Delivery.objects.values_list("pk", flat=True))
    assert len({recipient_salt(cipher, row, number) for row in ids for number in (1, 2, 300)}) == 9


@pytest.mark.django_db
def test_all_lines_of_an_incident_stand_in_the_order_of_the_log() -> None:
    edition = make_edition_being_sent()
    tokens = []
    for _ in range(2):
        token, rows = claimed_and_begun(edition, 1)
        delivery.settle(token, [(rows[0], 0, ACCEPTED)])
        tokens.append(token)
    for token in reversed(tokens):
        close_batch(token)
    assert list(delivery_lines(edition.notice.incident_id)) == [], "nothing is linked yet"
    assert sequence_everything()
    found = list(delivery_lines(edition.notice.incident_id))
    assert found == [(token, 0, lines_of(token)[0]) for token in reversed(tokens)]
