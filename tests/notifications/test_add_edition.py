"""One notice, several languages, and a next revision when one is over."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from notifications.actions import add_edition, cancel_edition
from notifications.models import Edition
from tests.factories import make_edition, make_user

pytestmark = pytest.mark.django_db


def test_a_language_is_added_once() -> None:
    edition = make_edition()
    french = add_edition(edition.notice, language="fr", by=make_user("author"))
    assert (french.language, french.revision, french.subject) == ("fr", 1, "Vos informations ont été copiées")
    with pytest.raises(ValidationError, match="in French already"):
        add_edition(edition.notice, language="French", by=make_user("author"))


def test_the_next_revision_keeps_text_and_authors() -> None:
    first_author, second_author = make_user("author"), make_user("author")
    edition = make_edition(by=first_author)
    cancel_edition(edition, by=make_user("dpo"))
    revision = add_edition(edition.notice, language="en", by=second_author)
    assert (revision.revision, revision.body) == (2, edition.body)
    assert {row.author for row in revision.authors.all()} == {first_author, second_author}


def test_the_screen_counts_who_reads_what(client: Client) -> None:
    edition = make_edition()
    client.force_login(make_user("author"))
    address = reverse("edition-add", args=[edition.notice.incident.reference, edition.notice.pk])
    assert "German: 1 person" in client.get(address).content.decode().replace("people", "person")
    assert client.post(address, {"language": "de"}).status_code == 302
    assert Edition.objects.filter(language="de").count() == 1
    assert client.post(address, {"language": "de"}).status_code == 422
    assert Edition.objects.filter(language="de").count() == 1
