"""What a law says about how people are told and what they are told, and where a rule was read."""

from datetime import date
from typing import Literal

from pydantic import Field, HttpUrl

from regulators.catalogue.schema import Confidence, Key, Strict, Text


class Basis(Strict):
    """Where a rule was read. `seen_on` is empty where nobody opened it: then the rule is from general knowledge."""

    title: Text
    url: HttpUrl | None = None
    seen_on: date | None = None


class Substitute(Strict):
    """When a law lets a public notice stand for single ones, and what that consists of.

    `unreachable_at_least`: of how many people no address works before it is asked for; of fewer another way will do.
    """

    unreachable_at_least: int = Field(default=1, ge=1)
    cost_over_usd: int | None = None
    people_over: int | None = None
    parts: tuple[Key, ...] = Field(min_length=1)


class Delivery(Strict):
    """How a notice may reach a person under this law."""

    email: Literal[
        "allowed",
        "esign",
        "primary_method_or_esign",
        "primary_method",
        "express_consent",
        "consent_and_esign",
        "prior_relationship",
        "previously_used_method",
        "digital_signature_act",
        "primary_method_no_link",
    ]
    """When an email counts: always, with consent under the federal E-SIGN Act, ..."""
    letter: bool = True
    substitute: Substitute | None = None
    note: str = ""
    source: Basis
    confidence: Confidence


class NoticeContents(Strict):
    """What a notice to people must, or must not, contain: keys that the notices' own checks know."""

    parts: tuple[Key, ...] = ()
    set_by_statute: bool
    note: str = ""


class CreditMonitoring(Strict):
    """An offer to people that the law demands."""

    months: int = Field(ge=1)
    condition: Text
