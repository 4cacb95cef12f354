"""What filings and notices still say as it was, and what good ones say that only looks like it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.desk.stale import stale_answers
from breachdesk.desk.stale.before import Before
from breachdesk.desk.stale.filings import follows_a_fact
from breachdesk.desk.stale.notices import stale_in
from breachdesk.incidents.actions import Facts, StatedMoment, change_facts, state_moment
from breachdesk.incidents.models import Incident, Moment
from notifications import actions as notices
from notifications.models import Edition, Notice
from regulators import actions
from regulators.actions import NewAnswer
from regulators.catalogue import get_form
from regulators.models import Filing
from tests.factories import make_edition, make_incident, make_organisation, make_people, make_user
from tests.regulators.conftest import ANSWERS, fresh, sign, signed_in

pytestmark = pytest.mark.django_db

SUBMITTED = timezone.now()
THEN, NOW = frozenset({"name", "email"}), frozenset({"name", "payment_card"})
"""Email was taken away from the facts after the notice was submitted, and payment cards were added."""


def said_of(body: str, language: str = "en", held: dict[str, int] | None = None) -> set[tuple[str, str]]:
    """What is found in one notice about the two kinds: kind and what the notice says of it."""
    incident = Incident(reference="BD-2026-0001", kinds=sorted(NOW))
    notice = Notice(incident=incident, title="Customers", created_at=SUBMITTED)
    edition = Edition(pk=uuid4(), notice=notice, language=language, subject="About your data", body=body)
    edition.submitted_at = SUBMITTED
    stated = ((SUBMITTED - timedelta(days=2), THEN), (SUBMITTED + timedelta(days=1), NOW))
    found = stale_in(edition, Before(incident, stated, (), {}, held or {}))
    return {(one.question, one.said) for one in found}


LIST = "This was taken:\n\n- your name\n- your email address\n"


@pytest.mark.parametrize(
    ("language", "body", "found"),
    [
        (
            "en",
            LIST,
            {("Email addresses", "“your email address”"), ("Payment cards", "Does not name it")},
        ),
        (
            "en",
            "Your name was copied. Payment cards were not affected.",
            {("Payment cards", "“Payment cards were not affected.”")},
        ),
        ("fr", "Votre nom a été copié.", {("Payment cards", "Does not name it")}),
        (
            "de",
            "Ihr Name wurde kopiert, aber keine Kreditkarte.",
            {("Payment cards", "“Ihr Name wurde kopiert, aber keine Kreditkarte.”")},
        ),
        (
            "de",
            "Kopiert wurde Ihre E-Mail-Adresse und Ihre Zahlungskarte.",
            {("Email addresses", "“Kopiert wurde Ihre E-Mail-Adresse und Ihre Zahlungskarte.”")},
        ),
        (
            "en",
            "((name??Your name was taken and your email address.))\n\n((payment_card??Your card number was taken.))",
            {("Email addresses", "“Your name was taken and your email address.”")},
        ),
    ],
)
def test_kinds_that_were_added_or_taken_away_since(language: str, body: str, found: set[tuple[str, str]]) -> None:
    assert said_of(body, language) == found


@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("en", "This was taken: ((data list)). We will never ask you for an email address or a card."),
        (
            "en",
            "Your name was copied. ((payment_card??Your card number was copied.))\n\n((email??Your email was copied.))",
        ),
        ("en", "Your name and your payment card were taken. Write to our email address."),
        ("en", "We were broken into, and we are sorry."),
        ("es", "Su nombre y su correo fueron copiados."),
        ("fr", "Votre nom et votre carte bancaire ont été copiés."),
    ],
)
def test_good_notices_raise_no_alarm(language: str, body: str) -> None:
    assert said_of(body, language) == set()


def test_rows_that_hold_what_the_facts_do_not_name_are_told_of_it() -> None:
    held = {"email": 1_200}
    told = {("Email addresses", "Told to 1,200, whose rows hold it")}
    assert said_of("Taken: ((data list)).", held=held) == told
    assert (
        said_of("Your name was taken.((email?? Your email address was taken.))((payment_card??.))", held=held) == told
    )


# A whole case


def test_what_moves_by_filing_and_telling_is_never_stale() -> None:
    form = get_form("eu_art33_generic")
    moving = ("people_told", "people_told_count", "notification_type", "other_sas", "people_count")
    standing = ("risk_level", "people_not_told_explain", "data_categories", "countries", "severity", "dpo")
    assert not [key for key in moving if follows_a_fact(form.question(key))]
    assert [key for key in standing if follows_a_fact(form.question(key))] == list(standing)


def correct(incident: Incident, kind: str, days_ago: int, by: User) -> Incident:
    incident = Incident.objects.get(pk=incident.pk)
    moment = StatedMoment(kind, timezone.now() - timedelta(days=days_ago))
    reason = "Their log." if incident.moment(kind) else ""
    return state_moment(incident, moment, expected_version=incident.version, reason=reason, by=by).incident


def day(days_ago: int) -> str:
    there = timezone.localtime(timezone.now() - timedelta(days=days_ago))
    return f"{there.day} {there:%B %Y}"


@pytest.fixture
def dpo() -> User:
    return make_user("dpo")


@pytest.fixture
def filing(dpo: User) -> Filing:
    """Signed off, with the day on which it began in a text that somebody typed and in an answer that somebody typed."""
    make_organisation()
    incident = correct(make_incident(), "began", 9, dpo)
    filing = actions.open_filing(incident, "uk_ico", by=dpo)
    given = {"actions_taken": f"Since {day(9)} the carrier has closed it.", "data_categories": ["basic_identifiers"]}
    answers = {key: NewAnswer(0, value) for key, value in (ANSWERS | given).items()}
    actions.save_answers(filing, answers, by=dpo)
    asked = actions.submit_for_sign_off(fresh(filing), expected_version=1, by=dpo)
    sign(fresh(asked), dpo)
    return fresh(filing)


def found_in(filing: Filing, by: User, **asked: str) -> dict[str, tuple[str, str]]:
    incident = Incident.objects.with_moments().get(pk=filing.incident_id)
    found = stale_answers(incident, by, timezone.now(), **asked)
    return {one.question.partition(" ")[2] or one.question: (one.said, one.now) for one in found}


def test_a_signed_filing_is_held_against_the_facts(filing: Filing, dpo: User) -> None:
    assert found_in(filing, dpo) == {}
    incident = correct(filing.incident, "began", 3, dpo)
    kinds = [*incident.kinds, "payment_card"]
    facts = Facts(what_happened=incident.what_happened, origin="processor", processor=incident.processor, kinds=kinds)
    change_facts(incident, facts, expected_version=incident.version, by=dpo)
    found = found_in(filing, dpo)
    assert found["Actions taken, or proposed, because of the breach: the breach began"] == (f"“{day(9)}”", day(3))
    typed = "Categories of personal data included (tick all that apply)"
    assert found[typed][0].startswith("Basic personal identifiers"), "as the facts were"
    assert any(day(9) in said and day(3) in now for said, now in found.values())
    assert found_in(filing, dpo, paper="/somewhere/else/") == {}
    page = signed_in(dpo).get(filing.get_absolute_url()).content.decode()
    assert f"stale/?paper={filing.get_absolute_url().replace('/', '%2F')}" in page
    here = signed_in(dpo).get(
        f"/incidents/{incident.reference}/stale/?paper={filing.get_absolute_url()}", headers={"HX-Request": "true"}
    )
    assert "are not so any more" in here.text
    assert "<html" not in here.text


def test_a_day_on_which_something_else_happened_is_no_old_day(filing: Filing, dpo: User) -> None:
    correct(filing.incident, "ended", 9, dpo)
    correct(filing.incident, "began", 12, dpo)
    assert not any(said == f"“{day(9)}”" for said, _ in found_in(filing, dpo).values())


def test_what_is_typed_in_a_draft_is_found_until_it_is_put_right(dpo: User) -> None:
    make_organisation()
    incident = correct(make_incident(), "began", 9, dpo)
    began: Moment = incident.moments.get(kind="began")
    filing = actions.open_filing(incident, "uk_ico", by=dpo)
    assert began.at
    typed = {"at": f"{began.at:%Y-%m-%dT%H:%M}:00.000000Z", "zone": "Europe/London", "precision": "exact"}
    actions.save_answers(filing, {"happened_at": NewAnswer(0, typed)}, by=dpo)
    assert found_in(filing, dpo) == {}
    correct(incident, "began", 3, dpo)
    [said] = found_in(filing, dpo).values()
    assert day(9) in said[0]
    assert day(3) in said[1]
    actions.save_answers(filing, {"happened_at": NewAnswer(1, follows_facts=True)}, by=dpo)
    assert found_in(filing, dpo) == {}


def test_the_page_lists_papers_says_what_is_not_found_and_asks_the_right_people(dpo: User) -> None:
    make_organisation(languages=["en", "es"])
    incident = correct(make_incident(), "began", 9, dpo)
    make_people(incident)
    edition: Edition = make_edition(incident)
    author = edition.authors.get().author
    body = f"{edition.body}\n\nIt began on the {day(9)}."
    notices.save_draft(edition, subject="About your data", body=body, by=author)
    url = f"/incidents/{incident.reference}/stale/"
    assert "No paper says a fact as it was" in signed_in(dpo).get(url).text
    correct(incident, "began", 3, dpo)
    events = Event.objects.count()
    page = signed_in(dpo).get(url).text
    assert "One paper still says what is not so any more" in page
    assert day(9) in page
    assert "What is not found" in page
    assert "None is out yet" in page
    assert Event.objects.count() == events
    assert f'hx-get="{url}"' in signed_in(dpo).get(f"/incidents/{incident.reference}/").text
    here = signed_in(dpo).get(url, headers={"HX-Request": "true"}).text
    assert "One paper still says what is not so any more" in here
    assert signed_in(make_user("administrator")).get(url).status_code == 403
