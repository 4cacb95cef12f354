"""Saying whom a notice is for: what it makes of editions, who may not approve then, and when it is too late."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.canonical import canonical
from breachdesk.audit.models import Event
from breachdesk.audit.sections import collect_sections
from breachdesk.audit.timeline import describe
from breachdesk.people.models import Person
from notifications import actions, delivery
from notifications.audience import Audience, Earlier, audience_from
from notifications.models import Approval, Delivery, Edition, Notice, NoticeAuthor, Override
from tests.factories import (
    LIST,
    approve,
    make_edition,
    make_edition_in_review,
    make_incident,
    make_people,
    make_upload,
    make_user,
    unguarded,
)

pytestmark = pytest.mark.django_db
ADULTS = Audience(minors="without")
State = Edition.State


@pytest.fixture(scope="module")
def edition(made_once: None) -> Edition:
    """Waiting for a yes, to three people: one reads English, one German, one French."""
    return make_edition_in_review(make_edition())


@pytest.fixture(scope="module")
def chooser(made_once: None) -> User:
    return make_user("author", name="Cleo Chooser")


@pytest.fixture(scope="module")
def approver(made_once: None) -> User:
    return make_user("approver")


def fresh(edition: Edition) -> Edition:
    return Edition.objects.with_incident().get(pk=edition.pk)


def execute(query: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query, params)


def test_it_is_kept_with_its_author_and_its_event(edition: Edition, chooser: User) -> None:
    kept = actions.define_audience(edition.notice, audience=ADULTS, fallback=["de", "en"], by=chooser)
    assert (kept.audience, kept.fallback, kept.version) == ({"minors": "without"}, ["de", "en"], 2)
    assert NoticeAuthor.objects.filter(notice=kept, author=chooser).exists()
    event = Event.objects.get(type="notice.audience_changed")
    data = event.content["data"]
    assert [data[key] for key in ("people", "held", "without_email", "languages")] == [2, 0, 1, ["de", "en"]]
    assert b"minors" not in bytes(event.body)
    [line] = describe([event], private=True)
    assert line.private["sentence"] == "Everybody, without minors"
    assert line.sentence == "said whom a notice is for: 2 people"


def test_what_waits_or_is_approved_becomes_a_draft_and_its_approvals_void(
    edition: Edition, chooser: User, approver: User
) -> None:
    approve(edition, by=approver)
    actions.define_audience(edition.notice, audience=ADULTS, by=chooser)
    after = fresh(edition)
    assert (after.state, after.digest, after.recipients_count) == (State.DRAFT, None, None)
    assert not Delivery.objects.filter(edition=edition).exists()
    approval = Approval.objects.get(edition=edition)
    assert approval.voided_at is not None
    withdrawn = Event.objects.get(type="edition.withdrawn")
    assert f"notifications.approval/{approval.pk}/{approval.version}" in withdrawn.content["data"]["also"]


def test_what_somebody_took_on_themselves_they_took_for_other_people(
    edition: Edition, chooser: User, approver: User
) -> None:
    said = {"check_key": "law.title", "sentence": "No title.", "reason": "Nobody there.", "text_sha256": b"0" * 32}
    with unguarded():
        Override.objects.create(edition=edition, given_by=approver, given_at=timezone.now(), **said)
    actions.define_audience(edition.notice, audience=ADULTS, by=chooser)
    given = Override.objects.get()
    assert given.voided_at is not None
    event = Event.objects.get(type="notice.audience_changed")
    assert event.content["data"]["also"] == [f"notifications.override/{given.pk}/{given.version}"]


def test_whoever_chose_the_audience_approves_no_edition_of_it(edition: Edition, chooser: User) -> None:
    """Not even one whose words they never saw; nor may they take a failing check on themselves."""
    both = make_user("author", "approver")
    actions.define_audience(edition.notice, audience=ADULTS, by=both)
    again = make_edition_in_review(fresh(edition))
    assert not again.authors.filter(author=both).exists()
    with pytest.raises(ValidationError, match="You chose whom this notice is for"):
        approve(again, by=both)


def test_the_same_again_changes_nothing(edition: Edition, chooser: User) -> None:
    actions.define_audience(edition.notice, audience=Audience(), fallback=["en"], by=chooser)
    assert fresh(edition).state == State.IN_REVIEW
    assert not Event.objects.filter(type="notice.audience_changed").exists()
    assert not NoticeAuthor.objects.filter(author=chooser).exists()


def test_two_people_at_once_one_wins(edition: Edition, chooser: User) -> None:
    actions.define_audience(edition.notice, audience=ADULTS, expected_version=1, by=chooser)
    with pytest.raises(ValidationError, match="was changed by somebody else since you opened it"):
        actions.define_audience(edition.notice, audience=Audience(), expected_version=1, by=chooser)


@pytest.mark.parametrize("state", [State.SENDING, State.PAUSED, State.FINISHED, State.CANCELLED])
def test_once_a_message_may_have_gone_out_it_is_too_late(edition: Edition, chooser: User, state: str) -> None:
    with unguarded():
        Edition.objects.filter(pk=edition.pk).update(state=state, started_at=timezone.now(), epoch=1)
    with pytest.raises(ValidationError, match="begin another notice"):
        actions.define_audience(edition.notice, audience=ADULTS, by=chooser)
    assert Notice.objects.get(pk=edition.notice_id).audience == {}
    with pytest.raises(IntegrityError, match="only while all its editions are drafts"):
        execute('UPDATE notifications_notice SET audience = \'{"minors": "only"}\', version = 2')


def test_a_cancelled_draft_stands_in_nobodys_way(edition: Edition, chooser: User, approver: User) -> None:
    actions.cancel_edition(edition, by=approver)
    assert actions.define_audience(edition.notice, audience=ADULTS, by=chooser).audience == {"minors": "without"}


def test_what_it_names_is_of_this_case(edition: Edition, chooser: User) -> None:
    other = make_edition(make_incident()).notice
    later = actions.create_notice(edition.notice.incident, title="Later", by=chooser)
    half = make_upload(edition.notice.incident, "name,email\nAda Byrne,ada@example.com\n", "half.csv")
    for audience, sentence in (
        (Audience(earlier=Earlier(other.pk, ("had",))), "not an earlier one of this incident"),
        (Audience(earlier=Earlier(later.pk, ("had",))), "not an earlier one"),
        (Audience(earlier=Earlier(edition.notice_id, ("had",))), "not an earlier one"),
        (Audience(lists=(half.pk,)), "not taken in any more"),
    ):
        with pytest.raises(ValidationError, match=sentence):
            actions.define_audience(edition.notice, audience=audience, by=chooser)
    for order, sentence in ((["xx"], "not a language we know"), (["de", "en", "de"], "stands twice")):
        with pytest.raises(ValidationError, match=sentence):
            actions.define_audience(edition.notice, audience=ADULTS, fallback=order, by=chooser)
    earlier = Audience(earlier=Earlier(edition.notice_id, ("had",)))
    assert audience_from(actions.define_audience(later, audience=earlier, by=chooser).audience) == earlier


def test_who_is_no_longer_affected_gets_a_notice_for_them_and_nobody_else_does(
    edition: Edition, chooser: User, approver: User
) -> None:
    incident = edition.notice.incident
    row = "HR-2,Jürgen,Müller,j.mueller@example.org,Gartenstraße 2,Köln,DE,de,1970-01-02,name"
    make_people(incident, f"{LIST.splitlines()[0]}\n{row}\n", purpose="withdraw", name="gone.csv")
    notice = actions.create_notice(incident, title="Not you", starter="not_affected", by=chooser)
    sent = approve(make_edition_in_review(notice.editions.with_incident().get()), by=approver)
    actions.start_edition(sent, by=approver)
    planned = Delivery.objects.get(edition=sent)
    person = planned.person
    assert person.language == "de"
    with unguarded():
        Person.objects.filter(pk=person.pk).update(withdrawn=False)
    assert delivery.claim(sent.pk, 10)[1] == [], "affected again: they must not read that nothing was taken"
    with unguarded():
        Person.objects.filter(pk=person.pk).update(withdrawn=True)
        Delivery.objects.filter(edition=sent).update(next_at=planned.next_at)
    assert [row.person for row in delivery.claim(sent.pk, 10)[1]] == [person.pk]


def test_a_bundle_holds_the_definition_and_the_sentence_with_private_values_alone(
    edition: Edition, chooser: User
) -> None:
    [upload] = edition.notice.incident.uploads.all()
    audience = Audience(places=("DE", "GB"), lists=(upload.pk,))
    actions.define_audience(edition.notice, audience=audience, by=chooser)
    [plain] = collect_sections(edition.incident_id, private=False)["notices"]["notices"]
    assert plain["audience"] == {"places": ["DE", "GB"], "lists": [str(upload.pk)]}
    assert b"customers.csv" not in canonical(plain)
    [private] = collect_sections(edition.incident_id, private=True)["notices"]["notices"]
    said = "Everybody in Germany or United Kingdom who stands in the list “customers.csv”"
    assert (private["audience_in_words"], private["fallback"]) == (said, ["en"])


def test_an_approver_may_not_choose_it(edition: Edition, approver: User) -> None:
    with pytest.raises(PermissionDenied):
        actions.define_audience(edition.notice, audience=ADULTS, by=approver)


@pytest.mark.parametrize("column", ["audience", "fallback", "starter", "default_language"])
def test_raw_sql_changes_nothing_under_an_edition_in_review(edition: Edition, column: str) -> None:
    value = {"audience": '\'{"minors": "only"}\'', "fallback": "'{fr}'"}.get(column, "'fr'")
    with pytest.raises(IntegrityError, match="only while all its editions are drafts"):
        execute(f"UPDATE notifications_notice SET {column} = {value}, version = version + 1")


def test_who_chose_is_never_changed_or_forgotten(edition: Edition, approver: User) -> None:
    for query in (
        "DELETE FROM notifications_noticeauthor",
        f"UPDATE notifications_noticeauthor SET author_id = '{approver.pk}'",
    ):
        with pytest.raises(IntegrityError, match="never changed or forgotten"):
            execute(query)


# The page


def chosen(edition: Edition, **choices: object) -> dict[str, object]:
    return {"version": Notice.objects.get(pk=edition.notice_id).version, "order_0": "en"} | choices


def address(edition: Edition, name: str = "notice-audience") -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.notice_id])


def test_the_page_offers_what_is_in_the_list_with_numbers(edition: Edition, chooser: User, client: Client) -> None:
    client.force_login(chooser)
    page = client.get(address(edition)).content.decode()
    for words in ("Germany: 1", "United Kingdom: 1", "French: 1", "Email addresses: 2", "customers.csv: 3"):
        assert words in page, words
    assert "Ireland" not in page, "who has no email address is no choice"
    assert "English: it waits for approval or is approved." in page


def test_it_is_counted_before_it_is_kept(edition: Edition, chooser: User, client: Client) -> None:
    """As a whole page for a button, as one section as it is chosen."""
    client.force_login(chooser)
    data = chosen(edition, places=["DE"], order_0="")
    whole = client.post(address(edition, "notice-audience-count"), data).content.decode()
    part = client.post(address(edition, "notice-audience-count"), data, headers={"HX-Request": "true"}).content.decode()
    for page in (whole, part):
        assert "Everybody in Germany." in page
        assert "1 person has no version they can read." in page
    assert "<main" in whole
    assert "<main" not in part
    assert Notice.objects.get(pk=edition.notice_id).audience == {}
    assert fresh(edition).state == State.IN_REVIEW


def test_it_is_kept_and_said_on_the_pages(edition: Edition, chooser: User, client: Client) -> None:
    client.force_login(chooser)
    answer = client.post(address(edition), chosen(edition, places=["DE", "GB"], minors="without"), follow=True)
    page = answer.content.decode()
    assert "Everybody in Germany or United Kingdom, without minors:</strong> 2 people" in page
    assert "2<small>wait for it</small>" in page
    editor = client.get(reverse("edition-edit", args=[edition.notice.incident.reference, edition.pk])).content.decode()
    assert "Everybody in Germany or United Kingdom, without minors" in editor


def test_what_does_not_fit_together_is_said(edition: Edition, chooser: User, client: Client) -> None:
    client.force_login(chooser)
    for choices, sentence in (
        ({"who": ["had"]}, "Choose the earlier notice"),
        ({"places": ["XX"]}, "XX is not one of the available choices"),
        ({"version": "7"}, "was changed by somebody else"),
    ):
        answer = client.post(address(edition), chosen(edition, minors="only", **choices))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert Notice.objects.get(pk=edition.notice_id).audience == {}


def test_only_who_writes_notices_sees_it(edition: Edition, approver: User, client: Client) -> None:
    client.force_login(approver)
    assert client.get(address(edition)).status_code == 403
    assert client.post(address(edition, "notice-audience-count"), chosen(edition)).status_code == 403
