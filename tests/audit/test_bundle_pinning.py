"""How a case's history in a bundle ends: with a head that directly follows the entry it names."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from breachdesk.audit.bundle.pinning import BundleRefused, Patience, pin_head, wait_for_checkpoint, wait_until_linked
from breachdesk.audit.canonical import base64url
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything, sequencer_lock
from tests.factories import make_incident
from tests.signing import Signing

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def another_sequencer() -> Iterator[None]:
    """It holds the lock and links nothing."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sequencer_lock() as held:
            assert held
            holds.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    yield
    done.set()
    thread.join()


def test_the_head_names_the_entry_before_it() -> None:
    incident = make_incident()
    assert sequence_everything()
    head = pin_head(incident.pk, Patience.of(10))
    before = Entry.objects.get(incident=incident.pk, inc_n=head.inc_n - 1)
    data = Event.objects.get(event_id=head.event_id).content["data"]
    assert data == {"inc_n": before.inc_n, "inc_leaf": base64url(bytes(before.leaf))}


def test_when_something_came_between_it_is_recorded_again() -> None:
    incident = make_incident()
    assert sequence_everything()
    with transaction.atomic():
        record("incident.closed", by=None, incident=incident.pk)
    head = pin_head(incident.pk, Patience.of(10))
    heads = list(Event.objects.of_incident(incident.pk).of_type("incident.head").oldest_first())
    assert len(heads) == 2
    assert head.event_id == heads[-1].event_id
    assert heads[-1].content["data"]["inc_n"] == head.inc_n - 1


def test_a_case_that_is_not_in_the_log_has_no_end() -> None:
    with pytest.raises(BundleRefused, match="holds no entry of this incident"):
        pin_head(make_incident().pk, Patience.of(0))


def test_it_links_by_itself_only_when_nobody_else_does() -> None:
    with transaction.atomic():
        event = record("heartbeat", by=None, log_size=0)
    with another_sequencer(), pytest.raises(BundleRefused, match=r"Start the sequencer \(manage\.py run_sequencer\)"):
        wait_until_linked(event.event_id, Patience.of(0.2))
    assert wait_until_linked(event.event_id, Patience.of(10)).idx == 0


def test_the_checkpoint_is_the_first_that_covers_the_head(signing: Signing) -> None:
    incident = make_incident()
    assert sequence_everything()
    head = pin_head(incident.pk, Patience.of(10))
    with pytest.raises(BundleRefused, match=rf"entry {head.idx}.*\(manage\.py run_signer\)"):
        wait_for_checkpoint(head, Patience.of(0))
    first = signing.sign()
    make_incident()
    signing.sign()
    assert wait_for_checkpoint(head, Patience.of(0)) == first
