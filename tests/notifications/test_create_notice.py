"""A notice begins with a draft in plain words, filled from the facts."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse

from breachdesk.audit.models import Event
from breachdesk.incidents.actions import close_incident
from notifications.actions import add_edition, create_notice
from notifications.models import Edition, Notice
from tests.factories import make_incident, make_organisation, make_user

pytestmark = pytest.mark.django_db


def test_it_begins_with_a_draft_that_says_what_the_incident_says() -> None:
    notice = create_notice(make_incident(), title="Customer notice", by=make_user("author"))
    edition = notice.editions.get()
    assert (edition.language, edition.state, edition.revision) == ("en", Edition.State.DRAFT, 1)
    assert "records from ((processor))" in edition.body
    assert edition.subject == "Your details were copied in a data breach"


def test_who_began_it_is_its_author() -> None:
    author = make_user("author")
    edition = create_notice(make_incident(), title="Customer notice", by=author).editions.get()
    assert [row.author for row in edition.authors.all()] == [author]


def test_a_language_without_a_starter_begins_empty() -> None:
    notice = create_notice(make_incident(), title="Ogłoszenie", default_language="pl", by=make_user("author"))
    assert notice.editions.get().body == ""


def test_the_starter_that_was_chosen_begins_every_language() -> None:
    author = make_user("author")
    notice = create_notice(make_incident(), title="Warning", starter="impostors", by=author)
    german = add_edition(notice, language="de", by=author)
    assert notice.editions.get(language="en").subject == "Beware of messages that pretend to be from us"
    assert german.subject == "Vorsicht: Jemand gibt sich für uns aus"


def test_it_leaves_two_events_with_the_title_sealed() -> None:
    notice = create_notice(make_incident(), title="Customer notice", by=make_user("author"))
    created, begun = Event.objects.newest_first()[:2][::-1]
    assert (created.type, begun.type) == ("notice.created", "edition.created")
    assert created.content["object"]["id"] == str(notice.pk)
    assert b"Customer notice" not in created.body


def test_a_closed_incident_gets_no_notice() -> None:
    incident = make_incident()
    close_incident(incident, reason="Done.", expected_version=incident.version, by=make_user("dpo"))
    with pytest.raises(ValidationError, match="is closed"):
        create_notice(incident, title="Customer notice", by=make_user("author"))
    assert Notice.objects.count() == 0


def test_a_double_click_begins_one_notice(client: Client) -> None:
    incident = make_incident()
    client.force_login(make_user("author"))
    form = {"title": "Customer notice", "default_language": "en", "starter": "supplier_contact"}
    first, second = (client.post(reverse("notice-new", args=[incident.reference]), form) for _ in range(2))
    assert (first.status_code, second.status_code) == (302, 422)
    assert "has a notice of this name already" in second.content.decode()
    assert Notice.objects.count() == 1
    assert Event.objects.filter(type="notice.created").count() == 1


def test_it_needs_a_name_and_a_language_we_know() -> None:
    with pytest.raises(ValidationError, match="short name"):
        create_notice(make_incident(), title=" ", by=make_user("author"))
    with pytest.raises(ValidationError, match="not a language we know"):
        create_notice(make_incident(), title="Notice", default_language="xx", by=make_user("author"))


@pytest.mark.parametrize("role", ["responder", "approver", "dpo", "auditor", "administrator"])
def test_only_a_comms_author_writes(role: str) -> None:
    with pytest.raises(PermissionDenied, match="Comms author"):
        create_notice(make_incident(), title="Customer notice", by=make_user(role))


def test_the_screen_leads_into_the_editor(client: Client) -> None:
    make_organisation()
    incident = make_incident()
    client.force_login(make_user("author"))
    form = {"title": "Customer notice", "default_language": "en", "starter": "first_short"}
    answer = client.post(reverse("notice-new", args=[incident.reference]), form)
    assert answer.status_code == 302
    assert answer["Location"] == reverse("edition-edit", args=[incident.reference, Edition.objects.get().pk])
    assert client.get(answer["Location"]).status_code == 200
