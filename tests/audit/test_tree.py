"""Against the definitions of RFC 6962 written down word for word, and against the RFC's own example trees."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.audit.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_of,
    node_of,
    root_at,
    root_of,
    verifies_consistency,
    verifies_inclusion,
)

ENTRIES = [b"entry %d" % n for n in range(70)]
LEAVES = [leaf_of(entry) for entry in ENTRIES]
sizes = st.integers(1, len(ENTRIES))


def largest_power_below(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = largest_power_below(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m, entries):
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m, entries, known):
    n = len(entries)
    if m == n:
        return [] if known else [mth(entries)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, entries[:k], known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], known=False), mth(entries[:k])]


def stored(level, pos):
    """What the database would answer: complete subtrees only."""
    part = ENTRIES[pos << level : (pos + 1) << level]
    assert len(part) == 1 << level, "not a complete subtree"
    return mth(part)


def test_the_empty_tree_and_a_leaf_are_domain_separated():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_of(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of([]) == EMPTY_ROOT


def test_the_roots_known_to_other_implementations():
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    assert root_of(leaf_of(bytes.fromhex(text)) for text in inputs).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


def test_a_root_is_what_the_definition_says():
    for size in range(66):
        assert root_of(LEAVES[:size]) == mth(ENTRIES[:size]) == root_at(size, stored), size


def test_the_example_of_the_rfc_with_seven_leaves():
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_of(a, b), node_of(c, d), node_of(e, f)
    k, el = node_of(g, h), node_of(i, j)
    assert root_of(LEAVES[:7]) == node_of(k, el)
    assert inclusion_proof(0, 7, stored) == [b, h, el]
    assert inclusion_proof(3, 7, stored) == [c, g, el]
    assert inclusion_proof(4, 7, stored) == [f, j, k]
    assert inclusion_proof(6, 7, stored) == [i, k]
    assert consistency_proof(3, 7, stored) == [c, d, g, el]
    assert consistency_proof(4, 7, stored) == [el]
    assert consistency_proof(6, 7, stored) == [i, j, k]


@given(sizes, st.data())
def test_inclusion_proofs_are_the_rfcs_and_verify(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, stored)
    assert proof == path(index, ENTRIES[:size])
    assert verifies_inclusion(LEAVES[index], index, size, proof, root_of(LEAVES[:size]))


@given(sizes, st.data())
def test_consistency_proofs_are_the_rfcs_and_verify(new, data):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, stored)
    assert proof == subproof(old, ENTRIES[:new], known=True)
    assert verifies_consistency(old, root_of(LEAVES[:old]), new, root_of(LEAVES[:new]), proof)


def test_only_the_right_place_verifies():
    for size in range(1, 20):
        root = root_of(LEAVES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, stored)
            for other in set(range(size + 2)) - {index}:
                assert not verifies_inclusion(LEAVES[index], other, size, proof, root)


@given(sizes, st.data())
def test_a_changed_shortened_or_lengthened_inclusion_proof_fails(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, stored), root_of(LEAVES[:size])
    for wrong in broken(proof):
        assert not verifies_inclusion(LEAVES[index], index, size, wrong, root)
    assert not verifies_inclusion(leaf_of(b"forged"), index, size, proof, root)


@given(sizes, st.data())
def test_a_rewritten_past_has_no_consistency_proof(new, data):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, stored)
    old_root, new_root = root_of(LEAVES[:old]), root_of(LEAVES[:new])
    for wrong in broken(proof):
        assert not verifies_consistency(old, old_root, new, new_root, wrong)
    forged = root_of([leaf_of(b"forged"), *LEAVES[1:old]])
    assert not verifies_consistency(old, forged, new, new_root, proof)
    assert not verifies_consistency(new + 1, old_root, new, new_root, proof)


def broken(proof):
    yield [*proof, bytes(32)]
    for i in range(len(proof)):
        yield proof[:i] + proof[i + 1 :]
        yield [*proof[:i], bytes(32), *proof[i + 1 :]]


@given(st.integers(0, 40), st.integers(0, 29))
def test_a_frontier_goes_on_from_where_it_stopped(before, after):
    frontier = Frontier(before, [stored(*place) for place in Frontier.places(before)])
    completed = [node for leaf in LEAVES[before : before + after] for node in frontier.add(leaf)]
    assert frontier.root() == mth(ENTRIES[: before + after])
    assert all(digest == stored(level, pos) for level, pos, digest in completed)
    assert len(completed) == complete_subtrees(before + after) - complete_subtrees(before)


def complete_subtrees(size):
    return sum(size >> level for level in range(1, size.bit_length()))


def test_a_frontier_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="has 2 complete subtrees, not 1"):
        Frontier(3, [LEAVES[0]])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, stored)
    assert not verifies_inclusion(LEAVES[0], index, size, [], EMPTY_ROOT)


def test_the_empty_tree_is_extended_by_every_tree():
    assert consistency_proof(0, 5, stored) == []
    assert verifies_consistency(0, EMPTY_ROOT, 5, root_of(LEAVES[:5]), [])
    assert not verifies_consistency(0, LEAVES[0], 5, root_of(LEAVES[:5]), [])
    with pytest.raises(ValueError, match="cannot extend"):
        consistency_proof(6, 5, stored)
