"""What bd_verify.py computes by itself: Ed25519, the tree, canonical JSON; against vectors and others' code."""

import json
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.audit.canonical import canonical
from breachdesk.audit.tree import Frontier, consistency_proof, inclusion_proof, leaf_of, root_at

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    "TEST SHA(abc)": (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
}  # fmt: skip
# All points of order 1, 2, 4 and 8, as they are encoded.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]
# Other ways to write such points, and y that is not below p.
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_ed25519_of_the_rfc(bd_verify: Any, vector: tuple[str, str, str]) -> None:
    public, message, signature = map(bytes.fromhex, vector)
    assert bd_verify.is_signed(public, message, signature)
    assert not bd_verify.is_signed(public, message + b"x", signature)
    assert not bd_verify.is_signed(public, message, signature[:-1])
    assert not bd_verify.is_signed(public, message, signature + b"\x00")


def test_ed25519_of_a_long_message(bd_verify: Any) -> None:
    """TEST 1024 is 1023 bytes long; the library agrees with the RFC on it, so it may sign."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    message = bytes(range(256)) * 4
    assert bd_verify.is_signed(key.public_key().public_bytes_raw(), message[:1023], key.sign(message[:1023]))


def test_s_is_below_the_order(bd_verify: Any) -> None:
    public, message, signature = map(bytes.fromhex, VECTORS["TEST 3"])
    more = int.from_bytes(signature[32:], "little") + bd_verify.L
    assert not bd_verify.is_signed(public, message, signature[:32] + more.to_bytes(32, "little"))


@pytest.mark.parametrize("encoded", SMALL_ORDER + NOT_CANONICAL)
def test_keys_that_anybody_could_sign_for(bd_verify: Any, encoded: str) -> None:
    assert not bd_verify.is_good_key(bytes.fromhex(encoded))
    # R = identity and S = 0 fit every message under a key of order 1, in code that does not look.
    assert not bd_verify.is_signed(bytes.fromhex(encoded), b"x", b"\x01" + bytes(63))


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=80), bit=st.integers(0, 8 * 96 - 1))
def test_ed25519_agrees_with_the_library(bd_verify: Any, seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert bd_verify.is_signed(public, message, signature)
    changed = bytearray(public + signature)
    changed[bit // 8] ^= 1 << bit % 8
    public, signature = bytes(changed[:32]), bytes(changed[32:])
    assert bd_verify.is_signed(public, message, signature) is library_says(public, message, signature) is False


def library_says(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# The tree

LEAVES = [leaf_of(str(n).encode()) for n in range(40)]


def node(level: int, pos: int) -> bytes:
    frontier = Frontier()
    for leaf in LEAVES[pos << level : (pos + 1) << level]:
        frontier.add(leaf)
    return frontier.root()


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 40])
def test_every_proof_of_a_size(bd_verify: Any, size: int) -> None:
    root = root_at(size, node)
    for index in range(size):
        proof = inclusion_proof(index, size, node)
        assert bd_verify.root_by_inclusion(LEAVES[index], index, size, proof) == root
        for wrong in spoilt(proof):
            assert outcome(bd_verify, bd_verify.root_by_inclusion, LEAVES[index], index, size, wrong) != root
    for old in range(1, size):
        proof, before = consistency_proof(old, size, node), root_at(old, node)
        assert bd_verify.roots_by_consistency(old, size, proof, before) == (before, root)
        for wrong in spoilt(proof):
            assert outcome(bd_verify, bd_verify.roots_by_consistency, old, size, wrong, before) != (before, root)


def spoilt(proof: list[bytes]) -> list[list[bytes]]:
    made = [proof[:-1], [*proof, bytes(32)], proof[1:], proof[::-1], [bytes(32), *proof[1:]]]
    return [wrong for wrong in made if wrong != proof]


def outcome(bd_verify: Any, function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except bd_verify.WrongProof:
        return None


def test_growing_is_the_tree_of_the_rfc(bd_verify: Any) -> None:
    growing = bd_verify.Growing()
    assert growing.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for size, leaf in enumerate(LEAVES, 1):
        growing.add(leaf)
        assert growing.root() == root_at(size, node)


# Roots of the seven leaves that the Certificate Transparency sources test with: RFC 6962's own reference code.
PUBLISHED = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
PUBLISHED_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]


def test_published_roots(bd_verify: Any) -> None:
    growing = bd_verify.Growing()
    for size, leaf in enumerate(PUBLISHED_LEAVES, 1):
        growing.add(bd_verify.leaf_of(bytes.fromhex(leaf)))
        assert growing.root().hex() == PUBLISHED[size]


# Canonical JSON

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(value=JSON)
def test_it_reads_what_the_product_writes(bd_verify: Any, value: Any) -> None:
    text = canonical(value).decode()
    assert bd_verify.encode(bd_verify.parse(text)) == text


@settings(max_examples=120, deadline=None)
@given(value=JSON)
def test_it_refuses_every_other_form(bd_verify: Any, value: Any) -> None:
    right = rfc8785.dumps(value).decode()
    for text in (json.dumps(value), json.dumps(value, indent=1), json.dumps(value, ensure_ascii=False), right + " "):
        if text != right:
            with pytest.raises(bd_verify.NotCanonical):
                bd_verify.parse(text)


KEYS = '{"\U0001f600":1,"\uffee":2}'  # RFC 8785, section 3.2.3: by UTF-16 code units, not by code points
WRONG = {
    "keys by code point": '{"\uffee":2,"\U0001f600":1}',
    "not NFC": '"e\u0301"',
    "a key that is not NFC": '{"e\u0301":1}',
    "a lone surrogate": '"\\ud800"',
    "2**53": "9007199254740992",
    "-2**53": "-9007199254740992",
    "five thousand digits": "1" * 5000,
    "a float": "1.0",
    "an exponent": "1e3",
    "minus nought": "-0",
    "NaN": "NaN",
    "Infinity": "-Infinity",
    "a key twice": '{"a":1,"a":1}',
    "deep": "[" * 100_000,
    "deep and closed": "[" * 5_000 + "]" * 5_000,
    "nothing": "",
    "two values": "1 1",
    "an escape that need not be": '"\\u0041"',
    "capitals in an escape": '"\\u001F"',
    "a BOM": "\ufeff1",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_it_refuses_to_read(bd_verify: Any, text: str) -> None:
    with pytest.raises(bd_verify.NotCanonical):
        bd_verify.parse(text)


def test_it_reads_the_hard_ones(bd_verify: Any) -> None:
    assert bd_verify.parse(KEYS) == {"\U0001f600": 1, "\uffee": 2}
    for text in ('"\\n\u0303"', '"\\u001f"', "9007199254740991", "-9007199254740991", '"\u2028"'):
        assert bd_verify.encode(bd_verify.parse(text)) == text
