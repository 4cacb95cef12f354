"""Two approvals where the organisation asks for two; and one, with two who answer for it in writing."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.actions import change_organisation
from breachdesk.accounts.models import Organisation, OrganisationAuthor, PendingDecision, User
from breachdesk.audit.models import Event
from breachdesk.audit.sections import collect_sections
from breachdesk.desk.evidence import evidence_of
from breachdesk.desk.evidence_pdf import _notice as shown_in_the_report
from notifications.actions import approve_edition, break_glass, start_edition, withdraw
from notifications.models import BreakGlass, Edition
from tests.factories import approve, make_edition_in_review, make_organisation, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    make_organisation(approvers_needed=2)
    return make_edition_in_review()


@pytest.fixture(scope="module")
def people(made_once: None) -> dict[str, User]:
    roles = {"first": "approver", "second": "approver", "dpo": "dpo", "responder": "responder"}
    return {name: make_user(role) for name, role in roles.items()}


def page_of(client: Client, edition: Edition, name: str = "edition-detail") -> str:
    return client.get(reverse(name, args=[edition.notice.incident.reference, edition.pk])).content.decode()


def set_state(edition: Edition, state: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_edition SET state = %s WHERE id = %s", [state, edition.pk])


def test_the_first_yes_leaves_it_in_review(edition: Edition, people: dict[str, User], client: Client) -> None:
    first = approve(edition, by=people["first"])
    assert first.state == Edition.State.IN_REVIEW
    [asked] = PendingDecision.objects.open()
    assert set(asked.who_may()) == set(User.objects.who_may(asked.permission)) - {people["first"]}
    with pytest.raises(IntegrityError, match="not as many as it needs"):
        set_state(edition, "approved")
    client.force_login(people["first"])
    page = page_of(client, edition)
    assert f"{people['first'].name} approved it" in page
    assert "Waiting for a second approver" in page
    assert "You approved it." in page_of(client, edition, "edition-review")


def test_the_second_yes_of_another_approves_it(edition: Edition, people: dict[str, User]) -> None:
    approve(edition, by=people["first"])
    with pytest.raises(ValidationError, match="You approved it already"):
        approve_edition(edition, by=people["first"])
    assert approve(edition, by=people["second"]).state == Edition.State.APPROVED
    assert not PendingDecision.objects.open().exists()
    said = Event.objects.of_incident(edition.incident_id).filter(type="edition.approved").newest_first()
    assert [event.content["data"]["given"] for event in said] == [2, 1]


def test_what_is_asked_for_is_fixed_at_submission(edition: Edition, people: dict[str, User]) -> None:
    change_organisation(approvers_needed=1, by=make_user("administrator"))
    assert approve(edition, by=people["first"]).state == Edition.State.IN_REVIEW
    with pytest.raises(IntegrityError, match="is frozen"), connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_edition SET approvers_needed = 1 WHERE id = %s", [edition.pk])


def test_nobody_submits_for_fewer_approvals_than_are_asked_for(edition: Edition) -> None:
    draft = withdraw(edition, by=edition.authors.get().author)
    with pytest.raises(IntegrityError, match="number of approvals"), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE notifications_edition SET state = 'in_review', approvers_needed = 1, renderings = '["coverage"]',
               digest = 'x', recipients_root = 'x', recipients_count = 3 WHERE id = %s""",
            [draft.pk],
        )


def test_one_yes_and_two_who_answer_for_it(edition: Edition, people: dict[str, User], client: Client) -> None:
    approve(edition, by=people["first"])
    half = break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])
    assert half.state == Edition.State.IN_REVIEW
    done = break_glass(edition, reason="People must know tonight.", by=people["responder"])
    assert done.state == Edition.State.APPROVED
    assert start_edition(done, by=people["second"]).state == Edition.State.SENDING
    [said] = evidence_of(edition.notice.incident, people["dpo"], timezone.now(), None)["notices"]
    assert [(one["who"], one["why"]) for one in said["glass_broken"]] == [
        (people["dpo"].name, "Nobody else is awake."),
        (people["responder"].name, "People must know tonight."),
    ]
    assert "People must know tonight." in render_to_string(
        "desk/evidence_pdf.html", {"notices": [shown_in_the_report(said, "Europe/London")]}
    )
    for private in (False, True):
        [notice] = collect_sections(edition.incident_id, private=private)["notices"]["notices"]
        given = notice["editions"][0]["glass_broken"]
        assert [one.get("reason", "") for one in given].count("Nobody else is awake.") == int(private)
    client.force_login(people["dpo"])
    for name in ("edition-detail", "send"):
        page = page_of(client, edition, name)
        assert "Nobody else is awake." in page
        assert "People must know tonight." in page


def test_who_answered_for_it_counts_while_they_are_no_author(edition: Edition, people: dict[str, User]) -> None:
    approve(edition, by=people["first"])
    for who in ("dpo", "responder"):
        done = break_glass(edition, reason="Nobody else is awake.", by=people[who])
    change_organisation(sector="Shops", by=make_user("administrator"))
    page = Organisation.objects.get()
    OrganisationAuthor.objects.create(organisation=page, author=people["dpo"], at=timezone.now())
    with pytest.raises(ValidationError, match="may not answer for it any more"):
        start_edition(done, by=people["second"])
    with pytest.raises(IntegrityError, match="not as many as it needs"), connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_edition SET state = 'sending', epoch = 1 WHERE id = %s", [edition.pk])


@pytest.mark.parametrize("needed", [1, 2])
def test_there_is_nothing_to_break_without_one_yes_of_two(
    edition: Edition, people: dict[str, User], needed: int
) -> None:
    if needed == 1:
        change_organisation(approvers_needed=1, by=make_user("administrator"))
        author = edition.authors.get().author
        edition = make_edition_in_review(withdraw(edition, by=author))
    with pytest.raises(ValidationError, match="needs two approvals and has one"):
        break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])


def test_who_may_not_answer_for_it(edition: Edition, people: dict[str, User]) -> None:
    both = make_user("approver", "dpo")
    approve(edition, by=both)
    with pytest.raises(ValidationError, match="You approved it already, so two others"):
        break_glass(edition, reason="Nobody else is awake.", by=both)
    break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])
    with pytest.raises(ValidationError, match="You have answered for it already"):
        break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])
    with pytest.raises(PermissionDenied):
        break_glass(edition, reason="Nobody else is awake.", by=people["second"])
    with pytest.raises(ValidationError, match="Say why it cannot wait"):
        break_glass(edition, reason=" ", by=people["responder"])
    assert Edition.objects.get(pk=edition.pk).state == Edition.State.IN_REVIEW


def test_the_database_counts_who_answers_too(edition: Edition, people: dict[str, User]) -> None:
    both = make_user("approver", "dpo")
    approve(edition, by=both)
    author = edition.authors.get().author
    given = {"digest": edition.digest, "reason": "Awake.", "given_at": timezone.now()}
    for who in (both, author):
        with pytest.raises(IntegrityError, match="cannot break the glass"), transaction.atomic():
            BreakGlass.objects.create(edition=edition, given_by=who, **given)
    with pytest.raises(IntegrityError, match="one approval of two"), transaction.atomic():
        BreakGlass.objects.create(edition=edition, given_by=people["dpo"], **given | {"digest": b"0" * 32})
    break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])
    with pytest.raises(IntegrityError, match="one_break_glass_each"), transaction.atomic():
        BreakGlass.objects.create(edition=edition, given_by=people["dpo"], **given)
    with pytest.raises(IntegrityError, match="not as many as it needs"):
        set_state(edition, "approved")


def test_a_change_voids_it(edition: Edition, people: dict[str, User]) -> None:
    approve(edition, by=people["first"])
    break_glass(edition, reason="Nobody else is awake.", by=people["dpo"])
    withdraw(edition, by=edition.authors.get().author)
    assert BreakGlass.objects.get().voided_at is not None
    with pytest.raises(IntegrityError, match="can only be voided"), transaction.atomic():
        BreakGlass.objects.update(reason="Another.")


def test_the_page_asks_for_the_reason(edition: Edition, people: dict[str, User], client: Client) -> None:
    first = approve(edition, by=people["first"])
    client.force_login(people["dpo"])
    arguments = [edition.notice.incident.reference, edition.pk]
    address = reverse("edition-glass", args=arguments)
    assert address in page_of(client, edition)
    assert f"Approved by {people['first'].name}, one of two." in client.get(address).content.decode()
    refused = client.post(address, {"version": first.version, "reason": ""})
    assert (refused.status_code, "Say why it cannot wait" in refused.content.decode()) == (422, True)
    assert client.post(address, {"version": first.version, "reason": "Nobody is awake."}).status_code == 302
    assert BreakGlass.objects.get().given_by == people["dpo"]
