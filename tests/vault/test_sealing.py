import hmac
from hashlib import sha256
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from breachdesk.vault import ORGANISATION
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import (
    Cipher,
    KeyDestroyed,
    KeyMissing,
    SealBroken,
    blind_index,
    cipher_for,
    create_key,
    find_or_create_key,
    seal,
    shred,
    unseal,
)

ROW = uuid4()
PLACE = {"table": "people_person", "column": "sealed", "row": ROW}


@pytest.fixture
def scope(db):
    return create_key(uuid4()).scope


def test_what_was_sealed_comes_back(scope):
    sealed = seal(scope, b"Anna Lindgren", **PLACE)
    assert b"Anna Lindgren" not in sealed
    assert unseal(scope, sealed, **PLACE) == b"Anna Lindgren"


def test_equal_values_do_not_look_equal(scope):
    assert seal(scope, b"same", **PLACE) != seal(scope, b"same", **PLACE)


@pytest.mark.parametrize("change", [{"table": "people_upload"}, {"column": "name"}, {"row": uuid4()}])
def test_it_does_not_open_in_another_place(scope, change):
    sealed = seal(scope, b"Anna Lindgren", **PLACE)
    with pytest.raises(SealBroken, match="changed or moved"):
        unseal(scope, sealed, **(PLACE | change))


def test_names_that_run_together_are_different_places(scope):
    sealed = seal(scope, b"x", table="ab", column="c", row=ROW)
    with pytest.raises(SealBroken):
        unseal(scope, sealed, table="a", column="bc", row=ROW)


def test_every_changed_bit_is_noticed(scope):
    cipher = cipher_for(scope)
    sealed = cipher.seal(b"Anna", **PLACE)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            cipher.unseal(bytes(changed), **PLACE)


@pytest.mark.parametrize("size", [0, 5, 12, 27])
def test_a_stump_is_refused(scope, size):
    with pytest.raises(SealBroken):
        unseal(scope, seal(scope, b"", **PLACE)[:size], **PLACE)


def test_another_incident_has_another_key(scope):
    other = create_key(uuid4()).scope
    with pytest.raises(SealBroken):
        unseal(other, seal(scope, b"Anna", **PLACE), **PLACE)
    assert blind_index(scope, "a@b.example", purpose="email") != blind_index(other, "a@b.example", purpose="email")


def test_an_index_finds_equal_values_of_one_purpose(scope):
    index = blind_index(scope, "anna@customer.example", purpose="email")
    assert index == cipher_for(scope).blind_index("anna@customer.example", purpose="email")
    assert index != blind_index(scope, "anna@customer.example", purpose="identity")
    assert index != blind_index(scope, "Anna@customer.example", purpose="email")
    assert len(index) == 16


def test_the_bytes_are_what_the_documentation_says():
    cipher = Cipher(uuid4(), bytes(range(32)), bytes(range(32, 64)))
    sealed = cipher.seal(b"value", table="t", column="col", row=ROW)
    associated = b"\x00\x01t\x00\x03col" + ROW.bytes
    assert AESGCM(bytes(range(32))).decrypt(sealed[:12], sealed[12:], associated) == b"value"
    expected = hmac.digest(bytes(range(32, 64)), b"\x00\x05emaila@b.example", sha256)[:16]
    assert cipher.blind_index("a@b.example", purpose="email") == expected


@given(key=st.binary(min_size=32, max_size=32), value=st.text(), purpose=st.text(max_size=20))
def test_every_index_is_what_the_standard_library_computes(key, value, purpose):
    text = len(purpose.encode()).to_bytes(2, "big") + purpose.encode() + value.encode()
    cipher = Cipher(uuid4(), bytes(32), key)
    for _ in range(2):  # the second time from the state that was kept
        assert cipher.blind_index(value, purpose=purpose) == hmac.digest(key, text, sha256)[:16]


def test_a_second_call_keeps_the_first_key(scope):
    sealed = seal(scope, b"Anna", **PLACE)
    create_key(scope)
    assert unseal(scope, sealed, **PLACE) == b"Anna"


def test_the_two_wrapped_keys_cannot_be_exchanged(scope):
    key = DataKey.objects.get(scope=scope)
    key.wrapped_data, key.wrapped_index = key.wrapped_index, key.wrapped_data
    key.save()
    with pytest.raises(Exception, match="does not open the data key"):
        cipher_for(scope)


def test_shredding_destroys_the_data_key_for_ever(scope):
    sealed = seal(scope, b"Anna", **PLACE)
    assert shred(scope) is True
    with pytest.raises(KeyDestroyed, match="cannot be read again"):
        unseal(scope, sealed, **PLACE)
    with pytest.raises(KeyDestroyed):
        create_key(scope)
    assert shred(scope) is False
    assert DataKey.objects.get(scope=scope).wrapped_data is None


def test_the_database_knows_no_half_destroyed_key(scope):
    with pytest.raises(IntegrityError, match="data_key_destroyed_means_gone"):
        DataKey.objects.filter(scope=scope).update(wrapped_data=None)


def test_an_incident_without_a_key_is_told_so(db):
    with pytest.raises(KeyMissing, match="made when the incident is opened"):
        cipher_for(uuid4())


def test_the_organisations_own_key_belongs_to_no_incident(db):
    assert create_key(ORGANISATION).incident_id is None
    assert unseal(ORGANISATION, seal(ORGANISATION, b"relay", **PLACE), **PLACE) == b"relay"


def test_whether_a_key_was_made_just_now_is_told(scope):
    assert find_or_create_key(scope) == (DataKey.objects.get(scope=scope), False)
    key, is_new = find_or_create_key(uuid4())
    assert (key.version, is_new) == (1, True)


def test_shredding_makes_a_new_version_of_the_key(scope):
    shred(scope)
    assert DataKey.objects.get(scope=scope).version == 2
