import hmac
from uuid import uuid4

from breachdesk.vault.sealing import Cipher


def test_a_derived_salt_is_the_same_for_its_place_alone():
    cipher, other = (Cipher(uuid4(), b"d" * 32, key * 32) for key in (b"i", b"j"))
    salt = cipher.derived_salt(b"place", purpose="recipient")
    assert len(salt) == 32
    assert salt == Cipher(uuid4(), b"e" * 32, b"i" * 32).derived_salt(b"place", purpose="recipient")
    changed = [
        cipher.derived_salt(b"plac", purpose="erecipient"),
        cipher.derived_salt(b"other", purpose="recipient"),
        cipher.derived_salt(b"place", purpose="sender"),
        other.derived_salt(b"place", purpose="recipient"),
    ]
    assert salt not in changed


def test_a_derived_salt_is_never_a_blind_index():
    """Its bytes are HMAC over 0xFFFF, the purpose with its length, the place: worked out here once more."""
    cipher = Cipher(uuid4(), b"d" * 32, b"i" * 32)
    salt = cipher.derived_salt(b"place", purpose="recipient")
    assert salt == hmac.digest(b"i" * 32, b"\xff\xff\x00\x09recipientplace", "sha256")
    assert cipher.blind_index("place", purpose="recipient") != salt[:16]
