"""What the tests of exports share: asking, allowing, and reading what was made."""

import csv
import io
from pathlib import Path
from typing import Any

import pyzipper
from django.conf import settings
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import User
from breachdesk.incidents.models import Incident
from breachdesk.people import actions
from breachdesk.people.exports import opened_file
from breachdesk.people.models import PeopleExport
from breachdesk.vault.sealing import cipher_for
from tests.factories import make_user

FIELDS = ["reference", "given_name", "family_name", "email", "country", "minor"]
REASON = "For Zyxlaw LLP, who write the letters."


def ask(incident: Incident, by: User, **said: Any) -> PeopleExport:
    return actions.ask_export(incident, **{"which": "all", "fields": FIELDS, "reason": REASON, **said}, by=by)


def allowed(incident: Incident, by: User, **said: Any) -> PeopleExport:
    return actions.approve_export(ask(incident, by, **said), by=make_user("approver"))


def zip_of(export: PeopleExport) -> bytes:
    with opened_file(export, cipher_for(export.incident_id)) as file:
        return file.readall() or b""


def rows_in(content: bytes, passphrase: str) -> list[dict[str, str]]:
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(passphrase.encode())
        return list(csv.DictReader(io.StringIO(archive.read("people.csv").decode("utf-8-sig"), newline="")))


def client_for(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def post(user: User, name: str, export: PeopleExport, **said: Any) -> Any:
    return client_for(user).post(reverse(name, args=[export.incident.reference, export.pk]), said)


def sealed_files() -> list[Path]:
    return sorted((settings.BREACHDESK.state_dir / "exports").glob("*"))
