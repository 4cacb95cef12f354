"""Half of each key lies in a file of its own: copied with the keys alone, and gone with the key from every backup."""

import base64
import json
import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from breachdesk.audit.erasure import list_path
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.vault.key_copies import note_copy, what_still_opens
from breachdesk.vault.shares import FOLDER, shares_folder, shares_in
from tests.desk.test_backup import Elsewhere, back_up, elsewhere, kept_files  # noqa: F401
from tests.factories import make_incident
from tests.incidents.keeping import destroy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("kept_files")]

OPEN = """
from uuid import UUID
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.vault.sealing import cipher_for, index_cipher_for
sequence_pending()
for look in (cipher_for, index_cipher_for):
    try:
        print(look(UUID("{scope}")).scope)
    except Exception as error:
        print(type(error).__name__)
"""


def opened(there: Elsewhere, scope: object) -> list[str]:
    """What becomes of the data key and of the index key of one case."""
    looked = there.manage("shell", "--no-imports", "-c", OPEN.format(scope=scope))
    assert looked.returncode == 0, looked.stderr
    return looked.stdout.split()


def restore(tmp_path: Path, there: Elsewhere, *more: str) -> tuple[int, str]:
    done = there.manage("restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"), *more)
    return done.returncode, done.stdout + done.stderr


def test_a_dump_with_the_master_key_alone_opens_nothing(tmp_path: Path, elsewhere: Elsewhere) -> None:  # noqa: F811
    """The leak this is for: a forgotten copy of the database, and the master key of the machine."""
    incident = make_incident(what_happened="Zoltan Karpathy rang.")
    back_up(tmp_path / "data", tmp_path / "keys")
    shutil.rmtree(tmp_path / "keys" / FOLDER)
    code, said = restore(tmp_path, elsewhere)
    assert (code, "Of 2 halves of keys 2 are not here" in said) == (1, True), said
    code, said = restore(tmp_path, elsewhere, "--without-missing-keys")
    assert code == 0, said
    assert opened(elsewhere, incident.pk) == ["ShareMissing", "ShareMissing"]


def test_a_destroyed_key_comes_back_from_no_backup(tmp_path: Path, elsewhere: Elsewhere) -> None:  # noqa: F811
    """Nobody kept a list of erasures; the copy of the keys was tidied after the destruction, as the page asks for."""
    incident, other = make_incident(), make_incident()
    sequence_pending()
    assert "destroy_key_copies" in back_up(tmp_path / "data", tmp_path / "keys")
    request = destroy(incident)
    [told] = what_still_opens(incident.pk, request.what)
    assert str(tmp_path / "keys") in told
    out = StringIO()
    call_command("destroy_key_copies", str(tmp_path / "keys"), stdout=out)
    assert "1 halves" in out.getvalue()
    assert what_still_opens(incident.pk, request.what) == []
    code, said = restore(tmp_path, elsewhere, "--without-missing-keys")
    assert code == 0, said
    assert opened(elsewhere, incident.pk) == ["ShareMissing", str(incident.pk)], "the index key lives"
    assert opened(elsewhere, other.pk) == [str(other.pk), str(other.pk)]


def test_an_untouched_copy_of_the_keys_loses_them_by_the_list(
    tmp_path: Path,
    elsewhere: Elsewhere,  # noqa: F811
) -> None:
    incident, half = make_incident(), make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    destroy(incident)
    destroy(incident, "index")
    destroy(half)
    code, said = restore(tmp_path, elsewhere, "--erasures", str(list_path()))
    assert (code, "3 data keys were erased again" in said) == (0, True), said
    left = [path.name for path in shares_in(elsewhere.folder / "state" / FOLDER)]
    assert [name for name in left if str(incident.pk) in name] == []
    assert [name for name in left if str(half.pk) in name] == [f"{half.pk}.index"]
    assert opened(elsewhere, half.pk) == ["KeyDestroyed", str(half.pk)]
    assert elsewhere.manage("verify_audit").returncode == 0


def test_keys_that_were_destroyed_since_need_no_half(tmp_path: Path, elsewhere: Elsewhere) -> None:  # noqa: F811
    incident = make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    destroy(incident)
    call_command("destroy_key_copies", str(tmp_path / "keys"), stdout=StringIO())
    code, said = restore(tmp_path, elsewhere, "--erasures", str(list_path()))
    assert (code, "1 data keys were erased again" in said) == (0, True), said


def test_keys_of_another_installation_are_refused(tmp_path: Path, elsewhere: Elsewhere) -> None:  # noqa: F811
    incident = make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    share = tmp_path / "keys" / FOLDER / f"{incident.pk}.data"
    share.write_bytes((tmp_path / "keys" / FOLDER / f"{incident.pk}.index").read_bytes())
    code, said = restore(tmp_path, elsewhere)
    assert (code, "another key's half" in said) == (1, True), said


def test_no_half_of_a_key_lies_beside_the_dump(tmp_path: Path) -> None:
    incident = make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    halves = [path.read_bytes().strip() for path in shares_in(shares_folder()) if str(incident.pk) in path.name]
    assert len(halves) == 2
    raw = [base64.b64decode(half) for half in halves]
    for path in (tmp_path / "data").rglob("*"):
        assert path.is_dir() or not any(half in path.read_bytes() for half in [*halves, *raw])
    copied = {path.name for path in shares_in(tmp_path / "keys" / FOLDER)}
    assert {f"{incident.pk}.data", f"{incident.pk}.index"} <= copied
    assert Event.objects.newest_first()[0].content["data"]["keys"] == len(copied)


def test_a_backup_of_the_version_before_is_still_restored(
    tmp_path: Path,
    elsewhere: Elsewhere,  # noqa: F811
) -> None:
    incident = make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    del manifest["shares"]
    (tmp_path / "data/manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    code, said = restore(tmp_path, elsewhere)
    assert code == 0, said
    assert opened(elsewhere, incident.pk) == [str(incident.pk), str(incident.pk)]


def test_a_copy_that_cannot_be_seen_from_here_is_still_named(tmp_path: Path) -> None:
    incident = make_incident()
    back_up(tmp_path / "data", tmp_path / "keys")
    shutil.move(tmp_path / "keys", tmp_path / "carried-away")
    assert [str(tmp_path / "keys") in told for told in what_still_opens(incident.pk, "data")] == [True]


def test_a_copy_from_before_a_key_was_made_does_not_hold_it(tmp_path: Path) -> None:
    incident, now = make_incident(), timezone.now()
    for ago in (timedelta(hours=3), timedelta(seconds=30)):
        note_copy(tmp_path / f"made-{ago.seconds}", now - ago)
    assert ["made-30 on" in told for told in what_still_opens(incident.pk, "data")] == [True]


def test_there_is_no_copy_to_tidy_where_no_folder_is(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("destroy_key_copies", str(tmp_path / "none"))
