"""Half of every key lies outside the database: a dump and the master key open nothing once it is destroyed."""

import base64
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from breachdesk.audit.models import Event
from breachdesk.audit.timeline import describe
from breachdesk.vault.master_key import MasterKeyMissing, read_master_key
from breachdesk.vault.models import DataKey
from breachdesk.vault.sealing import (
    Cipher,
    IndexDestroyed,
    KeyDestroyed,
    KeyMissing,
    cipher_for,
    create_key,
    destroy_dead_shares,
    index_cipher_for,
    share_key,
    shred,
    shred_index,
)
from breachdesk.vault.sealing import _wrapping as wrapping
from breachdesk.vault.shares import (
    DATA,
    INDEX,
    ShareMissing,
    copy_shares,
    destroy_shares,
    find_or_make_share,
    read_share,
    share_path,
    shares_folder,
    shares_in,
)
from tests.factories import make_incident

PLACE = {"table": "people_person", "column": "sealed", "row": uuid4()}


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path, settings):
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"state_dir": tmp_path})


@pytest.fixture
def scope(db):
    return create_key(uuid4()).scope


@pytest.fixture
def old_scope(db):
    """Made before there were shares."""
    scope = uuid4()
    wrapped = {f"wrapped_{which}": wrapping(scope, which, None).wrap(os.urandom(32)) for which in (DATA, INDEX)}
    DataKey.objects.create(scope=scope, **wrapped)
    return scope


def stored(scope):
    return DataKey.objects.values().get(scope=scope)


# What a share is


def test_every_key_has_one_that_nobody_else_may_read(scope):
    for which in (DATA, INDEX):
        path = share_path(scope, which)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(base64.b64decode(path.read_text())) == 32
    assert stat.S_IMODE(shares_folder().stat().st_mode) == 0o700
    assert read_share(scope, DATA) != read_share(scope, INDEX)
    assert len(list(shares_folder().iterdir())) == 2


def test_the_master_key_alone_opens_no_wrapped_key(scope):
    wrapped = bytes(stored(scope)["wrapped_data"])
    with pytest.raises(MasterKeyMissing):
        wrapping(scope, DATA, None).unwrap(wrapped)
    with pytest.raises(MasterKeyMissing):
        wrapping(scope, DATA, read_share(scope, INDEX)).unwrap(wrapped)
    assert len(wrapping(scope, DATA, read_share(scope, DATA)).unwrap(wrapped)) == 32
    assert read_master_key() not in wrapped


def test_the_other_scopes_share_opens_nothing(scope):
    other = create_key(uuid4()).scope
    share_path(scope, DATA).write_bytes(share_path(other, DATA).read_bytes())
    with pytest.raises(MasterKeyMissing, match="is another key's share"):
        cipher_for(scope)


def test_a_share_that_is_gone_is_named_and_comes_back_from_its_copy(scope):
    sealed = cipher_for(scope).seal(b"Anna", **PLACE)
    kept = share_path(scope, DATA).read_bytes()
    share_path(scope, DATA).unlink()
    with pytest.raises(ShareMissing, match="from its newest copy") as refusal:
        cipher_for(scope)
    assert str(share_path(scope, DATA)) in str(refusal.value)
    share_path(scope, DATA).touch(mode=0o600)
    share_path(scope, DATA).write_bytes(kept)
    assert cipher_for(scope).unseal(sealed, **PLACE) == b"Anna"


@pytest.mark.parametrize("content", [b"", b"AAAA", b"\xff\xfe", b"not base64!"])
def test_a_broken_share_is_named(scope, content):
    share_path(scope, INDEX).write_bytes(content)
    with pytest.raises(ShareMissing, match=str(share_path(scope, INDEX))):
        cipher_for(scope)


def test_a_share_open_to_everybody_is_refused(scope):
    share_path(scope, DATA).chmod(0o604)
    with pytest.raises(ShareMissing, match="chmod 600"):
        cipher_for(scope)


# Made once, by whomever


def test_threads_that_make_the_same_share_get_the_same_one():
    scope = uuid4()
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: find_or_make_share(scope, DATA), range(32)))
    assert len(made) == 1
    assert [path.name for path in shares_folder().iterdir()] == [f"{scope}.data"]


FIRST_EVENT = """
import django
django.setup()
from django.db import transaction
from breachdesk.audit.record import record
with transaction.atomic():
    record("organisation.changed", by=None, private={"hotline": "+44 20 7946 0000"}, fields=["hotline"])
"""


@pytest.mark.django_db(transaction=True)
def test_processes_that_make_the_organisations_key_at_once_have_one_key(tmp_path):
    from tests.services import ROOT, database_url

    (tmp_path / "first.py").write_text(FIRST_EVENT)
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "BREACHDESK_STATE_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    words = [sys.executable, str(tmp_path / "first.py")]
    running = [subprocess.Popen(words, cwd=ROOT, env=environment) for _ in range(3)]
    assert [process.wait(timeout=120) for process in running] == [0, 0, 0]
    lines = describe(Event.objects.of_type("organisation.changed"), private=True)
    assert [line.private["hotline"] for line in lines] == ["+44 20 7946 0000"] * 3
    assert Event.objects.of_type("key.created").count() == 1
    assert len(list(shares_in(shares_folder()))) == 2


def test_what_an_undone_transaction_left_is_used_the_next_time(db):
    scope = uuid4()
    with transaction.atomic():
        create_key(scope)
        transaction.set_rollback(True)
    assert not DataKey.objects.filter(scope=scope).exists()
    left = read_share(scope, DATA)
    create_key(scope)
    assert read_share(scope, DATA) == left
    assert cipher_for(scope).scope == scope


# The two keys die separately


def test_the_data_key_dies_and_the_index_still_finds(scope, django_capture_on_commit_callbacks):
    cipher = cipher_for(scope)
    index, salt = cipher.blind_index("anna@customer.example", purpose="email"), cipher.derived_salt(b"1", purpose="r")
    with django_capture_on_commit_callbacks(execute=True):
        assert shred(scope) is True
    with pytest.raises(KeyDestroyed, match="cannot be read again"):
        cipher_for(scope)
    left = index_cipher_for(scope)
    assert left.blind_index("anna@customer.example", purpose="email") == index
    assert left.derived_salt(b"1", purpose="r") == salt
    assert not hasattr(left, "unseal")
    assert [path.name for path in shares_in(shares_folder())] == [f"{scope}.index"]
    assert (stored(scope)["wrapped_data"], stored(scope)["index_destroyed_at"]) == (None, None)


def test_the_index_key_dies_after_the_data_key_and_never_before(scope, django_capture_on_commit_callbacks):
    assert shred_index(scope) is False
    with pytest.raises(IntegrityError, match="index_key_outlives_the_data_key"), transaction.atomic():
        DataKey.objects.filter(scope=scope).update(wrapped_index=None, index_destroyed_at="2030-01-01T00:00Z")
    shred(scope)
    with django_capture_on_commit_callbacks(execute=True):
        assert shred_index(scope) is True
    assert shred_index(scope) is False
    with pytest.raises(IndexDestroyed, match="cannot be told again"):
        index_cipher_for(scope)
    assert (stored(scope)["wrapped_index"], stored(scope)["version"]) == (None, 3)
    assert not share_path(scope, INDEX).exists()


@pytest.mark.parametrize("changes", [{"wrapped_index": None}, {"index_destroyed_at": "2030-01-01T00:00Z"}])
def test_the_database_knows_no_half_destroyed_index_key(scope, changes):
    shred(scope)
    with pytest.raises(IntegrityError, match="index_key_destroyed_means_gone"):
        DataKey.objects.filter(scope=scope).update(**changes)


def test_without_a_key_there_is_no_index(db):
    with pytest.raises(KeyMissing):
        index_cipher_for(uuid4())


def test_a_fingerprint_dies_with_the_data_key():
    one, other = uuid4().bytes * 2, uuid4().bytes * 2
    prints = {
        Cipher(uuid4(), data, index).fingerprint(b"Anna", purpose="row")
        for data, index in [(one, one), (one, other), (other, one)]
    }
    assert len(prints) == 2, "the index key has no part in it"
    cipher = Cipher(uuid4(), one, one)
    assert cipher.fingerprint(b"Anna", purpose="row") != cipher.blind_index("Anna", purpose="row")
    assert len(cipher.fingerprint(b"Anna", purpose="row")) == 16


# Backups included


def test_a_row_put_back_from_a_dump_opens_nothing_any_more(scope, django_capture_on_commit_callbacks):
    dumped = stored(scope)
    with django_capture_on_commit_callbacks(execute=True):
        shred(scope)
    DataKey.objects.filter(scope=scope).delete()
    DataKey.objects.create(**dumped)
    with pytest.raises(ShareMissing):
        cipher_for(scope)


def test_a_share_is_overwritten_before_it_goes(scope, tmp_path, django_capture_on_commit_callbacks):
    kept = share_path(scope, DATA).read_bytes()
    os.link(share_path(scope, DATA), tmp_path / "the-same-bytes")
    with django_capture_on_commit_callbacks(execute=True):
        shred(scope)
    assert (tmp_path / "the-same-bytes").stat().st_size == len(kept)
    assert (tmp_path / "the-same-bytes").read_bytes() != kept


@pytest.mark.django_db(transaction=True)
def test_a_destruction_that_is_undone_keeps_the_share():
    scope = make_incident().pk
    with transaction.atomic():
        shred(scope)
        transaction.set_rollback(True)
    assert cipher_for(scope).scope == scope


def test_what_a_crash_left_of_a_destruction_is_finished(scope):
    shred(scope)  # the test's transaction is never committed: as if the process had died then
    assert share_path(scope, DATA).exists()
    assert destroy_dead_shares() == 1
    assert destroy_dead_shares() == 0
    assert index_cipher_for(scope).scope == scope


def test_copies_hold_every_share_once_and_lose_what_is_named(scope, tmp_path):
    (shares_folder() / f".{scope}.data.half").write_bytes(b"")
    assert copy_shares(shares_folder(), tmp_path / "copy") == 2
    assert copy_shares(shares_folder(), tmp_path / "copy") == 0
    assert stat.S_IMODE((tmp_path / "copy" / f"{scope}.data").stat().st_mode) == 0o600
    assert destroy_shares([(scope, DATA)], tmp_path / "copy") == 1
    assert [path.name for path in shares_in(tmp_path / "copy")] == [f"{scope}.index"]
    assert copy_shares(tmp_path / "nowhere", tmp_path / "other") == 0


# Installations from before


def test_an_older_key_goes_on_and_gets_a_share(old_scope):
    sealed = cipher_for(old_scope).seal(b"Anna", **PLACE)
    index = cipher_for(old_scope).blind_index("a@b.example", purpose="email")
    wrapped = bytes(stored(old_scope)["wrapped_data"])
    key = share_key(old_scope)
    assert (key.version, key.shared_at is not None) == (2, True)
    assert share_key(old_scope) is None
    assert cipher_for(old_scope).unseal(sealed, **PLACE) == b"Anna"
    assert index_cipher_for(old_scope).blind_index("a@b.example", purpose="email") == index
    with pytest.raises(MasterKeyMissing):
        wrapping(old_scope, DATA, None).unwrap(bytes(stored(old_scope)["wrapped_data"]))
    assert bytes(stored(old_scope)["wrapped_data"]) != wrapped


def test_an_older_key_without_data_gets_a_share_for_its_index(old_scope):
    shred(old_scope)
    assert share_key(old_scope) is not None
    assert index_cipher_for(old_scope).scope == old_scope
    assert not share_path(old_scope, DATA).exists()


def test_an_older_key_that_is_gone_gets_none(old_scope):
    shred(old_scope)
    shred_index(old_scope)
    assert share_key(old_scope) is None
    assert not shares_folder().exists()


@pytest.mark.django_db(transaction=True)
def test_keys_that_died_together_before_are_both_gone_after_the_migration():
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    executor.migrate([("vault", "0002_versions")])
    scope, alive = uuid4(), uuid4()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "INSERT INTO vault_data_key (scope, created_at, destroyed_at, version) VALUES (%s, now(), now(), 2)",
            [scope],
        )
        cursor.execute(
            "INSERT INTO vault_data_key (scope, created_at, version, wrapped_data, wrapped_index)"
            " VALUES (%s, now(), 1, 'a', 'b')",
            [alive],
        )
        cursor.execute("RESET session_replication_role")
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    key = stored(scope)
    assert key["destroyed_at"] == key["index_destroyed_at"] is not None
    assert (stored(alive)["index_destroyed_at"], stored(alive)["shared_at"]) == (None, None)
