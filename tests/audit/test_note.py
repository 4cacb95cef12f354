"""Signed notes against public vectors, and every way to write one wrongly."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.audit.note import (
    NoteMalformed,
    PublicKey,
    checkpoint_text,
    parse_note,
    public_key_of,
    sign_note,
    verify_note,
)

ORIGIN = "trail.example/log"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TEXT = checkpoint_text(ORIGIN, 20, bytes(range(32)))
NOTE = sign_note(TEXT, ORIGIN, [KEY])
KEYS = [public_key_of(ORIGIN, KEY)]

# The example of tlog-checkpoint, and the same tree as Go's checksum database signed it.
EXAMPLE_SIGNATURE = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
EXAMPLE = f"""\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa {EXAMPLE_SIGNATURE}
"""
GO_SUM = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
# The example of Go's package sumdb/note.
NEUMANN = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
NEUMANN_TEXT = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
NEUMANN_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="


def test_the_specifications_example_is_read():
    note = parse_note(EXAMPLE)
    assert (note.origin, note.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.root == b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert note.signatures[0].key_id.hex() == "033de0ae"


def test_key_ids_and_signatures_are_those_of_other_implementations():
    name, key_id, encoded = GO_SUM.split("+", 2)
    key = PublicKey(name, b64decode(encoded)[1:])
    assert (key.key_id.hex(), key.verifier_key) == (key_id, GO_SUM)
    signature = parse_note(EXAMPLE).signatures[0].signature
    tree = EXAMPLE.partition("\n\n")[0].replace("example.com/behind-the-sofa", "go.sum database tree") + "\n"
    assert key.has_signed(tree, signature)
    assert not key.has_signed(tree.replace("3", "4"), signature)


def test_it_signs_as_go_does():
    key = Ed25519PrivateKey.from_private_bytes(b64decode(NEUMANN)[1:])
    assert public_key_of("PeterNeumann", key).key_id.hex() == "c74f20a3"
    assert sign_note(NEUMANN_TEXT, "PeterNeumann", [key]) == f"{NEUMANN_TEXT}\n— PeterNeumann {NEUMANN_SIGNATURE}\n"


def test_ed25519_after_rfc_8032_section_7_1_test_1():
    secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    assert key.public_key().public_bytes_raw().hex().startswith("d75a980182b10ab7d54bfed3c964073a")
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")


@given(st.integers(0, 10**18 - 1), st.binary(min_size=32, max_size=32))
def test_what_was_signed_is_read_back(size, root):
    note = verify_note(sign_note(checkpoint_text(ORIGIN, size, root), ORIGIN, [KEY]), KEYS)
    assert (note.origin, note.size, note.root) == (ORIGIN, size, root)


def test_two_keys_sign_one_note():
    keys = [*KEYS, public_key_of(ORIGIN, OTHER)]
    note = verify_note(sign_note(TEXT, ORIGIN, [KEY, OTHER]), keys)
    assert all(note.is_signed_by(key) for key in keys)
    with pytest.raises(NoteMalformed, match="do not trust"):
        verify_note(sign_note(TEXT, ORIGIN, [KEY, OTHER]), KEYS)


LINE = NOTE.split("\n\n")[1]
ENCODED = LINE.split(" ")[2].rstrip("\n")
WRONG = {
    "nothing": "",
    "unsigned": TEXT,
    "no signature below": TEXT + "\n",
    "CRLF": NOTE.replace("\n", "\r\n"),
    "one CR": NOTE.replace("20\n", "20\r\n"),
    "tabulator": NOTE.replace(ORIGIN, "a\tb"),
    "NUL": NOTE.replace("20\n", "20\0\n"),
    "extension line": NOTE.replace("\n\n", "\nextension\n\n"),
    "two lines": NOTE.replace("20\n", ""),
    "leading zero": NOTE.replace("20\n", "020\n"),
    "plus": NOTE.replace("20\n", "+20\n"),
    "no number": NOTE.replace("20\n", "twenty\n"),
    "other digits": NOTE.replace("20\n", "٢٠\n"),
    "no size": NOTE.replace("20\n", "\n"),
    "beyond 18 digits": NOTE.replace("20\n", "2" * 19 + "\n"),
    "blank before": "\n" + NOTE,
    "blank after": NOTE + "\n",
    "space after": NOTE + " ",
    "text after": NOTE + "more\n",
    "no last line feed": NOTE[:-1],
    "BOM": "\ufeff" + NOTE,
    "unpadded root": NOTE.replace("=\n\n", "\n\n"),
    "short root": NOTE.replace(b64encode(bytes(range(32))).decode(), b64encode(bytes(31)).decode()),
    "root in base64url": NOTE.replace(b64encode(bytes(range(32))).decode(), "_" * 43 + "="),
    "loose bits in the root": NOTE.replace("h8=\n\n", "h9=\n\n"),
    "hyphen": NOTE.replace("—", "-"),
    "en dash": NOTE.replace("—", "–"),
    "no space": NOTE.replace("— ", "—"),
    "two spaces": NOTE.replace("— ", "—  "),
    "no-break space": NOTE.replace("— ", "—\u00a0"),
    "signature unpadded": NOTE.replace("=\n", "\n").replace("h8\n", "h8=\n"),
    "signature cut": NOTE.replace(ENCODED, b64encode(b64decode(ENCODED)[:-1]).decode()),
    "signature longer": NOTE.replace(ENCODED, b64encode(b64decode(ENCODED) + b"\0").decode()),
    "signature in two words": NOTE.replace(ENCODED, ENCODED[:8] + " " + ENCODED[8:]),
    "name with a plus": NOTE.replace(ORIGIN, "trail+log"),
    "surrogate": NOTE.replace("trail", "tr\ud800il"),
    "endless": NOTE + LINE * 200,
    "one key twice": NOTE + LINE,
    "unknown key": NOTE + sign_note(TEXT, ORIGIN, [OTHER]).split("\n\n")[1],
    "only an unknown key": sign_note(TEXT, ORIGIN, [OTHER]),
    "key of another name": sign_note(TEXT, "other.example/log", [KEY]),
    "our key under another name": NOTE.replace("— trail", "— other"),
    "another log": sign_note(TEXT.replace("trail", "other"), ORIGIN, [KEY]),
    "another size": NOTE.replace("20\n", "21\n"),
    "another signature": NOTE.replace(ENCODED, b64encode(b64decode(ENCODED)[:4] + bytes(64)).decode()),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_other_way_to_write_it_is_refused(case):
    assert WRONG[case] != NOTE
    with pytest.raises(NoteMalformed):
        verify_note(WRONG[case], KEYS)


def test_not_one_flipped_bit_passes():
    whole = NOTE.encode()
    for position in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[position] ^= 1 << bit
            with pytest.raises((NoteMalformed, UnicodeDecodeError)):
                verify_note(flipped.decode(), KEYS)


def test_a_fingerprint_is_made_for_the_eye():
    assert KEYS[0].fingerprint.startswith("56475aa75463474c0285df5dbf2bcab7"[:4])
    assert [len(group) for group in KEYS[0].fingerprint.split()] == [4] * 16


@pytest.mark.parametrize("loose", [1, 2, 3])
def test_a_right_signature_in_loose_base64_is_refused(loose):
    """The last letter carries two bits that say nothing: there must be one way to write them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = ENCODED[-2]
    other = ENCODED[:-2] + alphabet[alphabet.index(last) + loose] + "="
    assert b64decode(other) == b64decode(ENCODED)
    with pytest.raises(NoteMalformed, match="standard base64"):
        verify_note(NOTE.replace(ENCODED, other), KEYS)


@pytest.mark.parametrize("origin", ["a\0b", "a\x1bb", "a\x7fb"])
def test_a_control_character_is_refused_even_if_it_is_signed(origin):
    note = sign_note(checkpoint_text(origin, 1, bytes(32)), origin, [KEY])
    with pytest.raises(NoteMalformed, match="control character"):
        verify_note(note, [public_key_of(origin, KEY)])
