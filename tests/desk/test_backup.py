"""A backup made of the running product, and restored for real into another database with another state folder."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from breachdesk.audit.erasure import LIST, list_path, sealed_names
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.incidents.erasing import erase_values
from tests import factories
from tests.factories import make_incident, make_people, make_upload, make_user, match_upload
from tests.incidents.keeping import destroy, due

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parent.parent.parent
EMPTY = f"restored_by_a_test_{os.getpid()}"


@pytest.fixture
def kept_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The uploads of a state folder that no other test writes into."""
    folder = tmp_path / "here" / "uploads"
    folder.mkdir(mode=0o700, parents=True)
    monkeypatch.setattr(settings, "BREACHDESK", settings.BREACHDESK.model_copy(update={"state_dir": folder.parent}))
    return folder


@dataclass
class Elsewhere:
    """An installation that has nothing yet: an empty database, a new state folder, no key."""

    folder: Path
    environment: dict[str, str]

    def manage(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Generator[Elsewhere]:
    known = connection.settings_dict
    (tmp_path / "state").mkdir()
    query(f"DROP DATABASE IF EXISTS {EMPTY}", f"CREATE DATABASE {EMPTY}")
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{known['USER']}:{quote(known['PASSWORD'])}@/{EMPTY}?host={quote(known['HOST'])}",
        "BREACHDESK_STATE_DIR": str(tmp_path / "state"),
        "BREACHDESK_MASTER_KEY_FILE": str(tmp_path / "master.key"),
        "DJANGO_SETTINGS_MODULE": "breachdesk.settings",
    }
    yield Elsewhere(tmp_path, environment)
    query(f"DROP DATABASE IF EXISTS {EMPTY} WITH (FORCE)")


def query(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def back_up(folder: Path, keys: Path | None = None) -> str:
    out = StringIO()
    call_command("backup", str(folder), *(["--keys", str(keys)] if keys else []), stdout=out)
    return out.getvalue()


def test_what_was_backed_up_is_there_again_elsewhere(tmp_path: Path, kept_files: Path, elsewhere: Elsewhere) -> None:
    incident = make_incident()
    make_people(incident)
    waiting = match_upload(make_upload(incident, factories.LIST.replace("HR-4,Noah", "HR-9,Nora")))
    sequence_pending()
    assert "keep it apart" in back_up(tmp_path / "data", tmp_path / "keys")

    restored = elsewhere.manage("restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    assert restored.returncode == 0, restored.stderr
    assert (elsewhere.folder / "state/uploads" / f"{waiting.pk}.sealed").exists()
    assert (elsewhere.folder / "master.key").stat().st_mode & 0o077 == 0
    # Sealed under the incident's own key, which the master key opens: read on as the product does.
    script = READ_ON.format(reference=incident.reference, upload=waiting.pk)
    read = elsewhere.manage("shell", "--no-imports", "-c", script)
    assert (read.returncode, read.stdout.split()) == (0, ["sending.held_back", "4", "5"]), read.stderr


READ_ON = """
import sys
from uuid import UUID
from django.core.management import call_command
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.people.models import Person
from breachdesk.people.working import work_on_upload
print(Event.objects.newest_first()[0].type)
people = Person.objects.filter(incident__reference="{reference}")
print(people.count())
work_on_upload(UUID("{upload}"))
print(people.count())
sequence_pending()
call_command("verify_audit", stdout=sys.stderr)
"""


def test_what_was_erased_after_the_backup_is_erased_again(
    tmp_path: Path, kept_files: Path, elsewhere: Elsewhere
) -> None:
    incident, dpo = make_incident(what_happened="Zoltan Karpathy rang."), make_user("dpo")
    over = due(make_incident(), dpo)
    backed_up = sealed_names(over.pk)
    back_up(tmp_path / "data", tmp_path / "keys")
    told = next(name for name in sealed_names(incident.pk) if name.field == "what_happened")
    erase_values([told], ground="request", requester="Zoltan Karpathy", by=dpo)
    destroy(over, by=dpo)

    words = ["restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"), "--erasures", str(list_path())]
    restored = elsewhere.manage(*words)
    assert restored.returncode == 0, restored.stderr
    assert f"{1 + len(backed_up)} values and 1 data keys were erased again" in restored.stdout
    script = STILL_SEALED.format(event=told.event, over=over.pk)
    found = elsewhere.manage("shell", "--no-imports", "-c", script)
    assert (found.returncode, found.stdout.split()) == (0, ["True", "False", "[]", "False", "2"]), found.stderr
    assert listed(elsewhere.folder / "state") == {*map(str, [told, *backed_up])}


def listed(folder: Path) -> set[str]:
    lines = [json.loads(line) for line in (folder / LIST).read_text().splitlines()]
    return {name for line in lines for name in line["erased"]}


STILL_SEALED = """
import sys
from uuid import UUID
from django.core.management import call_command
from breachdesk.audit.erasure import sealed_names
from breachdesk.audit.models import Event, PrivateValue
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.vault.models import DataKey
there = PrivateValue.objects.filter(event__event_id="{event}")
print(there.filter(field="title").exists(), there.filter(field="what_happened").exists(), sealed_names(UUID("{over}")))
print(DataKey.objects.filter(scope="{over}", destroyed_at=None).exists())
print(Event.objects.of_type("privacy.erased").count())
sequence_pending()
call_command("verify_audit", stdout=sys.stderr)
"""


def test_an_older_list_in_the_backup_is_said_to_be_no_newer_one(
    tmp_path: Path, kept_files: Path, elsewhere: Elsewhere
) -> None:
    incident = make_incident()
    erase_values(sealed_names(incident.pk)[:1], ground="request", by=make_user("dpo"))
    back_up(tmp_path / "data", tmp_path / "keys")
    assert (tmp_path / "data/files" / LIST).exists()
    restored = elsewhere.manage("restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    assert "0 values and 0 data keys were erased again" in restored.stdout
    assert "it is readable now" in restored.stdout


def test_a_list_of_erasures_that_is_none_stops_the_restore(tmp_path: Path, elsewhere: Elsewhere) -> None:
    back_up(tmp_path / "data", tmp_path / "keys")
    (tmp_path / "list").write_text("everything\n")
    words = ["restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys")]
    broken = elsewhere.manage(*words, "--erasures", str(tmp_path / "list"))
    assert (broken.returncode, "Nothing was restored" in broken.stderr) == (1, True)
    assert "No such file" in elsewhere.manage(*words, "--erasures", str(tmp_path / "none")).stderr


def test_the_backup_is_in_the_trail_and_holds_no_key(tmp_path: Path, kept_files: Path) -> None:
    make_upload(make_incident())
    assert "opens nothing" in back_up(tmp_path / "data")
    manifest = json.loads((tmp_path / "data/manifest.json").read_text())
    assert len(manifest["files"]) == 2
    assert Event.objects.newest_first()[0].content["data"]["files"] == 2
    key = settings.BREACHDESK.master_key_file.read_bytes().strip()
    for path in (tmp_path / "data").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.is_dir() or key not in path.read_bytes()


@pytest.mark.parametrize("keys", ["data", "data/keys", "."])
def test_keys_never_lie_with_the_data(tmp_path: Path, keys: str) -> None:
    with pytest.raises(CommandError, match="must go to another folder"):
        back_up(tmp_path / "data", tmp_path / keys)
    assert not (tmp_path / "data").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "older").write_text("yesterday's")
    with pytest.raises(CommandError, match="is not empty"):
        back_up(tmp_path)


def test_a_database_in_use_is_not_overwritten(tmp_path: Path) -> None:
    back_up(tmp_path / "data")
    before = Event.objects.count()
    with pytest.raises(CommandError, match="is not empty: it holds"):
        call_command("restore", str(tmp_path / "data"))
    assert Event.objects.count() == before


def test_a_changed_backup_is_not_restored(tmp_path: Path) -> None:
    back_up(tmp_path / "data")
    with (tmp_path / "data/database.dump").open("ab") as dump:
        dump.write(b"!")
    with pytest.raises(CommandError, match=r"database\.dump is not as it was"):
        call_command("restore", str(tmp_path / "data"))
    (tmp_path / "data/database.dump").unlink()
    with pytest.raises(CommandError, match=r"database\.dump is missing"):
        call_command("restore", str(tmp_path / "data"))
    with pytest.raises(CommandError, match="There is no backup in"):
        call_command("restore", str(tmp_path))


def test_another_key_restores_nothing(tmp_path: Path, elsewhere: Elsewhere) -> None:
    back_up(tmp_path / "data")
    missing = elsewhere.manage("restore", str(tmp_path / "data"))
    assert (missing.returncode, "does not exist" in missing.stderr) == (1, True)
    (elsewhere.folder / "master.key").write_text("A" * 43 + "=")
    (elsewhere.folder / "master.key").chmod(0o600)
    wrong = elsewhere.manage("restore", str(tmp_path / "data"))
    assert wrong.returncode == 1
    assert "is not the master key this backup was made under" in wrong.stderr
    assert "Traceback" not in wrong.stderr + missing.stderr
