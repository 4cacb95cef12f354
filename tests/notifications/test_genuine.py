"""Is this message genuine? Anybody may ask with the code; nobody learns who was written to."""

import email
import re
from email import policy
from html import unescape
from uuid import uuid4

import pytest
from django.conf import settings as product
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from breachdesk.accounts.models import Organisation
from notifications.genuine import all_words, language_for
from notifications.models import Delivery, Edition
from notifications.verification_codes import ALPHABET, code_of, normal_code, printer
from tests.desk.exporting import pointing
from tests.factories import make_edition_being_sent, unguarded
from tests.notifications.sink import Sink
from tests.notifications.test_drain import being_sent, drain

pytestmark = pytest.mark.django_db
CODE = re.compile(r"(?<![\w-])([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})(?![\w-])")
PEOPLE = 3


@pytest.fixture(autouse=True)
def no_tries_yet() -> None:
    cache.clear()


@pytest.fixture(scope="module", autouse=True)
def codes(committed_once: None) -> list[str]:
    """From the messages themselves, as the people have them in hand."""
    with Sink([]) as sink, pytest.MonkeyPatch.context() as changed:
        changed.setattr(product, "BREACHDESK", product.BREACHDESK)  # put back at the end
        pointing(product)(sink)
        drain(being_sent(PEOPLE))
    return [code_in(caught.message) for caught in sink.caught]


def code_in(message: bytes) -> str:
    """The same in both parts of a message."""
    parts = email.message_from_bytes(message, policy=policy.SMTP).iter_parts()
    [code] = {found for part in parts for found in CODE.findall(part.get_content())}
    return code


def ask(typed: str, client: Client | None = None, language: str = "en") -> str:
    response = (client or Client()).post(reverse("genuine-in", args=[language]), {"code": typed})
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_code_in_each_message_is_answered_with_what_was_sent(codes: list[str]) -> None:
    edition = Edition.objects.get()
    assert len(set(codes)) == PEOPLE
    for code in codes:
        page = ask(code)
        assert "Yes, we sent a message with this code" in page
        assert edition.subject in page
        assert Organisation.current().sender_email in page


def test_it_is_read_as_people_type_it(codes: list[str]) -> None:
    code = codes[0]
    for typed in (code.lower(), code.replace("-", ""), f" {code} ", code.replace("-", " – "), code.replace("0", "o")):
        assert "Yes, we sent" in ask(typed)
    assert normal_code("oil-u") == "011V"


def test_what_was_sent_is_told_as_it_was_when_it_was_approved(codes: list[str]) -> None:
    with unguarded():
        Organisation.objects.update(sender_email="later@halden-rowe.example", short_name="Later")
    page = ask(codes[0])
    assert "later@halden-rowe.example" not in page


def test_other_codes_are_not_known_and_told_in_the_same_shape(codes: list[str]) -> None:
    for typed in ("7HTM-2WKD", "", "?", "x" * 500, "<script>alert(1)</script>", "' OR 1=1 --", codes[0][:-1]):
        page = ask(typed)
        assert "We do not know this code" in page
        assert "<script>alert" not in page


def test_a_code_of_a_message_that_never_left_is_not_known() -> None:
    edition = make_edition_being_sent()
    assert "We do not know this code" in ask(code_of(printer(), edition.deliveries.all()[0].pk))


def test_known_and_unknown_codes_take_the_same_path(codes: list[str]) -> None:
    said = []
    for typed in (codes[0], "7HTM-2WKD"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = Client().post(reverse("genuine-in", args=["en"]), {"code": typed})
        statements = [
            re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries if "CACHE" not in query["sql"].upper()
        ]
        said.append((response.status_code, dict(response.headers) | {"Content-Length": ""}, statements))
    assert said[0] == said[1]


def test_nobody_learns_who_was_written_to(codes: list[str]) -> None:
    edition = Edition.objects.get()
    client = Client()
    pages = [client.get(reverse("genuine")).content.decode(), *(ask(code, client) for code in [*codes, "7HTM-2WKD"])]
    for page in pages:
        assert "person000" not in page
        assert edition.notice.incident.reference not in page
        assert edition.notice.title not in page
        assert str(edition.pk) not in page
    assert not client.cookies


def test_it_asks_for_patience_after_twenty_tries() -> None:
    client = Client()
    for _ in range(20):
        ask("7HTM-2WKD", client)
    refused = client.post(reverse("genuine"), {"code": "7HTM-2WKD"})
    assert refused.status_code == 429
    assert b"Please wait ten minutes" in refused.content
    assert client.get(reverse("genuine")).status_code == 200, "reading the page is free"


def test_it_lists_what_was_sent_and_nothing_before(codes: list[str]) -> None:
    page = Client().get(reverse("genuine-in", args=["en"])).content.decode()
    assert Edition.objects.get().subject in unescape(page)
    with unguarded():
        Edition.objects.update(started_at=None)
    assert (
        "We have sent no message of this kind yet" in Client().get(reverse("genuine-in", args=["en"])).content.decode()
    )


def test_it_speaks_the_language_that_is_asked_for(codes: list[str]) -> None:
    assert {frozenset(words) for words in all_words().values()} == {frozenset(all_words()["en"])}
    assert [language_for(header) for header in ("fr-CH, de;q=0.8", "pl, de", "pl", "")] == ["fr", "de", "en", "en"]
    assert "Oui, nous avons envoyé" in ask(codes[0], language="fr")
    assert "ist von uns" in ask(codes[0], language="de")
    assert Client().get(reverse("genuine-in", args=["xx"])).status_code == 404
    assert '<html lang="de"' in Client().get(reverse("genuine"), headers={"accept-language": "de-AT"}).content.decode()


def test_only_a_keyed_hash_of_the_code_is_kept(codes: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d::text FROM notifications_delivery AS d UNION ALL SELECT e::text FROM notifications_edition AS e"
        )
        rows = " ".join(row[0] for row in cursor.fetchall())
    for code in codes:
        assert code not in rows
        assert code.replace("-", "") not in rows
        assert code.replace("-", "").encode().hex() not in rows
    assert all(len(kept) == 16 for kept in Delivery.objects.values_list("verification", flat=True))


def test_the_database_keeps_the_hash_as_it_is(codes: list[str]) -> None:
    with pytest.raises(DatabaseError, match="cannot go from"), transaction.atomic():
        Delivery.objects.update(verification=bytes(16))


def test_codes_are_made_of_letters_nobody_misreads() -> None:
    made = {code_of(printer(), uuid4()) for _ in range(2_000)}
    assert len(made) == 2_000
    assert set("".join(made)) == set(ALPHABET) | {"-"}
    assert all(CODE.fullmatch(code) for code in made)
