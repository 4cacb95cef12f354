"""Of a long list of unknowns the page shows what was found a moment ago, and domains are told from what was noted."""

from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of
from breachdesk.vault.sealing import cipher_for
from notifications import progress, unknowns
from notifications.actions import take_as_sent
from notifications.composing import domain_index, domain_of
from notifications.models import Delivery, Edition
from notifications.unknowns import Rule, chosen_by, domains_of
from tests.factories import make_edition_being_sent, make_user, unguarded
from tests.notifications.test_reconcile import unknowns as make_unknown

pytestmark = pytest.mark.django_db
WHY = "The relay's log of that hour is lost."


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    edition = make_edition_being_sent()
    make_unknown(edition, 2)
    return edition


def test_a_long_list_is_kept_for_a_moment_and_a_decision_is_held_to_the_list_as_it_is(
    edition: Edition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LONG", 1)
    monkeypatch.setattr(unknowns, "KEPT_SECONDS", 600.0)
    client, asker = Client(), make_user("approver")
    client.force_login(asker)
    page = reverse("unknown", args=[edition.notice.incident.reference, edition.pk])
    assert "2 people of whom nobody knows" in client.get(page).content.decode()
    assert "Nobody fits" in client.get(page, {"heard": "told"}).content.decode(), "each rule has a list of its own"
    seen, gone = chosen_by(edition, Rule()), chosen_by(edition, Rule()).ids[0]
    with unguarded():
        Delivery.objects.filter(pk=gone).update(state="delivered")
    stale = client.get(page).content.decode()
    assert f"seen={seen.root.hex()}" in stale, "what was found a moment ago"
    with pytest.raises(ValidationError, match="not the people you saw"):
        take_as_sent(edition, rule=Rule(), rows_root=seen.root, reason=WHY, by=asker)
    take_as_sent(edition, rule=Rule(), rows_root=chosen_by(edition, Rule()).root, reason=WHY, by=asker)
    assert "Nothing is unknown" in client.get(page).content.decode(), "who decided sees at once what is left"


def test_a_domain_is_named_from_the_try_and_nobody_is_opened_for_it(edition: Edition) -> None:
    """Told once five people share it, and only if the person who is opened for the name fits the index."""
    cipher, doubt = cipher_for(edition.incident_id), chosen_by(edition, Rule()).all[0]
    own = domain_of(personal_of(cipher, Person.objects.get(pk=doubt.person))["email"])

    def named(number: int, noted: bytes | None) -> set[tuple[str, str]]:
        return set(domains_of(edition, [doubt._replace(id=uuid4(), domain=noted) for _ in range(number)]).values())

    index, other = domain_index(cipher, own), domain_index(cipher, "other.example")
    assert named(4, index) == {(index.hex(), "")}
    assert named(5, index) == {(index.hex(), own)}
    assert named(5, other) == {(other.hex(), "")}
    assert named(5, None) == {(index.hex(), own)}, "a restore brought it back without its try"
