"""A case that went through everything, and its export, for the tests of bundles."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from breachdesk.accounts.models import Organisation
from breachdesk.audit.verifier import SCRIPT
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import hold_person
from breachdesk.people.models import Person
from notifications import sending
from notifications.actions import start_edition
from notifications.models import Edition
from notifications.routes import connect
from regulators import actions as filings
from regulators.actions import NewAnswer
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)
from tests.notifications.sink import Fault, Sink
from tests.regulators.conftest import ANSWERS, fresh, sign, submit
from tests.signing import Signing


class Exporting:
    """Exports as the command does it, while a signer looks at the log as it does in production."""

    def __init__(self, signing: Signing, folder: Path) -> None:
        self.signing, self.folder = signing, folder
        self.origin: str = settings.BREACHDESK.log_origin
        self.made = 0

    def __call__(self, incident: Incident, *options: str) -> Path:
        self.made += 1
        target = self.folder / f"bundle-{self.made}.zip"
        with self.signer():
            call_command("export_bundle", incident.reference, "-o", str(target), *options, stdout=StringIO())
        return target

    @contextmanager
    def signer(self) -> Iterator[None]:
        done = threading.Event()

        def look_again_and_again() -> None:
            while not done.wait(0.02):
                self.signing.look()
            connection.close()

        thread = threading.Thread(target=look_again_and_again)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def exporting(changed: Any, folder: Path) -> Exporting:
    """With a signer that has a key of its own, and a folder for what it makes."""
    (folder / "out").mkdir()
    (folder / "signing").mkdir()
    return Exporting(Signing(changed, folder / "signing"), folder / "out")


def pointing(changed: Any) -> Callable[[Sink], None]:
    """Sends the product's mail into a sink."""

    def point(sink: Sink) -> None:
        changes = {"smtp_port": sink.port, "smtp_timeout": 15, "lease_margin": 20, "smtp_connections": 2}
        changed.BREACHDESK = changed.BREACHDESK.model_copy(update=changes)

    return point


def members_of(bundle: Path) -> dict[str, bytes]:
    with ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines_of(bundle: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members_of(bundle)[name].decode().splitlines()]


def check(bundle: Path, *options: str) -> dict[str, Any]:
    """What the verifier says, run as an outsider runs it: alone, without our packages or anybody else's."""
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(bundle), "--json", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd="/")
    assert run.stderr == ""
    answer: dict[str, Any] = json.loads(run.stdout)
    assert run.returncode == ["VALID", "INVALID", "INCOMPLETE"].index(answer["verdict"])
    return answer


def told_case(through: Callable[[Sink], None], people: int = 12) -> Incident:
    """Logged, loaded, written, approved, sent over a mail server that refuses some, and filed."""
    if not Organisation.objects.exists():
        make_organisation()
    incident = make_incident()
    rows = [f"HR-{n},Ana,Person {n},person{n:04}@example.com,en" for n in range(people)]
    make_people(incident, "\n".join(["customer_id,first_name,last_name,email,language", *rows]))
    hold_person(Person.objects.of(incident)[0], reason="Asked us to wait.", expected_version=1, by=make_user("dpo"))
    edition = make_approved_edition(make_edition_in_review(make_edition(incident)))
    send(start_edition(edition, by=make_user("approver")), through)
    file_it(incident)
    return incident


def send(edition: Edition, through: Callable[[Sink], None]) -> None:
    faults = [
        Fault(at="rcpt", act="550 5.1.1 No such user", who="person0003"),
        Fault(at="rcpt", act="451 4.3.0 Try later", who="person0004"),
    ]
    with Sink(faults=faults) as sink:
        through(sink)
        sending.drain_edition(edition.pk, connect=connect, seconds=20)


def file_it(incident: Incident) -> None:
    dpo = make_user("dpo")
    filing = filings.open_filing(incident, "uk_ico", by=dpo)
    filing = filings.save_answers(filing, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=dpo)
    filing = filings.submit_for_sign_off(filing, expected_version=filing.version, by=dpo)
    sign(filing, dpo)
    submit(fresh(filing), dpo)
