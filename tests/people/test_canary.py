"""No name or address leaves the sealed columns: not to the disk, the broker, the logs, the trail or an address."""

import logging
import os
import re
import subprocess
import tempfile
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.incidents.models import Incident
from breachdesk.people import actions, tasks
from breachdesk.people.models import Person, Reading, Upload
from tests import servers_plugin
from tests.factories import make_incident, make_organisation, make_people, make_user, match_upload, take_in
from tests.leaking import shapes
from tests.people.exporting import ask
from tests.people.test_people_page import client_of, hand_in

MARK = f"zyx{uuid4().hex}"  # nobody else's, so that the servers' folder, which others use too, can be searched
CANARIES = [f"{MARK}{part}" for part in ("given", "family", ".address", "street", "ref", "remark")]
SHAPES = sorted({shape for canary in CANARIES for shape in shapes(canary)})
ROW = f"{MARK}ref{{n}},{MARK}given,{MARK}family{{n}},{MARK}.address{{n}}@example.com,{MARK}street {{n}},{MARK}remark\n"
HEADING = "customer_id,first_name,last_name,email,street,remarks\n"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_export_files")]


@pytest.fixture
def broker() -> redis.Redis:
    client = redis.Redis.from_url(settings.BREACHDESK.redis_url)
    client.flushdb()
    return client


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whatever this process writes to a temporary folder, it writes here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_no_canary_gets_out(broker: redis.Redis, caplog: pytest.LogCaptureFixture, temporary: Path) -> None:
    make_organisation()
    incident = make_incident()
    caplog.set_level(logging.DEBUG)
    client = client_of("responder")
    content = HEADING + "".join(ROW.format(n=n) for n in range(2_000)) + f"{MARK}ref,{MARK}given,,,,\n"
    assert hand_in(client, incident, content.encode()).status_code == 302
    upload = Upload.objects.get()
    matching = client.get(reverse("upload-match", args=[incident.reference, upload.pk]))
    assert matching.status_code == 200
    match_upload(upload)
    tasks.ring(upload.pk)
    assert broker.keys("*"), "the doorbell rang"
    everywhere(broker, caplog, temporary)
    fail_to_read(upload, caplog)
    everywhere(broker, caplog, temporary)
    tasks.work_on_upload(str(upload.pk))
    take_in(Upload.objects.get())
    look_at_everything(client, incident)
    undo_another(client, incident)
    everywhere(broker, caplog, temporary)
    assert Person.objects.of(incident).count() == 2_000


def fail_to_read(upload: Upload, caplog: pytest.LogCaptureFixture) -> None:
    """As a worker runs it, and logs that it failed: the database refuses the rows that were read."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person ADD CONSTRAINT none_today CHECK (row_number < 100) NOT VALID")
    assert tasks.work_on_upload.apply(args=[str(upload.pk)]).state == "FAILURE"
    assert "none_today" in caplog.text
    assert "in work_on_upload" in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE people_person DROP CONSTRAINT none_today")
    Reading.objects.filter(upload=upload).update(lease_until=timezone.now() - timedelta(seconds=1))


def look_at_everything(client: Client, incident: Incident) -> None:
    address, why = reverse("people-search", args=[incident.reference]), f"{MARK}given rang the hotline."
    asked = client.post(address, {"typed": f"{MARK}.address7@example.com", "reason": why})
    assert "One person is on the list" in asked.content.decode()
    person = Person.objects.of(incident)[0]
    shown = client.post(reverse("person-reveal", args=[incident.reference, person.pk]))
    assert f"{MARK}given" in shown.content.decode()
    dpo = make_user("dpo")
    actions.hold_person(person, reason=f"{MARK}given asked.", expected_version=1, by=dpo)
    pasted = f"{MARK}ref8\n{MARK}.address9@example.com\n{MARK}ref"
    actions.hold_people(incident, pasted, kind="dispute", reason=f"{MARK}given and others.", by=dpo)
    export = actions.approve_export(ask(incident, dpo, reason=why), by=make_user("approver"))
    actions.download_export(actions.make_export(export, by=dpo)[0], by=dpo)
    for name in ("people", "people-list", "people-counts"):
        assert client.get(reverse(name, args=[incident.reference])).status_code == 200


def undo_another(client: Client, incident: Incident) -> None:
    """A second list with a row that is rejected, looked at and taken out again."""
    text = HEADING + ROW.format(n=9_999) + f"{MARK}ref,{MARK}given,{MARK}family,{MARK}.address at,,\n"
    upload = make_people(incident, text)
    rejected = client.get(reverse("people-rejected", args=[incident.reference, upload.pk]))
    assert rejected.status_code == 200
    download = client.post(reverse("rejected-download", args=[incident.reference, upload.pk]))
    assert MARK in b"".join(download).decode()
    actions.undo_upload(upload, reason=f"{MARK}given is a test.", by=upload.uploaded_by, ring=False)
    tasks.work_on_upload(str(upload.pk))


def everywhere(broker: redis.Redis, caplog: pytest.LogCaptureFixture, temporary: Path) -> None:
    """The disk, the whole broker, the whole log, every column of every table, and the servers' own folder."""
    assert leaks(b"".join(path.read_bytes() for path in files_of(settings.BREACHDESK.state_dir))) == []
    assert leaks(b"".join(path.read_bytes() for path in temporary.rglob("*") if path.is_file())) == []
    assert leaks(repr([dumped(broker, key) for key in broker.keys("*")]).encode()) == []
    assert leaks(caplog.text.encode()) == []
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT convert_to(row_to_json(t)::text, 'UTF8') FROM \"{table}\" t")
            assert leaks(b"".join(undressed(bytes(row[0])) for row in cursor.fetchall())) == [], table
    assert files_with_a_canary(temporary) == []


def files_with_a_canary(temporary: Path, mark: str = MARK) -> list[str]:
    """Data, write-ahead log and log of the database, the broker's folder, and what other processes put beside them."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    names = [str(temporary), *filter(None, [os.environ.get(servers_plugin.FOLDER)])]
    command = ["grep", "-r", "-l", "-a", "-i", "-F", "--devices=skip", mark, *names]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C"}).stdout.split()


def files_of(folder: Path) -> list[Path]:
    """Our own folders; the servers' data folder holds what the tables hold."""
    return [path for name in ("uploads", "exports", "catcher") for path in (folder / name).rglob("*") if path.is_file()]


def dumped(broker: redis.Redis, key: bytes) -> object:
    kind = broker.type(key)
    return broker.lrange(key, 0, -1) if kind == b"list" else broker.hgetall(key) if kind == b"hash" else key


def undressed(row: bytes) -> bytes:
    """Binary columns come as hex: the trail's own bytes must be looked into."""
    found = re.findall(rb'"\\\\x([0-9a-f]*)"', row)
    return row + b" ".join(bytes.fromhex(text.decode()) for text in found)


def leaks(content: bytes) -> list[bytes]:
    lower = content.lower()
    return [shape for shape in SHAPES if shape in lower]


@pytest.mark.parametrize(
    "said",
    [
        b"Given: " + MARK.upper().encode() + b"GIVEN",
        b64encode(f'{{"reason": "{MARK}given"}}'.encode()),
        b64encode(f"{MARK}family7".encode()),
        f"{MARK}street".encode("utf-16-le"),
        undressed(b'{"body": "\\\\x' + f"{MARK}given".encode().hex().encode() + b'"}'),
    ],
    ids=["plain", "json in base64", "base64", "utf-16", "hex"],
)
def test_the_canary_test_itself_can_find_one(said: bytes) -> None:
    assert leaks(b"\x00\xff" + said + b" and more")


@pytest.mark.skipif(not os.environ.get(servers_plugin.FOLDER), reason="the servers are somebody else's")
def test_the_search_of_the_servers_folder_can_find_one(tmp_path: Path) -> None:
    """With a mark of its own: what is planted stays in the database's files, where the others must find nothing."""
    mark = f"zyx{uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE leaky AS SELECT %s AS said", [f"{mark}given"])
        try:
            assert any("postgres" in name for name in files_with_a_canary(tmp_path, mark))
        finally:
            cursor.execute("DROP TABLE leaky")
    (tmp_path / "spooled").write_text(mark)
    assert str(tmp_path / "spooled") in files_with_a_canary(tmp_path, mark)
