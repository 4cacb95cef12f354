from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from breachdesk.audit.models import Anchor, Checkpoint
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.status import trail_status

pytestmark = pytest.mark.django_db


def test_it_counts_what_is_linked_and_what_waits(heartbeats):
    heartbeats(3)
    sequence_pending()
    first = heartbeats(2)[0]
    status = trail_status(first.at + timedelta(seconds=61))
    assert (status.size, status.waiting, status.lag, status.is_late) == (3, 2, timedelta(seconds=61), True)
    assert (status.is_running, status.checkpoint_size, status.anchored_size) == (False, None, None)


def test_nothing_waits_in_an_empty_trail():
    status = trail_status(timezone.now())
    assert (status.size, status.lag, status.is_late) == (0, timedelta(0), False)


def test_a_failed_anchor_does_not_count():
    now = timezone.now()
    Checkpoint.objects.create(size=5, root=bytes(32), note="note", made_at=now)
    Anchor.objects.create(size=3, kind="mail", target="t", ok=True, at=now)
    Anchor.objects.create(size=5, kind="mail", target="t", ok=False, at=now)
    status = trail_status(now)
    assert (status.checkpoint_size, status.anchored_size) == (5, 3)


def test_the_command_tells_it_in_words(heartbeats, capsys):
    heartbeats(2)
    call_command("audit_status")
    told = capsys.readouterr().out
    assert "Events waiting to be linked: 2" in told
    assert "Sequencer: NOT RUNNING" in told
    assert "Last signed checkpoint: none yet" in told
    assert "Last outside anchor: none yet" in told


def test_it_says_for_how_long_nothing_was_signed(signing, heartbeats):
    signing.sign()
    event = heartbeats(1)[0]
    sequence_pending()
    status = trail_status(event.at + timedelta(minutes=5))
    assert (status.unsigned_for, status.is_unsigned_for_long) == (timedelta(minutes=5), False)
    assert trail_status(event.at + timedelta(minutes=6)).is_unsigned_for_long
    signing.sign()
    assert trail_status(event.at + timedelta(minutes=6)).unsigned_for == timedelta(0)


def test_the_command_tells_the_alarm(signing, capsys):
    signing.sign()
    signing.key.unlink()
    signing.look()
    call_command("audit_status")
    told = capsys.readouterr().out
    assert "ALARM: the signer refused to sign the log: key missing, 0 minutes ago, at 1 entries" in told
    assert "Signer: NOT RUNNING" in told
    assert "Last signed checkpoint: size 1, 0 minutes ago" in told
