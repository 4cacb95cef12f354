"""export_bundle, from a case that went through everything to a file that the verifier, alone, finds valid."""

import json
import stat
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from tests.desk.exporting import Exporting, check, told_case
from tests.notifications.sink import Sink
from tests.signing import Signing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def through(settings: Settings) -> Callable[[Sink], None]:
    def point(sink: Sink) -> None:
        changes = {"smtp_port": sink.port, "smtp_timeout": 1, "lease_margin": 20, "smtp_connections": 2}
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=changes)

    return point


@pytest.fixture
def signing(db: None, settings: Settings, tmp_path: Path) -> Signing:
    (tmp_path / "signing").mkdir()
    return Signing(settings, tmp_path / "signing")


@pytest.fixture
def export(signing: Signing, tmp_path: Path) -> Exporting:
    (tmp_path / "out").mkdir()
    return Exporting(signing, tmp_path / "out")


def test_first(export: Exporting, through: Callable[[Sink], None]) -> None:
    incident = told_case(through)
    bundle = export(incident)
    with ZipFile(bundle) as members:
        print(members.namelist())
        for name in members.namelist():
            if name not in ("index.html", "bd_verify.py"):
                print(name, members.read(name)[:1500].decode())
