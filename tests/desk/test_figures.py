"""When the count changes, whoever was told the old one is found: filings, notices, reports, and the desk says so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from breachdesk.audit.sequencer import sequence_pending
from breachdesk.desk.figures import Figure, stated_figures
from breachdesk.desk.stale import stale_answers
from breachdesk.incidents.actions import Facts, StatedMoment, change_facts, state_moment
from breachdesk.incidents.models import Incident
from breachdesk.people.actions import state_count
from breachdesk.people.models.counts import Count
from notifications import actions as notices
from regulators import actions as filings
from regulators.actions import NewAnswer
from regulators.models import Filing
from tests.factories import (
    make_approved_edition,
    make_edition,
    make_incident,
    make_organisation,
    make_people,
    make_user,
)
from tests.regulators.conftest import ANSWERS, fresh, sign, submit

pytestmark = pytest.mark.django_db

MORE = "first_name,last_name,email,country\nZoë,Brandt,zoe@example.com,DE\nIan,Adair,ian@example.com,GB\n"


@pytest.fixture
def incident() -> Incident:
    make_organisation()
    return make_incident(people_low=500, people_high=500)


def draft(incident: Incident, **more: object) -> Filing:
    """Complete, and the count as the facts have it unless it is among the answers."""
    dpo = make_user("dpo")
    answers = {key: value for key, value in ANSWERS.items() if key not in ("people_count", "record_count")} | more
    filing = filings.open_filing(incident, "uk_ico", by=dpo)
    return filings.save_answers(filing, {key: NewAnswer(0, value) for key, value in answers.items()}, by=dpo)


def signed(incident: Incident, **more: object) -> Filing:
    filing, dpo = draft(incident, record_count=5_120, **more), make_user("dpo")
    sign(filings.submit_for_sign_off(filing, expected_version=filing.version, by=dpo), dpo)
    return fresh(filing)


def submitted(incident: Incident) -> Filing:
    filing = signed(incident)
    submit(filing, make_user("dpo"))
    return fresh(filing)


def outdated(incident: Incident) -> list[Figure]:
    return stated_figures(incident, make_user("auditor")).outdated


def page(client: Client, incident: Incident, name: str) -> str:
    return client.get(reverse(name, args=[incident.reference])).content.decode()


def state(incident: Incident, low: int | None, high: int | None) -> None:
    state_count(incident, low=low, high=high, basis="estimate", source="Their letter.", by=make_user("dpo"))


def test_a_submitted_filing_is_found_when_a_list_says_something_else(incident: Incident) -> None:
    filing = submitted(incident)
    assert outdated(incident) == []
    make_people(incident)
    [wrong] = [figure for figure in outdated(incident) if figure.went_out]
    assert (wrong.stated, wrong.how, wrong.url) == (Count(500, 500), "submitted", filing.get_absolute_url())
    assert wrong.at == filing.versions.get().receipt.submitted_at
    assert stated_figures(incident, make_user("auditor")).now == Count(4, 4)


def test_a_signed_filing_is_found_and_has_not_gone_out(incident: Incident) -> None:
    signed(incident)
    state(incident, 700, 900)
    [wrong] = [figure for figure in outdated(incident) if "version 1" in figure.what]
    assert (wrong.stated, wrong.how, wrong.went_out) == (Count(500, 500), "signed off", False)


def test_a_draft_that_follows_the_facts_is_right_by_itself_and_a_typed_one_is_not(incident: Incident) -> None:
    filing = draft(incident)
    state(incident, 700, 700)
    assert [figure for figure in outdated(incident) if "draft" in figure.what] == []
    given = NewAnswer(0, 650)
    filings.save_answers(fresh(filing), {"people_count": given}, by=make_user("dpo"))
    [wrong] = [figure for figure in outdated(incident) if "draft" in figure.what]
    assert (wrong.stated, wrong.how) == (Count(650, 650), "typed by hand")


def test_a_number_that_stands_in_the_text_of_a_filing_is_found(incident: Incident) -> None:
    signed(incident, actions_taken="We rang all 500 of them.")
    make_people(incident)
    assert "says so in its text" in {figure.how for figure in outdated(incident)}


def test_a_notice_approved_for_an_older_list_is_found(incident: Incident) -> None:
    make_people(incident)
    edition = make_approved_edition(notices.submit_for_review(e := make_edition(incident), by=e.authors.get().author))
    assert [figure for figure in outdated(incident) if "Notice" in figure.what] == []
    make_people(incident, MORE)
    [wrong] = [figure for figure in outdated(incident) if "Notice" in figure.what]
    assert (wrong.stated, wrong.how) == (Count(3, 3), "approved")
    assert wrong.note == "recipients, when the count was 4"
    assert wrong.url.endswith(f"{edition.pk}/")


@pytest.mark.parametrize("written", ["24937", "24,937", "24.937", "24 937", "24\u202f937"])
def test_an_old_number_in_the_wording_is_found_however_it_is_written(incident: Incident, written: str) -> None:
    state(incident, 24_937, 24_937)
    edition = make_edition(incident)
    body = f"{edition.body}\n\nIn all, {written} people are affected."
    notices.save_draft(edition, subject="About your data", body=body, by=edition.authors.get().author)
    assert [figure for figure in outdated(incident) if "wording" in figure.how] == []
    state(incident, 24_950, 24_950)
    [wrong] = [figure for figure in outdated(incident) if "wording" in figure.how]
    assert wrong.stated == Count(24_937, 24_937)


def test_an_exported_report_and_a_bundle_are_found(signed_in, incident: Incident) -> None:  # type: ignore[no-untyped-def]
    make_people(incident)
    sequence_pending()
    client = signed_in("dpo")
    answer = client.post(reverse("incident-evidence", args=[incident.reference]))
    assert b"".join(answer.streaming_content)
    assert [figure for figure in outdated(incident) if figure.how == "exported"] == []
    make_people(incident, MORE)
    [wrong] = [figure for figure in outdated(incident) if figure.how == "exported"]
    assert (wrong.stated, wrong.went_out) == (Count(4, 4), True)
    assert wrong.what == f"Evidence report, exported by {client.user.name}"


def test_an_earlier_count_and_the_estimate_are_found_newest_first(incident: Incident) -> None:
    state(incident, None, None)
    state(incident, 400, 600)
    found = stated_figures(incident, make_user("auditor"))
    assert [str(figure.stated) for figure in found.figures] == ["400 to 600", "not known", "500"]
    assert [str(figure.stated) for figure in found.outdated] == ["not known", "500"]


def test_an_estimate_that_was_right_needs_no_correction() -> None:
    incident = make_incident(people_low=2, people_high=10)
    make_people(incident)
    assert outdated(incident) == []


def test_the_ledger_page_lists_them_with_their_dates(signed_in, incident: Incident) -> None:  # type: ignore[no-untyped-def]
    filing = submitted(incident)
    make_people(incident)
    text = page(signed_in("auditor"), incident, "people-counts")
    assert "4 people are affected" in text
    assert "No, and it is out" in text
    assert filing.get_absolute_url() in text
    assert "version 1" in page(signed_in("auditor"), incident, "people")


def test_the_desk_says_that_an_authority_has_an_old_number(signed_in, incident: Incident) -> None:  # type: ignore[no-untyped-def]
    submitted(incident)
    client = signed_in("dpo")
    assert "was told another number" not in client.get("/").content.decode()
    make_people(incident)
    text = client.get("/").content.decode()
    assert "was told another number" in text
    assert "500 on" in text
    assert "now 4" in text


def test_the_desk_asks_twice_however_many_filings_are_wrong(signed_in, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    make_organisation()
    for _ in range(3):
        incident = make_incident(people_low=500, people_high=500)
        submitted(incident)
        make_people(incident)
    client = signed_in("dpo")
    client.get("/")
    with django_assert_max_num_queries(22):
        assert client.get("/").content.decode().count("was told another number") == 3


def test_a_filing_and_a_notice_that_say_another_fact_as_it_was_are_found(signed_in, incident: Incident) -> None:  # type: ignore[no-untyped-def]
    dpo = make_user("dpo")
    make_people(incident)
    first = timezone.now() - timedelta(days=9)
    incident = state_moment(incident, StatedMoment("began", first), expected_version=incident.version, by=dpo).incident
    edition = make_edition(incident)
    body = f"{edition.body}\n\nIt began on {timezone.localtime(first):%Y-%m-%d}."
    notices.save_draft(edition, subject="About your data", body=body, by=edition.authors.get().author)
    notices.submit_for_review(edition, by=edition.authors.get().author)
    filing = submitted(incident)
    assert stale_answers(incident, dpo, timezone.now()) == []
    later = StatedMoment("began", timezone.now() - timedelta(days=3))
    incident = Incident.objects.get(pk=incident.pk)
    state_moment(incident, later, expected_version=incident.version, reason="Their log.", by=dpo)
    incident = Incident.objects.get(pk=incident.pk)
    kinds = [*incident.kinds, "payment_card"]
    told = Facts(what_happened=incident.what_happened, origin="processor", processor=incident.processor, kinds=kinds)
    change_facts(incident, told, expected_version=incident.version, by=dpo)
    found = stale_answers(Incident.objects.with_moments().get(pk=incident.pk), dpo, timezone.now())
    papers = {stale.what.partition(" ")[0] for stale in found}
    assert papers == {"Notice", filing.definition.title.partition(" ")[0]}
    questions = {stale.question.partition(" ")[2] for stale in found if stale.url == filing.get_absolute_url()}
    assert len(questions) >= 2, questions
    assert all(stale.went_out for stale in found if stale.url == filing.get_absolute_url())
    assert "is not so any more" in page(signed_in("auditor"), incident, "people-counts")
