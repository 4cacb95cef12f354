"""A filing in each of its states, made by the product's own actions."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from breachdesk.accounts.models import Organisation, User
from breachdesk.incidents.models import Incident
from regulators import actions
from regulators.actions import NewAnswer
from regulators.content import content_of, digest_of
from regulators.models import Filing, FilingVersion, Receipt
from regulators.sheet import Sheet, sheet_of
from tests.factories import make_incident, make_organisation, make_user

# What the facts of make_incident() do not say.
ANSWERS: dict[str, Any] = {
    "reason_for_report": "meets_threshold",
    "is_cyber_incident": "no",
    "preventive_measures": "A contract under Article 28 and a yearly review.",
    "staff_training": "yes",
    "record_count": 5_120,
    "people_count": 5_000,
    "people_categories": ["customers"],
    "potential_consequences": "Messages that pretend to come from us.",
    "high_risk": "no",
    "high_risk_details": "Contact details alone.",
    "actions_taken": "The carrier closed the account.",
    "prevent_recurrence": "A second step at sign-in, by the end of the month.",
    "told_people": "undecided",
    "told_others": "no",
    "controller_sector": "retail_manufacture",
}


@pytest.fixture(scope="module")
def signed_once(made_once: None) -> tuple[Filing, User]:
    """For modules in which nearly every test begins with what was signed off, and whoever signed it."""
    make_organisation()
    by = make_user("dpo")
    draft = actions.open_filing(make_incident(), "uk_ico", by=by)
    complete = actions.save_answers(draft, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=by)
    filing = actions.submit_for_sign_off(complete, expected_version=complete.version, by=by)
    sign(filing, by)
    return filing, by


@pytest.fixture
def dpo(db: None) -> User:
    return make_user("dpo")


@pytest.fixture
def auditor(db: None) -> User:
    return make_user("auditor")


@pytest.fixture
def incident(db: None) -> Incident:
    if not Organisation.objects.exists():
        make_organisation()
    return make_incident()


@pytest.fixture
def draft(incident: Incident, dpo: User) -> Filing:
    return actions.open_filing(incident, "uk_ico", by=dpo)


@pytest.fixture
def complete(draft: Filing, dpo: User) -> Filing:
    return actions.save_answers(draft, {key: NewAnswer(0, value) for key, value in ANSWERS.items()}, by=dpo)


@pytest.fixture
def in_review(complete: Filing, dpo: User) -> Filing:
    return actions.submit_for_sign_off(complete, expected_version=complete.version, by=dpo)


@pytest.fixture
def signed(in_review: Filing, dpo: User) -> Filing:
    sign(in_review, dpo)
    return fresh(in_review)


@pytest.fixture
def submitted(signed: Filing, dpo: User) -> Filing:
    submit(signed, dpo, authority_reference="IC-000000-X0X0")
    return fresh(signed)


def fresh(filing: Filing) -> Filing:
    return Filing.objects.with_case().get(pk=filing.pk)


def sheet(filing: Filing) -> Sheet:
    return sheet_of(fresh(filing), at=timezone.now())


def digest(filing: Filing) -> bytes:
    return digest_of(content_of(sheet(filing)))


def sign(filing: Filing, by: User) -> FilingVersion:
    return actions.sign_off_filing(filing, digest=digest(filing), expected_version=filing.version, by=by)


def submit(filing: Filing, by: User, **changes: Any) -> Receipt:
    """Records that the authority has it, by its online form and just now unless `changes` say otherwise."""
    details = {"submitted_at": timezone.now(), "way": "online", "expected_version": filing.version, **changes}
    return actions.record_submission(filing, **details, by=by)


def signed_in(user: User) -> Client:
    client = Client(headers={"Referer": "http://testserver/"})
    client.force_login(user)
    return client


def in_days(days: int) -> Any:
    return timezone.now().date() + timedelta(days=days)
