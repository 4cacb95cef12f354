"""What the people of the story type. The company, its carrier and everyone named are invented."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from breachdesk.incidents.assessment import Context, Inputs, Recipient
from breachdesk.incidents.scales import Category, Extent, Identification
from notifications.templatetags.notices import public_day

CAST: dict[str, tuple[str, str]] = {
    "administrator": ("Ines Falk", "ines.falk@halden-rowe.example"),
    "responder": ("Tom Ashworth", "tom.ashworth@halden-rowe.example"),
    "author": ("Maja Lindqvist", "maja.lindqvist@halden-rowe.example"),
    "approver": ("Daniel Okafor", "daniel.okafor@halden-rowe.example"),
    "dpo": ("Priya Raman", "priya.raman@halden-rowe.example"),
    "auditor": ("Ellen Voss", "ellen.voss@halden-rowe.example"),
}

ORGANISATION: dict[str, Any] = {
    "legal_name": "Halden & Rowe Ltd",
    "short_name": "Halden & Rowe",
    "address": "14 Tanner Row, Bath BA1 0AA, United Kingdom",
    "sector": "Retail and manufacture",
    "company_number": "00000000",
    "ico_registration": "ZA000000",
    "zone": "Europe/London",
    "dpo_name": "Priya Raman",
    "dpo_email": "dpo@halden-rowe.example",
    "dpo_phone": "01632 960110",
    "sender_name": "Halden & Rowe",
    "sender_email": "notices@halden-rowe.example",
    "reply_to": "care@halden-rowe.example",
    "hotline": "01632 960100",
    "website": "https://halden-rowe.example",
    "allowed_links": ["halden-rowe.example"],
    "languages": ["en", "de", "fr"],
    "deputy_after": timedelta(hours=2),
}

POSITION: dict[str, tuple[Any, str]] = {
    "us.established_in": (["GB"], "The register of companies; no branch abroad."),
    "us.targets": (
        ["AE", "AU", "CA", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "JP", "KR", "NL", "PL", "SE", "SG", "US"],
        "The countries that the shop delivers to and has a price list for.",
    ),
    "us.sectors": ([], "A shop with its own workshop: none of the trades that have rules of their own."),
    "us.public_body": (False, ""),
    "us.hipaa": (False, ""),
}

LOST_LIST: dict[str, Any] = {
    "title": "Delivery list copied at Larkfield Parcels",
    "what_happened": (
        "Larkfield Parcels, which delivers our orders, told us that somebody signed in with a depot manager’s password and "
        "copied the list of our customers’ deliveries. Our own systems were not entered."
    ),
    "origin": "processor",
    "processor": "Larkfield Parcels",
    "our_role": "controller",
    "kinds": ["name", "email", "phone", "postal_address", "birth_date", "customer_number", "orders"],
}
LOST_LIST_AWARE = "Larkfield’s security desk rang the service desk; a message with the first facts followed at once."
LOST_LIST_TOLD = "By telephone, then in writing."
LOST_LIST_BEGAN = "From Larkfield’s sign-in records, which end at midnight."

LOST_LIST_EFFECTS: dict[str, Any] = {
    "effects": "Six customers had calls about a parcel fee that nobody owed. No order was changed and no card was in the list.",
    "action_taken": "The carrier closed the account and changed every password. No list goes out until they have been examined.",
}
SCORE_NOTE = "Orders and addresses together make a false call convincing. Some customers keep their address private."
REASONS = {
    "authority": "A stranger holds names, addresses and orders. A risk to people cannot be called unlikely.",
    "people": "The calls have begun. People can refuse to pay only if they know that the list is out.",
}


def score_of(*, people: int | None, kinds: frozenset[str]) -> Inputs:
    return Inputs(
        contexts=(Context(Category.SIMPLE, 1), Context(Category.BEHAVIOURAL, 1)),
        identification=Identification.MAXIMUM,
        confidentiality=Extent.WHOLLY,
        integrity=Extent.NONE,
        availability=Extent.NONE,
        is_malicious=True,
        people=people,
        is_unintelligible=False,
        kinds=kinds,
        recipient=Recipient.UNKNOWN,
    )


EXPLANATION = "Larkfield exported the list for us and confirmed the same number by telephone."

NOTICE_LANGUAGES = ("en", "de", "fr")


HAPPENED = {"en": "It happened on or about {}.", "de": "Es geschah um den {}.", "fr": "Cela s’est passé vers le {}."}
OVERRULED = "Counsel reads what those laws add; people there get a second letter. Waiting would leave them unwarned."
DAY = "((covers day of the breach))"


def notice_text(language: str, began: datetime | None = None) -> tuple[str, str]:
    """Subject and body, with the day it began where that is known: some laws ask for it."""
    subject, _, body = (Path(__file__).parent / f"notice_{language}.md").read_text("utf-8").partition("\n")
    if began:
        first, heading, rest = body.partition("\n\n## ")
        body = f"{first}\n\n{HAPPENED[language].format(public_day(began, language))} {DAY}{heading}{rest}"
    return subject, body.strip()


def handheld_notice() -> tuple[str, str]:
    subject, _, body = (Path(__file__).parent / "notice_handheld.md").read_text("utf-8").partition("\n")
    return subject, body.strip()


ANSWERS: dict[str, Any] = {
    "reason_for_report": "meets_threshold",
    "organisation_size": "at_least_250",
    "first_breach_contact": "yes",
    "how_incident_occurred": "Somebody signed in at the carrier with a depot manager’s password that was not protected by a second step.",
    "is_cyber_incident": "yes",
    "preventive_measures": (
        "A processor contract with security duties since 2023, a yearly review of the carrier, and lists that hold only what "
        "a delivery needs. The carrier had promised a second step at sign-in for all depots and had not finished it."
    ),
    "staff_training": "yes",
    "training_description": "Every colleague who hands lists to a carrier is trained each year; the last course was in May.",
    "cia_affected": "yes",
    "cia_types": ["confidentiality"],
    "organisational_impact": "low",
    "recovery_time": "complete",
    "data_restoration": "restored",
    "data_categories_details": "Names, contact details, delivery addresses, customer numbers and what was ordered.",
    "people_categories": ["customers"],
    "potential_consequences": (
        "Messages and calls that pretend to come from us or from a carrier and quote a real order. A small number of people "
        "could be found at an address they keep private."
    ),
    "likelihood_significant": "neutral",
    "high_risk": "yes",
    "high_risk_details": "The details make convincing fraud possible, and we cannot tell who has the list.",
    "actions_taken": (
        "The carrier closed the account and changed every password. We stopped the transfer of lists, told every customer "
        "whose address we have, and opened a telephone line."
    ),
    "prevent_recurrence": (
        "No list goes out until an outside expert has examined the carrier’s systems. A second step at sign-in becomes a "
        "condition of the contract. Lists are cut to one day’s deliveries."
    ),
    "told_people": "yes",
    "told_people_details": "By e-mail, in English, German and French; letters follow for those without an address.",
    "told_others": "no",
    "code_or_scheme_member": "no",
    "controller_sector": "retail_manufacture",
    "dpo_same_as_reporter": "yes",
    "reporter": {
        "name": "Priya Raman",
        "email": "dpo@halden-rowe.example",
        "phone": "01632 960110",
        "address": "14 Tanner Row, Bath BA1 0AA",
    },
}

STOLEN_HANDHELD: dict[str, Any] = {
    "title": "Delivery handheld stolen, Bristol",
    "what_happened": (
        "The depot rang: a driver’s handheld was stolen from a van in Bristol. It shows the day’s deliveries and was not "
        "locked."
    ),
    "origin": "own",
    "our_role": "controller",
    "kinds": ["name", "email", "phone", "postal_address"],
    "kinds_uncertain": True,
    "people_low": 150,
    "people_high": 400,
}
STOLEN_HANDHELD_AWARE = "The depot manager rang the service desk."
HALF_FILLED = ("reason_for_report", "is_cyber_incident", "staff_training", "training_description", "controller_sector")
