"""A case without a database, for the pure functions that look at a text."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from breachdesk.embedded.story import words
from breachdesk.incidents.kinds import KINDS
from notifications.checking import look, text_of
from notifications.lint import Finding
from notifications.lint.law import Law
from notifications.lint.scam import Sender
from notifications.lint.truth import Known, Then
from notifications.starters import STARTERS, starter_for
from notifications.wording import Vocabulary, parse

AWARE = datetime(2026, 9, 25, 21, 40, tzinfo=UTC)
INCIDENT: Any = SimpleNamespace(
    origin="processor", processor="Larkfield Parcels", aware_at=AWARE, aware=SimpleNamespace(zone="Europe/London")
)
CONSTANTS = {
    "organisation": "Halden & Rowe",
    "legal name": "Halden & Rowe Ltd",
    "hotline": "01632 960100",
    "website": "https://halden-rowe.example",
    "reply address": "care@halden-rowe.example",
    "dpo name": "Priya Raman",
    "dpo email": "dpo@halden-rowe.example",
    "dpo phone": "01632 960110",
    "case reference": "BD-2026-0001",
    "processor": "Larkfield Parcels",
}
CALIFORNIA = Law(
    "us_ca",
    "California data breach law",
    "Cal. Civ. Code § 1798.82",
    ("prescribed_title", "prescribed_headings", "date_of_notice", "law_enforcement_delay_statement", "min_font_10pt"),
    is_owed=True,
    people=4,
)
AUSTRALIA = Law(
    "au_ndb",
    "Notifiable data breaches",
    "Privacy Act s 26WK",
    ("entity_contact", "general_description", "categories_of_data", "steps_individual_can_take"),
    is_owed=True,
    people=2,
)


SENDER = Sender(
    name="Halden & Rowe",
    email="notices@halden-rowe.example",
    reply_to="care@halden-rowe.example",
    website="https://halden-rowe.example",
    dpo_name="Priya Raman",
    dpo_email="dpo@halden-rowe.example",
    hotline="01632 960100",
)
KNOWN = Known(
    numbers={24_937: "the number of people affected"},
    old_numbers={18_200: Then("the number of people", "24,937")},
    days=((AWARE.date(), "aware", "the day we became aware"),),
    old_days=((date(2026, 9, 21), Then("the day we became aware", "25 September 2026")),),
    names={"Larkfield Parcels": "the company where it happened"},
    old_names={"Corvane Loyalty": Then("the company where it happened", "Larkfield Parcels")},
    measures=True,
)


@dataclass(frozen=True)
class Case:
    """What a text is compared with."""

    laws: tuple[Law, ...] = (AUSTRALIA,)
    sender: Sender = SENDER
    known: Known = KNOWN
    combinations: dict[frozenset[str], int] = field(
        default_factory=lambda: {frozenset({"name", "email"}): 3, frozenset({"name", "email", "identity_document"}): 2}
    )

    def with_sender(self, **changed: str) -> "Case":
        return replace(self, sender=replace(self.sender, **changed))


def draft(language: str, starter: str = "supplier_contact") -> tuple[str, str]:
    return starter_for(language, INCIDENT, STARTERS[starter].key, date(2026, 9, 28))


def findings(language: str, subject: str, body: str, case: Case | None = None) -> tuple[Finding, ...]:
    case = case or Case()
    vocabulary = Vocabulary(
        constants=CONSTANTS,
        kinds={key: kind.phrase_in(language) for key, kind in KINDS.items()},
        domains=("halden-rowe.example", "bit.ly"),
        language=language,
    )
    return look(
        text_of(subject, body, vocabulary),
        known=case.known,
        laws=case.laws,
        sender=case.sender,
        combinations=case.combinations,
        kinds=frozenset({"name", "email"}),
        links=parse(body, vocabulary).links,
    )


def fault_keys(language: str, subject: str, body: str, case: Case | None = None) -> list[str]:
    return [one.key for one in findings(language, subject, body, case) if one.is_fault]


def demo_sender() -> Sender:
    said = words.ORGANISATION
    keys = ("reply_to", "website", "dpo_name", "dpo_email", "hotline")
    return Sender(name=said["sender_name"], email=said["sender_email"], **{key: said[key] for key in keys})
