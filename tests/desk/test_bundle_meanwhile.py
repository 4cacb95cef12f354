"""An export while the case goes on, while somebody stops it, and beside what outsiders hold."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from breachdesk.audit.anchors import stamp_if_due
from breachdesk.audit.erasure import SealedName
from breachdesk.audit.models import Entry, Event
from breachdesk.audit.note import checkpoint_text, sign_note
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signing_key import read_signing_key
from breachdesk.incidents.actions import close_incident
from breachdesk.incidents.erasing import erase_values
from breachdesk.incidents.models import Incident
from tests.audit.tsa import LocalTsa
from tests.desk.exporting import Exporting, check, exporting, lines_of, members_of
from tests.factories import make_incident, make_user

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def export(db: None, settings: Settings, tmp_path: Path) -> Exporting:
    return exporting(settings, tmp_path)


@contextmanager
def behind_the_head(export: Exporting, happens: Callable[[], object]) -> Iterator[None]:
    """Once the head is linked, and before anybody signs it, something happens and is linked too."""

    def wait_and_let_it_happen() -> None:
        try:
            while not Entry.objects.filter(event_id__in=heads().values("event_id")).exists():
                time.sleep(0.01)
            happens()
            assert sequence_everything()
            export.signing.look()
            while len(heads()) == 1 and is_running.is_set():
                time.sleep(0.01)
            while is_running.is_set():
                export.signing.look()
                time.sleep(0.02)
        finally:
            connection.close()

    is_running = threading.Event()
    is_running.set()
    thread = threading.Thread(target=wait_and_let_it_happen)
    thread.start()
    try:
        yield
    finally:
        is_running.clear()
        thread.join()


def heads():  # type: ignore[no-untyped-def]
    return Event.objects.of_type("incident.head")


def run(incident: Incident, target: Path, *options: str) -> Path:
    call_command("export_bundle", incident.reference, "-o", str(target), "--wait=60", *options, stdout=StringIO())
    return target


def test_a_whole_log_ends_the_case_where_its_last_entry_is(export: Exporting) -> None:
    incident, dpo = make_incident(), make_user("dpo")

    def close() -> None:
        close_incident(incident, reason="Over.", expected_version=incident.version, by=dpo)

    with behind_the_head(export, close):
        bundle = run(incident, export.folder / "case.zip", "--whole")
    assert check(bundle)["verdict"] == "VALID"
    assert len(heads()) == 2
    assert [line for line in lines_of(bundle, "entries.jsonl") if '"incident.closed"' in (line["body"] or "")]


def test_without_whole_it_ends_with_the_head_and_says_so(export: Exporting) -> None:
    incident, dpo = make_incident(), make_user("dpo")

    def close() -> None:
        close_incident(incident, reason="Over.", expected_version=incident.version, by=dpo)

    with behind_the_head(export, close):
        bundle = run(incident, export.folder / "case.zip")
    assert check(bundle)["verdict"] == "VALID"
    assert len(heads()) == 1
    assert not [line for line in lines_of(bundle, "entries.jsonl") if '"incident.closed"' in line["body"]]


def test_what_is_erased_meanwhile_is_not_given_away_and_does_not_seem_to_be_missing(export: Exporting) -> None:
    incident, dpo = make_incident(), make_user("dpo")
    opened = Event.objects.of_incident(incident.pk).of_type("incident.opened").get()

    def erase() -> None:
        erase_values([SealedName(opened.event_id, "what_happened")], ground="request", by=dpo)

    with behind_the_head(export, erase):
        bundle = run(incident, export.folder / "case.zip", "--private")
    assert check(bundle)["verdict"] == "VALID"
    fields = {line["field"] for line in lines_of(bundle, "private.jsonl") if line["event"] == str(opened.event_id)}
    assert "processor" in fields
    assert "what_happened" not in fields


# Stopped


def test_stopped_halfway_it_leaves_nothing(export: Exporting) -> None:
    """Asked to stop while it waits for a signer that does not run; by then its working folder is there."""
    incident = make_incident()
    known = connection.settings_dict
    address = f"postgresql://{known['USER']}:{quote(known['PASSWORD'])}@/{known['NAME']}?host={quote(known['HOST'])}"
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "breachdesk.settings"}
    command = [sys.executable, "manage.py", "export_bundle", incident.reference, "-o", str(export.folder / "x.zip")]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(export.folder.iterdir()) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, told
    assert list(export.folder.iterdir()) == []


# What outsiders hold


def test_time_stamps_are_in_it_and_are_judged(export: Exporting, settings: Settings, tmp_path: Path) -> None:
    incident = make_incident()
    with LocalTsa(tmp_path / "tsa") as tsa:
        changes = {"tsa_urls": tsa.url, "tsa_roots_file": tsa.roots_file}
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=changes)
        size = export.signing.sign().size
        tsa.behaves = "error"
        assert [anchor.ok for anchor in stamp_if_due(timezone.now())] == [False]
        tsa.behaves = "good"
        assert [anchor.ok for anchor in stamp_if_due(timezone.now() + timedelta(minutes=2))] == [True]
    bundle = export(incident)
    [anchor] = lines_of(bundle, "anchors.jsonl")
    assert (anchor["size"], anchor["kind"]) == (size, "rfc3161")
    assert f"\n{size}\n" in "".join(line["note"] for line in lines_of(bundle, "notes.jsonl"))
    assert b"BEGIN CERTIFICATE" in members_of(bundle)["trust.json"]
    assert check(bundle)["verdict"] == "VALID"


def kept_note(export: Exporting, size: int, root: bytes) -> Path:
    """Signed by our key: what somebody holds from a log that was another one."""
    origin = export.origin
    path = export.folder.parent / "kept.note"
    path.write_text(sign_note(checkpoint_text(origin, size, root), origin, [read_signing_key()]))
    return path


@pytest.mark.parametrize(
    ("size", "sentence"), [(2, "first 2 entries were changed after it was signed"), (10_000, "the log was cut off")]
)
def test_a_note_that_contradicts_the_log_is_an_alarm(size: int, sentence: str, export: Exporting) -> None:
    note = kept_note(export, size, b"\x07" * 32)
    with pytest.raises(CommandError, match=sentence):
        export(make_incident(), "--note", str(note))
    assert list(export.folder.iterdir()) == []


def test_a_note_that_cannot_be_read_is_refused(export: Exporting) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        export(make_incident(), "--note", str(export.folder.parent / "nowhere.note"))
