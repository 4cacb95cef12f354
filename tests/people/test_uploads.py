import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from breachdesk.people import tasks, uploads
from breachdesk.people.models import Person, Reading, Upload
from breachdesk.people.working import work_on_upload
from tests.factories import make_incident, make_upload, match_upload, take_in, unguarded


@pytest.mark.django_db
def test_a_file_that_is_too_large_is_refused_and_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGEST_FILE", 100)
    before = kept()
    with pytest.raises(ValidationError, match="larger than 2 GB"):
        uploads.seal_chunks(make_incident().pk, "large.csv", [b"x" * 60, b"x" * 60])
    assert kept() == before


def test_a_file_that_nobody_asked_for_is_not_kept() -> None:
    file = SimpleUploadedFile("people.csv", b"x" * 5_000_000)
    request = RequestFactory().post("/login/", {"login": "ana", "file": file})
    assert (request.POST["login"], len(request.FILES)) == ("ana", 0)


@pytest.mark.django_db
def test_what_a_crash_left_is_cleared_away_and_what_waits_is_kept() -> None:
    waiting = uploads.sealed_path(make_upload(make_incident()).pk)
    left = waiting.with_name("00000000-0000-4000-8000-000000000000.sealed.partial")
    left.write_bytes(b"sealed")
    for path in (waiting, left):
        os.utime(path, (0, 0))
    tasks.restart_stalled_uploads()
    assert (waiting.exists(), left.exists()) == (True, False)


def kept() -> list[Path]:
    return sorted((settings.BREACHDESK.state_dir / "uploads").glob("*"))


LOAD = """
import sys, uuid, django
django.setup()
from breachdesk.people.working import work_on_upload
work_on_upload(uuid.UUID(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_nobody_and_the_repeat_adds_everybody_once() -> None:
    incident = make_incident()
    rows = "".join(f"Ana {n},ana{n}@example.com\n" for n in range(30_000))
    upload = match_upload(make_upload(incident, "name,email\n" + rows))
    kill_in_the_middle(upload)
    assert not Person.objects.of(incident).exists()
    assert not Upload.objects.stalled_at(timezone.now()).exists(), "the lease still runs"
    with unguarded():
        Upload.objects.all().update(rung_at=timezone.now() - timedelta(60))
    Reading.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.restart_stalled_uploads()
    again = take_in(work_on_upload(upload.pk))
    assert (again.state, again.starts, again.rows_valid) == (Upload.State.LOADED, 2, 30_000)
    assert Person.objects.of(incident).count() == 30_000


def kill_in_the_middle(upload: Upload) -> None:
    database = connection.settings_dict
    place = f"host={quote(database['HOST'], safe='')}" + (f"&port={database['PORT']}" if database["PORT"] else "")
    address = f"postgresql://{database['USER']}:{quote(database['PASSWORD'])}@/{database['NAME']}?{place}"
    environment = {**os.environ, "DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    worker = subprocess.Popen([sys.executable, "-c", LOAD, str(upload.pk)], env=environment)
    deadline = time.monotonic() + 60
    while not Reading.objects.filter(upload=upload, rows__gt=0).exists():
        assert worker.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
