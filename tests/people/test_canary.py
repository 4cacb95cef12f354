"""No name or address leaves the sealed columns: not to the disk, the broker, the logs, the trail or an address."""

import logging
import re
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from breachdesk.incidents.models import Incident
from breachdesk.people import actions, tasks
from breachdesk.people.models import Person, Upload
from tests.factories import make_incident, make_organisation, make_user, match_upload, take_in
from tests.people.exporting import ask
from tests.people.test_people_page import client_of, hand_in

CANARIES = [b"zyxcanarygiven", b"zyxcanaryfamily", b"zyxcanary.address", b"zyxcanarystreet", b"zyxcanaryref"]
ROW = "zyxcanaryref{n},zyxcanarygiven,zyxcanaryfamily{n},zyxcanary.address{n}@example.com,zyxcanarystreet {n}\n"
HEADING = "customer_id,first_name,last_name,email,street\n"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_export_files")]


@pytest.fixture
def broker() -> redis.Redis:
    client = redis.Redis.from_url(settings.BREACHDESK.redis_url)
    client.flushdb()
    return client


def test_no_canary_gets_out(broker: redis.Redis, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    make_organisation()
    incident = make_incident()
    caplog.set_level(logging.DEBUG)
    client = client_of("responder")
    content = HEADING + "".join(ROW.format(n=n) for n in range(2_000)) + "zyxcanaryref,zyxcanarygiven,,,\n"
    assert hand_in(client, incident, content.encode()).status_code == 302
    upload = match_upload(Upload.objects.get())
    tasks.ring(upload.pk)
    assert broker.keys("*"), "the doorbell rang"
    everywhere(broker, caplog)
    tasks.work_on_upload(str(upload.pk))
    take_in(Upload.objects.get())
    look_at_everything(client, incident)
    everywhere(broker, caplog)
    assert Person.objects.of(incident).count() == 2_000


def look_at_everything(client: Client, incident: Incident) -> None:
    address, why = reverse("people-search", args=[incident.reference]), "zyxcanarygiven rang the hotline."
    asked = client.post(address, {"typed": "zyxcanary.address7@example.com", "reason": why})
    assert "One person is on the list" in asked.content.decode()
    person = Person.objects.of(incident)[0]
    shown = client.post(reverse("person-reveal", args=[incident.reference, person.pk]))
    assert "zyxcanarygiven" in shown.content.decode()
    dpo = make_user("dpo")
    actions.hold_person(person, reason="zyxcanarygiven asked.", expected_version=1, by=dpo)
    pasted = "zyxcanaryref8\nzyxcanary.address9@example.com\nzyxcanaryref"
    actions.hold_people(incident, pasted, kind="dispute", reason="zyxcanarygiven and others.", by=dpo)
    export = actions.approve_export(ask(incident, dpo, reason=why), by=make_user("approver"))
    actions.download_export(actions.make_export(export, by=dpo)[0], by=dpo)


def everywhere(broker: redis.Redis, caplog: pytest.LogCaptureFixture) -> None:
    """Bytes on the disk, the whole broker, the whole log, and every column of every table."""
    assert leaks(b"".join(path.read_bytes() for path in files_of(settings.BREACHDESK.state_dir))) == []
    assert leaks(repr([dumped(broker, key) for key in broker.keys("*")]).encode()) == []
    assert leaks(caplog.text.encode()) == []
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT convert_to(row_to_json(t)::text, 'UTF8') FROM \"{table}\" t")
            assert leaks(b"".join(undressed(bytes(row[0])) for row in cursor.fetchall())) == [], table


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
    return [canary for canary in CANARIES if canary in content.lower()]


def test_the_canary_test_itself_can_find_one() -> None:
    assert leaks(undressed(b'{"body": "\\\\x7a797863616e617279676976656e"}')) == [b"zyxcanarygiven"]
