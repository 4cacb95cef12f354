"""What a story is, and the shop that most of them are about."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from regulators.catalogue.rules import Start
from regulators.facts import Count, Facts, Stated

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
EEA = ["AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT"]
EEA += ["LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK"]
CONTACTS = frozenset({"name", "email", "postal_address", "phone", "orders"})
US_NUMBERS = frozenset({"name", "national_number"})
NO = [
    "data.unreadable",
    "data.on_paper",
    "breach.ransom_paid",
    "breach.is_major",
    "breach.is_material",
    "breach.classified_within",
]
NO += ["breach.severe", "breach.exploited_vulnerability", "harm.serious", "harm.large_scale", "report.incomplete"]
NO += ["us.small", "us.public_body", "us.hipaa", "us.files_on_closed_days", "us.critical_infrastructure"]
NO += ["us.trust_service", "us.large_turnover", "us.information_broker"]
KNOWN = dict.fromkeys(NO, False) | {"breach.personal_data": True, "breach.is_attack": True, "harm.misuse_likely": True}


@dataclass(frozen=True)
class Story:
    name: str
    facts: Facts
    owed: str = ""
    undecided: str = ""
    """Both: duties by line or comma."""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What some of the undecided ones wait for."""
    heard_by: Mapping[str, str] = field(default_factory=dict)
    """The authority of some of them, by its id; empty for one that has to be chosen."""
    outside: tuple[str, ...] = ()
    """Places with people and without a law in the catalogue."""
    later: tuple[str, ...] = ()
    moment: datetime = NOW


def shop(people: Mapping[str, Count | int], **more: Any) -> Facts:
    """A British shop whose customers' contact details were stolen. Everything is known, and the risk is there."""
    known = {key.replace("__", "."): more.pop(key) for key in list(more) if "__" in key}
    everybody = sum(count for place, count in people.items() if isinstance(count, int) and place != "US")
    facts = Facts(
        role="controller",
        kinds=CONTACTS,
        known=KNOWN | {"risk.level": "risk"} | known,
        residents=people,
        people_all=everybody,
        told=0,
        minors=0,
        established_in=frozenset({"GB"}),
        main_establishment="GB",
        targets=frozenset(place[:2] for place in people),
        sectors=frozenset(),
        starts={Start.AWARENESS: Stated(datetime(2026, 11, 20, 10, tzinfo=UTC))},
    )
    return replace(facts, **more)


def not_stated(facts: Facts, *keys: str) -> Facts:
    return replace(facts, known={key: value for key, value in facts.known.items() if key not in keys})


def abroad(people: Mapping[str, Count | int], **more: Any) -> Facts:
    """The same of a shop that is established in the United States."""
    return shop(people, **({"established_in": frozenset({"US"}), "main_establishment": "US"} | more))


def in_us(people: Mapping[str, Count | int], **more: Any) -> Facts:
    """There, with national numbers of people."""
    return abroad({f"US-{state}": count for state, count in people.items()}, **({"kinds": US_NUMBERS} | more))


def each(law: str, places: list[str], duty: str = "authority") -> str:
    return ", ".join(f"{law} {place} {duty}" for place in places)


def aware(year: int, month: int, day: int) -> dict[Start, Stated]:
    return {Start.AWARENESS: Stated(datetime(year, month, day, 12, tzinfo=UTC))}
