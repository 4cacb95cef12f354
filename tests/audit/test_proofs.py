"""One event proved alone: as a JSON object, and as the text that tools of others read."""

import json
from base64 import b64decode
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from breachdesk.audit.canonical import canonical, from_base64url
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.note import parse_note
from breachdesk.audit.proofs import (
    EventProof,
    NotProvable,
    event_proof,
    inclusion_proofs,
    stored_consistency_proof,
    stored_root,
)
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.tree import leaf_of, root_of, verifies_consistency, verifies_inclusion

pytestmark = pytest.mark.django_db


def test_every_event_under_a_checkpoint_has_its_proof(heartbeats: Any, signing: Any) -> None:
    heartbeats(20)
    checkpoint = signing.sign()
    for entry in Entry.objects.all():
        proof = event_proof(entry.idx)
        assert (proof.entry, proof.note) == (bytes(entry.entry), checkpoint.note)
        assert proof.body == bytes(Event.objects.get(event_id=entry.event_id).body)
        assert verifies_inclusion(leaf_of(proof.entry), entry.idx, checkpoint.size, proof.path, bytes(checkpoint.root))


def test_it_can_be_made_against_an_older_checkpoint(heartbeats: Any, signing: Any) -> None:
    heartbeats(5)
    older = signing.sign()
    heartbeats(5)
    newer = signing.sign()
    assert event_proof(2).note == newer.note
    proof = event_proof(2, older)
    assert proof.note == older.note
    assert verifies_inclusion(leaf_of(proof.entry), 2, older.size, proof.path, bytes(older.root))


def test_what_no_checkpoint_covers_is_refused_with_a_sentence(heartbeats: Any, signing: Any) -> None:
    heartbeats(1)
    with pytest.raises(NotProvable, match="No signed checkpoint covers entry 0"):
        event_proof(0)
    size = signing.sign().size
    heartbeats(1)
    assert sequence_everything()
    with pytest.raises(NotProvable, match=f"No signed checkpoint covers entry {size}"):
        event_proof(size)


def test_the_json_form_holds_everything_a_check_needs(heartbeats: Any, signing: Any) -> None:
    heartbeats(9)
    checkpoint = signing.sign()
    told = json.loads(event_proof(4).as_json())
    assert canonical(told) == event_proof(4).as_json()
    assert told["v"] == 1
    path = [from_base64url(step) for step in told["proof"]]
    note = parse_note(told["checkpoint"])
    assert verifies_inclusion(leaf_of(told["entry"].encode()), told["n"], note.size, path, note.root)
    assert note.size == checkpoint.size


def test_the_text_form_reads_line_by_line_as_specified() -> None:
    """https://c2sp.org/tlog-proof: header, extra, index, one hash a line from the leaf upwards, checkpoint verbatim."""
    note = "example.com/log\n7\nAAAA\n\n— example.com/log BBBB\n"
    proof = EventProof(5, b'{"n":5}', b'{"v":1}', [b"\x01" * 32, b"\x02" * 32], note)
    header, extra, index, first, second, gap, rest = proof.as_tlog_proof().split("\n", 6)
    assert (header, index, gap, rest) == ("c2sp.org/tlog-proof@v1", "index 5", "", note)
    assert (b64decode(first), b64decode(second)) == (b"\x01" * 32, b"\x02" * 32)
    kind, _, encoded = extra.partition(" ")
    assert kind == "extra"
    assert json.loads(b64decode(encoded)) == {"entry": '{"n":5}', "body": '{"v":1}'}


def test_a_proof_without_steps_has_no_lines_between() -> None:
    lines = EventProof(0, b"{}", b"{}", [], "note\n").as_tlog_proof().split("\n")
    assert lines[2:] == ["index 0", "", "note", ""]


def test_proofs_cost_one_query_however_many_and_however_long_the_log(heartbeats: Any) -> None:
    heartbeats(70)
    assert sequence_everything()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        inclusion_proofs([0, 3, 33, 69], 70)
    assert len(queries) == 1


def test_roots_and_consistency_proofs_come_from_stored_nodes(heartbeats: Any) -> None:
    heartbeats(33)
    assert sequence_everything()
    leaves = [bytes(leaf) for leaf in Entry.objects.order_by("idx").values_list("leaf", flat=True)]
    for old in range(1, 34):
        proof = stored_consistency_proof(old, 33)
        assert stored_root(old) == root_of(leaves[:old])
        assert verifies_consistency(old, root_of(leaves[:old]), 33, root_of(leaves), proof)
