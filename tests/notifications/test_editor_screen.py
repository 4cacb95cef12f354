"""The editor says what is wrong while it is written; the preview shows nobody real unless asked, and then says so."""

import pytest
from django.test import Client
from django.urls import reverse

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from notifications.models import Edition
from tests.factories import make_edition, make_incident, make_people, make_user

pytestmark = pytest.mark.django_db
WHY = {"reason": "To see whether the wording fits."}


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


@pytest.fixture(scope="module")
def case(made_once: None) -> tuple[Edition, User]:
    return make_edition(), make_user("author")


@pytest.fixture
def edition(client: Client, case: tuple[Edition, User], db: None) -> Edition:
    client.force_login(case[1])
    return Edition.objects.with_incident().get(pk=case[0].pk)


def check(client: Client, edition: Edition, body: str) -> str:
    answer = client.post(
        address("edition-check", edition), {"subject": "S", "body": body}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_faults_carry_line_and_column(client: Client, edition: Edition) -> None:
    page = check(client, edition, "First line.\n\nDear ((friend)),")
    assert "((friend)) is not a field." in page
    assert "Line 3" in page
    assert "Column 6" in page


def test_missing_values_are_counted_while_typing(client: Client, edition: Edition) -> None:
    assert "Nothing to fix" in check(client, edition, edition.body)
    incident = make_incident()
    make_people(
        incident, "customer_id,first_name,last_name,email\nA-1,,Byron,a@example.com\nA-2,Ada,King,c@example.com\n"
    )
    page = check(client, make_edition(incident), "Dear ((first name)),")
    assert "1 person has no value for ((first name))" in page


def test_checking_keeps_nothing(client: Client, edition: Edition) -> None:
    before = Event.objects.count()
    check(client, edition, "Something else.")
    assert Edition.objects.get().version == 1
    assert Event.objects.count() == before


def test_the_editor_marks_fields_without_scripts(client: Client, edition: Edition) -> None:
    page = client.get(address("edition-edit", edition)).content.decode()
    assert '<mark class="">((first name|customer))</mark>' in page
    assert "style=" not in page


def test_the_frame_has_a_policy_of_its_own(client: Client, edition: Edition) -> None:
    answer = client.get(address("edition-preview", edition))
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "Dear Anwen," in answer.content.decode()


def test_text_that_is_not_kept_yet_can_be_seen(client: Client, edition: Edition) -> None:
    answer = client.post(address("edition-preview", edition), {"subject": "S", "body": "A **new** line."})
    assert "A <b>new</b> line." in answer.content.decode()
    assert Edition.objects.get().version == 1


def test_a_real_person_is_shown_on_request_and_recorded(client: Client, edition: Edition) -> None:
    answer = client.post(
        address("edition-person", edition), {"find": "amelia.okafor@example.com", "page": "edit", **WHY}
    )
    given = answer["Location"].split("?as=")[1].split("#")[0]
    assert [event.type for event in Event.objects.newest_first()[:2]] == ["people.revealed", "people.searched"]
    frame = client.get(address("edition-preview", edition), {"as": given}).content.decode()
    assert "Dear Amelia," in frame
    assert "amelia" not in answer["Location"].lower()


def test_the_first_real_person_of_a_session_asks_why(client: Client, edition: Edition) -> None:
    asked = client.post(address("edition-person", edition), {"find": "HR-1", "page": "edit"})
    page = asked.content.decode()
    assert "Why do you look at these people?" in page
    assert '<input type="hidden" name="find" value="HR-1">' in page
    assert not Event.objects.filter(type__in=["people.revealed", "people.searched"]).exists()
    assert client.post(address("edition-person", edition), {"sample": "1", **WHY}).status_code == 302
    assert client.post(address("edition-person", edition), {"sample": "1"}).status_code == 302


def test_a_pass_is_for_one_colleague_only(client: Client, edition: Edition) -> None:
    given = (
        client.post(address("edition-person", edition), {"sample": "1", **WHY})["Location"]
        .split("?as=")[1]
        .split("#")[0]
    )
    client.force_login(make_user("approver"))
    assert "Dear Anwen," in client.get(address("edition-preview", edition), {"as": given}).content.decode()


def test_somebody_who_is_not_in_the_list_is_not_found(client: Client, edition: Edition) -> None:
    answer = client.post(address("edition-person", edition), {"find": "nobody@example.com", **WHY})
    assert answer.status_code == 409
    assert "Nobody in the list has exactly this" in answer.content.decode()


def test_an_auditor_sees_no_real_person(client: Client, edition: Edition) -> None:
    client.force_login(make_user("auditor"))
    assert client.post(address("edition-person", edition), {"sample": "1"}).status_code == 403
    assert "real person gets it" not in client.get(address("edition-detail", edition)).content.decode()


def test_an_administrator_sees_no_notice_at_all(client: Client, edition: Edition) -> None:
    client.force_login(make_user("administrator"))
    for name in ("edition-detail", "edition-review", "edition-preview", "send", "send-numbers"):
        assert client.get(address(name, edition)).status_code == 403
