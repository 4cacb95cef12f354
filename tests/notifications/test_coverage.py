"""Every language and combination of data on one page, who has nothing to read, and what the reader has opened of it."""

import pytest
from django.test import Client
from django.urls import reverse

from notifications import actions
from notifications.audience import Audience
from notifications.coverage import Coverage, coverage_of
from notifications.editions import the_organisation
from notifications.models import Edition
from tests.factories import make_edition, make_edition_in_review, make_user

pytestmark = pytest.mark.django_db


def coverage(edition: Edition, user: object) -> Coverage:
    return coverage_of(Edition.objects.with_incident().get(pk=edition.pk).notice, the_organisation(), user)


def test_one_missing_language_holds_up_nobody_else(client: Client) -> None:
    edition, approver = make_edition(), make_user("approver")
    author = edition.authors.get().author
    actions.define_audience(edition.notice, audience=Audience(places=("GB", "FR", "DE")), fallback=[], by=author)
    french = actions.add_edition(edition.notice, language="fr", by=author)
    found = coverage(edition, approver)
    waits = {row.edition.language: (row.people, row.waiting) for row in found.rows}
    assert waits == {"en": (1, 1), "fr": (1, 1)}
    assert [(one.language, one.people) for one in found.readership.nothing_to_read] == [("de", 1)]
    make_edition_in_review(edition)
    assert {row.edition.language: row.waiting for row in coverage(edition, approver).rows} == {"en": 0, "fr": 1}

    client.force_login(approver)
    page = client.get(reverse("edition-coverage", args=[edition.notice.incident.reference, french.pk])).content.decode()
    assert "Everybody in France, Germany or United Kingdom:</strong> 3 people" in page
    assert "1 person has no version they can read.</strong> German 1" in page
    assert "1 person waits for it" in page


def test_it_says_what_the_reader_opened(client: Client) -> None:
    edition, approver = make_edition_in_review(), make_user("approver")
    [row] = coverage(edition, approver).rows
    assert row.opened == frozenset()
    key = next(cell.key for cell in row.cells if cell.key in edition.renderings)
    actions.open_rendering(edition, rendering=key, by=approver)
    [row] = coverage(edition, approver).rows
    assert row.opened == {key}
    assert key in {cell.key for cell in row.cells}
    assert coverage(edition, make_user("approver")).rows[0].opened == frozenset()
    client.force_login(approver)
    page = client.get(reverse("edition-coverage", args=[edition.notice.incident.reference, edition.pk]))
    assert page.content.decode().count("<small>you opened it</small>") == 1
