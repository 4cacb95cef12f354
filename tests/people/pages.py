"""What the tests of the people's pages share."""

from typing import Any

from django.test import Client
from django.urls import reverse

from breachdesk.incidents.models import Incident
from breachdesk.people.actions import receive_upload
from breachdesk.people.models import Upload
from breachdesk.people.uploads import seal_chunks
from tests.factories import make_user


def client_of(*roles: str, strict: bool = False) -> Client:
    client = Client(enforce_csrf_checks=strict)
    client.force_login(make_user(*roles), backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page_of(client: Client, incident: Incident, name: str = "people", *args: object) -> str:
    return str(answer_of(client, incident, name, *args).content.decode())


def answer_of(client: Client, incident: Incident, name: str = "people", *args: object) -> Any:
    return client.get(reverse(name, args=[incident.reference, *args]))


def seal_bytes(incident: Incident, content: bytes, name: str = "customers.csv") -> Upload:
    """A file handed in byte by byte as given, whose columns nobody matched yet."""
    return receive_upload(incident, seal_chunks(incident.pk, name, [content]), by=make_user("responder"))
