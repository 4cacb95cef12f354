import base64
from uuid import uuid4

import pytest

from breachdesk.vault.master_key import MasterKeyMissing, read_master_key
from breachdesk.vault.sealing import cipher_for, create_key


@pytest.fixture
def key_file(tmp_path, settings):
    path = tmp_path / "master.key"
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"master_key_file": path})
    return path


def write(path, content, mode=0o600):
    path.write_bytes(content)
    path.chmod(mode)


def test_it_reads_32_bytes_in_base64(key_file):
    write(key_file, base64.b64encode(bytes(range(32))) + b"\n")
    assert read_master_key() == bytes(range(32))


def test_a_missing_file_is_named(key_file):
    with pytest.raises(MasterKeyMissing, match="does not exist") as refusal:
        read_master_key()
    assert str(key_file) in str(refusal.value)


def test_a_folder_in_its_place_cannot_be_read(key_file):
    key_file.mkdir(mode=0o700)
    with pytest.raises(MasterKeyMissing, match="cannot be read"):
        read_master_key()


@pytest.mark.parametrize("mode", [0o604, 0o602])
def test_a_file_open_to_everybody_is_refused(key_file, mode):
    write(key_file, base64.b64encode(bytes(32)), mode)
    with pytest.raises(MasterKeyMissing, match="chmod 600"):
        read_master_key()


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_the_wrong_length_is_refused(key_file, size):
    write(key_file, base64.b64encode(bytes(size)))
    with pytest.raises(MasterKeyMissing, match=f"has {size} bytes; it must have 32"):
        read_master_key()


@pytest.mark.parametrize("content", [b"not base64!", b"\xff\xfe\x00"])
def test_other_text_is_refused(key_file, content):
    write(key_file, content)
    with pytest.raises(MasterKeyMissing):
        read_master_key()


def test_another_master_key_opens_nothing(db, key_file):
    write(key_file, base64.b64encode(bytes(32)))
    scope = create_key(uuid4()).scope
    write(key_file, base64.b64encode(b"\x01" * 32))
    with pytest.raises(MasterKeyMissing, match="not the key this database was written with"):
        cipher_for(scope)
