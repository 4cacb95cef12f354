"""What the signer signs, and what it refuses to sign. Time is not waited for: these signers sign at every look."""

import pytest

from breachdesk.audit.checkpoints import checkpoint_covering, latest_checkpoint, public_keys
from breachdesk.audit.note import verify_note
from breachdesk.audit.verification import verify

pytestmark = pytest.mark.django_db


def test_it_signs_the_root_over_everything_linked(signing, heartbeats):
    heartbeats(4)
    checkpoint = signing.sign()
    note = verify_note(checkpoint.note, public_keys())
    assert (note.size, note.root) == (5, verify().root)
    assert (bytes(checkpoint.root), signing.last_note.read_text()) == (note.root, checkpoint.note)


def test_it_signs_again_only_when_the_tree_grew(signing, heartbeats):
    assert signing.sign().size == 1
    assert signing.look() is None
    heartbeats(2)
    assert signing.look() is None
    assert signing.sign().size == 3
    assert [checkpoint_covering(idx).size for idx in (0, 1, 2)] == [1, 3, 3]
    assert checkpoint_covering(3) is None
    assert latest_checkpoint().size == 3
