"""Where a form's answers come from before anybody types: every mapping of the catalogue has a source, named with it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.urls import resolve
from django.utils import timezone

from breachdesk.accounts.models import Organisation, User
from breachdesk.incidents.actions import StatedMoment, Verdict, decide_notification, make_assessment, state_moment
from breachdesk.incidents.assessment import Context, Inputs
from breachdesk.incidents.models import Decision, Incident, Moment
from breachdesk.incidents.scales import Category, Extent, Identification
from notifications.models import Edition
from regulators import actions
from regulators.actions import NewAnswer, Statement, state_fact, state_position
from regulators.case_facts import digest_of_facts, facts_of
from regulators.catalogue import FOLDER, all_forms
from regulators.catalogue.schema import Kind
from regulators.fitting import fitted
from regulators.known import Known
from regulators.models import Filing
from regulators.prefill import known_facts
from tests.factories import (
    make_edition,
    make_edition_being_sent,
    make_incident,
    make_organisation,
    make_people,
    make_user,
    unguarded,
)
from tests.regulators.conftest import ANSWERS, fresh, in_days, sign, signed_in, submit
from tests.regulators.filling import now

pytestmark = pytest.mark.django_db

BY_HAND = {
    *("incident.cause", "incident.cause_origin", "incident.kind", "incident.systems", "incident.iocs"),
    *("incident.detail", "incident.status", "incident.service_impact", "incident.recovery"),
    *("incident.data_restoration", "incident.data_recovered", "data.protection_details"),
    *("risk.likelihood", "risk.harms", "risk.cons_confidentiality", "risk.cons_integrity", "risk.cons_availability"),
    *("measures.before", "measures.planned", "measures.training_two_years", "measures.training_description"),
    *("individuals.advice", "individuals.public_notice", "others.police", "others.csirt", "cross_border.details"),
    *("controller.size_band", "controller.code_member", "controller.lei", "nis2.class", "filing.delay_reason"),
}
"""What nothing in the product knows: a person answers it once, and other reports of the case take it over."""

LIST = """customer_id,first_name,last_name,email,country,date_of_birth,vulnerable
HR-1,Amelia,Okafor,amelia.okafor@example.com,GB,1984-05-31,
HR-2,Jonas,Weber,j.weber@example.org,DE,1970-01-02,yes
HR-3,Lucie,Martin,lucie@example.net,FR,2015-06-07,
"""
INPUTS = Inputs(
    contexts=(Context(Category.SIMPLE, 1),),
    identification=Identification.MAXIMUM,
    confidentiality=Extent.WHOLLY,
    integrity=Extent.NONE,
    availability=Extent.PARTLY,
    is_malicious=True,
    is_unintelligible=False,
)


def decide(incident: Incident, about: Decision.About, tell: bool, reason: str, by: User) -> None:
    standing = Decision.objects.of(incident).standing().filter(about=about).first()
    verdict = Verdict(about, tell, reason, digest_of_facts(facts_of(incident)), standing)
    decide_notification(incident, verdict, by=by)


def facts(filing: Filing) -> dict[str, Known]:
    return known_facts(fresh(filing), at=timezone.now())


@pytest.fixture(scope="module", autouse=True)
def organisation(made_once: None) -> Organisation:
    return make_organisation(sector="Retail")


@pytest.fixture(scope="module")
def officer(organisation: Organisation) -> User:
    return make_user("dpo")


@pytest.fixture(scope="module")
def told(officer: User) -> tuple[Filing, Filing]:
    """Of a case with everything stated, whose people were told: the follow-up to the ICO, and the report in Paris."""
    edition = make_edition_being_sent()
    with unguarded():
        Edition.objects.filter(pk=edition.pk).update(state="finished", finished_at=timezone.now())
        texts = {"effects": "Calls that pretend to be us.", "action_taken": "The account was closed."}
        Incident.objects.filter(pk=edition.incident_id).update(**texts)
    incident = Incident.objects.get(pk=edition.incident_id)
    make_people(incident, LIST, name="second.csv")
    for number, kind in enumerate(kind for kind in Moment.Kind if kind != "aware"):
        incident = Incident.objects.get(pk=incident.pk)
        stated = StatedMoment(kind, timezone.now() - timedelta(days=40 - number))
        state_moment(incident, stated, expected_version=incident.version, by=officer)
    for key, value in {"breach.kinds": ["integrity"], "data.on_paper": True}.items():
        state_fact(incident, Statement(key, value), by=officer)
    state_position(Statement("us.main_establishment", "FR"), by=officer)
    incident = Incident.objects.get(pk=incident.pk)
    make_assessment(incident, INPUTS, by=officer)
    decide(incident, Decision.About.AUTHORITY, True, "Contact details with orders.", officer)
    decide(incident, Decision.About.PEOPLE, True, "They can protect themselves.", officer)
    london = submitted(actions.open_filing(incident, "uk_ico", by=officer), officer)
    actions.begin_follow_up(london, expected_version=london.version, by=officer)
    paris = actions.open_filing(incident, "fr_cnil", by=officer)
    actions.save_answers(paris, {"people_count": NewAnswer(0, None, promised_on=in_days(3))}, by=officer)
    return fresh(london), fresh(paris)


def submitted(filing: Filing, by: User) -> Filing:
    actions.save_answers(filing, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=by)
    filing = fresh(filing)
    filing = fresh(actions.submit_for_sign_off(filing, expected_version=filing.version, by=by))
    sign(filing, by)
    submit(fresh(filing), by, authority_reference="IC-1")
    return fresh(filing)


@pytest.fixture(scope="module")
def untold(officer: User) -> Filing:
    """A case in which it was decided, with reasons, that nobody is told."""
    incident = make_incident(kinds=["name", "health"])
    make_assessment(incident, INPUTS, by=officer)
    for about in (Decision.About.AUTHORITY, Decision.About.PEOPLE):
        decide(incident, about, False, f"Too little about {about}.", officer)
    return actions.open_filing(incident, "eu_art33_generic", authority="at_dsb", by=officer)


def every(*filings: Filing) -> Iterator[tuple[str, Known]]:
    for filing in filings:
        yield from facts(filing).items()


def test_every_mapping_has_a_source_and_every_source_names_itself(told: tuple[Filing, Filing], untold: Filing) -> None:
    """What the product knows, and what a person answers once: together all that the 25 forms ask."""
    told_of = yaml.safe_load((FOLDER / "facts.yaml").read_text())
    asked = {question.fact for form in all_forms() for question in form.questions if question.fact}
    london, paris = told
    known = dict(every(london, paris, untold))
    by_us = {fact for fact, one in every(london, paris, untold) if not one.origin.startswith("As answered")}
    assert by_us - told_of.keys() == set()
    assert asked - by_us - BY_HAND == set(), "asked by a form, known to nobody and not on the list of what people say"
    assert BY_HAND & by_us == set()
    assert asked >= BY_HAND
    for fact, one in known.items():
        assert one.origin.endswith("."), fact
        assert not one.url or resolve(one.url.partition("#")[0]), fact


def test_what_we_know_fits_every_list_that_asks_for_it(told: tuple[Filing, Filing], untold: Filing) -> None:
    """A value that no choice of a form stands for would leave its question blank in silence."""
    values: dict[str, list[Any]] = {}
    for fact, one in every(*told, untold):
        values.setdefault(fact, []).append(one.value)
    values["filing.legal_basis"] = ["eu_gdpr"]
    del values["controller.sector"]  # typed freely: it fits the choice that is called the same
    misfits = {
        (form.id, question.key, value)
        for form in all_forms()
        for question in form.questions
        for value in values.get(question.fact or "", [])
        if question.kind in {Kind.CHOICE, Kind.YES_NO} and fitted(question, value) is None
    }
    assert misfits == LEFT_OPEN


LEFT_OPEN = {
    ("dora_major_incident", "report_stage", "follow_up"),
    ("nis2_incident", "stage", "follow_up"),
    ("nz_notifyus", "people_notified", "decided_not"),
}
"""Which of several follow-ups it is, and on which exception one relies, nobody else can tell."""


def test_the_assessment_answers_with_its_number_and_its_day(told: tuple[Filing, Filing]) -> None:
    known = facts(told[0])
    assert known["risk.severity"].value == "high"
    assert known["risk.severity"].origin.startswith("From assessment 1 of ")
    assert known["risk.severity"].origin.endswith(", which scores 3.25, high.")
    assert known["risk.severity"].url.endswith("/risk/")
    assert (known["risk.level"].value, known["risk.high_risk"].value) == ("high", "yes")
    assert "to tell the people, by Colleague" in known["risk.level"].origin
    assert "Tell the people: yes. They can protect themselves." in known["risk.rationale"].value
    assert "2 × 1 + 1.25 = 3.25: high" in known["risk.rationale"].value
    assert known["incident.cia_types"].value == {"integrity"}, "what was stated by itself goes before the assessment"
    assert "stated on" in known["incident.cia_types"].origin
    assert known["individuals.status"].value == "yes", "the notice says how far the telling is, not the decision"
    assert known["individuals.status"].origin.startswith("From the notice “Customer notice”.")


def test_a_no_answers_with_its_reason(untold: Filing) -> None:
    make_edition(untold.incident)
    sheet = now(untold)
    assert sheet.of("people_told").value == "wont_tell", "whatever is being written: nothing has gone out"
    assert sheet.of("people_not_told_reason").value == "no_high_risk"
    assert sheet.of("people_not_told_explain").text == "Too little about people."
    assert sheet.of("risk_level").value == "unlikely"
    assert facts(untold)["individuals.details"].value == "It was decided not to tell people: Too little about people."
    assert facts(untold)["incident.cia_types"].value == {"confidentiality", "availability"}


def test_before_a_decision_nobody_says_how_high_the_risk_is(officer: User) -> None:
    incident = make_incident()
    make_assessment(incident, INPUTS, by=officer)
    known = facts(actions.open_filing(incident, "uk_ico", by=officer))
    assert known["risk.severity"].value == "high"
    assert not {"risk.level", "risk.high_risk", "risk.rationale", "assessment.sa_decision"} & known.keys()


def test_the_page_shows_the_origin_of_every_value_until_sign_off(untold: Filing, officer: User) -> None:
    page = signed_in(officer).get(untold.get_absolute_url()).content.decode()
    shown = [given for given in now(untold).asked if given.value is not None]
    assert len(shown) > 15
    assert page.count('class="from"') == len(shown)
    assert "From assessment 1 of" in page
    decide(untold.incident, Decision.About.AUTHORITY, True, "A list turned up.", officer)
    state_fact(untold.incident, Statement("breach.is_attack", True), by=officer)
    live = now(untold)
    assert live.of("risk_level").value == "risk"
    assert "It is open again: the facts have changed since." in live.of("risk_level").origin


def test_who_else_was_told_and_what_was_promised(told: tuple[Filing, Filing]) -> None:
    known = facts(told[1])
    assert known["others.list"].value.startswith("Information Commissioner")
    assert "others.list" not in facts(told[0]), "whom a report goes to is nobody else"
    assert known["cross_border.other_sas"].value == known["others.list"].value
    assert known["cross_border.lead"].value.startswith("National Commission on Informatics")
    assert known["filing.expected_update"].value == in_days(3)
    assert known["filing.legal_basis"].value == "eu_gdpr"
