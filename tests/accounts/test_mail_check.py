"""Test my mail set-up: one message to me over a real connection, and what the relay said to each step."""

import socket
from collections.abc import Generator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import Settings

from breachdesk.accounts import actions
from breachdesk.audit.models import Event
from tests.factories import make_organisation, make_user

pytestmark = pytest.mark.django_db


class Relay:
    """Keeps what it takes; refuses whoever is named `nobody`."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 No mailbox here by that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        return "250 2.0.0 Queued as 4F7K"


@pytest.fixture
def relay(settings: Settings) -> Generator[Relay]:
    handler = Relay()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": port})
    yield handler
    controller.stop()


def test_one_message_goes_to_me_from_the_saved_sender(relay: Relay) -> None:
    make_organisation()
    user = make_user("administrator", email="ines@halden-rowe.example")
    check = actions.try_mail_setup(by=user)
    assert check.taken
    assert [step.said for step in check.steps] == [
        "connect",
        "EHLO",
        "MAIL FROM:<care@halden-rowe.example>",
        "RCPT TO:<ines@halden-rowe.example>",
        "DATA",
    ]
    assert (check.code, check.answer) == (250, "2.0.0 Queued as 4F7K")
    assert [envelope.rcpt_tos for envelope in relay.taken] == [["ines@halden-rowe.example"]]
    assert b"Subject: BreachDesk can send mail" in relay.taken[0].content


def test_a_refusal_is_shown_with_its_code_and_recorded(relay: Relay) -> None:
    user = make_user("administrator", email="nobody@halden-rowe.example")
    check = actions.try_mail_setup(by=user)
    assert check.problem == "The relay answered 550 5.1.1 No mailbox here by that name"
    assert check.steps[-1].said == "RCPT TO:<nobody@halden-rowe.example>"
    event = Event.objects.newest_first()[0]
    assert (event.type, event.content["data"]) == ("organisation.mail_tested", {"outcome": "refused", "code": 550})


def test_a_relay_that_is_down_is_a_sentence() -> None:
    check = actions.try_mail_setup(by=make_user("administrator"))
    assert "Nothing takes connections at 127.0.0.1, port 1" in check.problem
    assert check.code == 0


def test_a_relay_without_starttls_is_a_sentence(relay: Relay, settings: Settings) -> None:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"smtp_security": "starttls"})
    check = actions.try_mail_setup(by=make_user("administrator"))
    assert check.problem.startswith("The relay does not offer STARTTLS")


def test_a_provider_answers_in_its_own_words(settings: Settings) -> None:
    backend = "anymail.backends.test.EmailBackend"
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"transport": backend})
    check = actions.try_mail_setup(by=make_user("administrator"))
    assert check.taken
    assert check.answer.startswith("test answered: ")


def test_another_role_sends_nothing(relay: Relay) -> None:
    with pytest.raises(PermissionDenied):
        actions.try_mail_setup(by=make_user("author"))
    assert relay.taken == []


def test_the_button_shows_the_answer_in_place_and_as_a_page(client: Client, relay: Relay) -> None:
    client.force_login(make_user("administrator"))
    part = client.post("/organisation/try-mail/", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<div id="mail-check"')
    assert "250 2.0.0 Queued as 4F7K" in part
    assert "<h1>Mail goes out</h1>" in client.post("/organisation/try-mail/").content.decode()
