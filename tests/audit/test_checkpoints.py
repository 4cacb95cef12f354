import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from breachdesk.audit.checkpoints import checkpoint_covering, latest_checkpoint, linked_keys, public_keys
from breachdesk.audit.models import Checkpoint
from breachdesk.audit.sequencer import sequence_everything

pytestmark = pytest.mark.django_db


def add(size):
    with transaction.atomic():
        Checkpoint.objects.create(size=size, root=bytes(32), note="note", made_at=timezone.now())


def test_without_any_there_is_none():
    assert (latest_checkpoint(), checkpoint_covering(0), public_keys()) == (None, None, [])


def test_the_first_one_that_covers_an_entry_is_its_proof():
    for size in (2, 5, 9):
        add(size)
    assert [checkpoint_covering(idx).size for idx in (0, 1, 2, 4, 5, 8)] == [2, 2, 5, 5, 9, 9]
    assert checkpoint_covering(9) is None
    assert latest_checkpoint().size == 9


@pytest.mark.parametrize("size", [0, 4, 5])
def test_the_database_takes_none_that_does_not_grow(size):
    add(5)
    with pytest.raises(IntegrityError):
        add(size)
    assert Checkpoint.objects.count() == 1


def test_a_key_counts_from_the_entry_that_names_it(signing):
    assert (len(public_keys()), linked_keys()) == (1, [])
    sequence_everything()
    assert linked_keys() == [(0, public_keys()[0])]
