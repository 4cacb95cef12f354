"""facts_of(): one case as obligations_of() asks for it, read from the incident, its people, its notices and what people
stated. The same moment gives the same facts; nothing is stored."""

from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal, cast

from breachdesk.audit.canonical import canonical
from breachdesk.incidents.models import Decision, Incident
from breachdesk.people.models import Tally
from breachdesk.people.told import tally_and_told
from notifications.models import Edition
from regulators.catalogue import the_catalogue
from regulators.catalogue.rules import Regime, Start
from regulators.facts import Count, Facts, Stated
from regulators.models import FilingVersion, StatedFact
from regulators.positions import MAIN_ESTABLISHMENT, SECTORS
from regulators.starts import stated_in

Role = Literal["controller", "joint", "processor"]


def facts_of(incident: Incident) -> Facts:
    tally, told = tally_and_told(incident)
    stated = _stated(incident)
    return Facts(
        role=cast(Role, str(incident.our_role)),
        kinds=frozenset(incident.kinds),
        kinds_uncertain=incident.kinds_uncertain,
        known=_known(incident, stated),
        established_in=_set(stated.get("us.established_in")),
        main_establishment=stated.get(MAIN_ESTABLISHMENT),
        representative_in=_set(stated.get("us.representative_in")) or frozenset(),
        targets=_set(stated.get("us.targets")),
        sectors=_set(stated.get(SECTORS)),
        reach=_of_prefix(stated, "reach."),
        supervisors=_of_prefix(stated, "supervisor."),
        starts=_starts(incident),
        own_rules=own_rules(),
        told=_told(incident, told.handed_over + told.left_out),
        **_people(incident, tally),
    )


def _told(incident: Incident, people: int) -> Count | None:
    """How many people were told; more may be while a notice is still to go out. None: nobody yet."""
    if not people:
        return None
    return Count(people, None if Edition.objects.of(incident).still_to_end().exists() else people)


def own_rules() -> tuple[Regime, ...]:
    """What the organisation bound itself to, every version."""
    catalogue = the_catalogue()
    return tuple(one for law in sorted(catalogue.own) for one in catalogue.regimes[law])


def _stated(incident: Incident) -> dict[str, Any]:
    """By key; what is said about this case wins over what is said about the organisation."""
    rows = StatedFact.objects.for_cases([incident])
    return {row.key: row.value for row in sorted(rows, key=lambda row: row.incident_id is not None)}


def _of_prefix(stated: dict[str, Any], prefix: str) -> dict[str, Any]:
    found = {key.removeprefix(prefix): value for key, value in stated.items() if key.startswith(prefix)}
    return {key: value for key, value in found.items() if value is not None}


def _set(value: list[str] | None) -> frozenset[str] | None:
    return None if value is None else frozenset(value)


def _known(incident: Incident, stated: dict[str, Any]) -> dict[str, Any]:
    known = {key: frozenset(value) if isinstance(value, list) else value for key, value in stated.items()}
    known = {key: value for key, value in known.items() if value is not None}
    if incident.kinds:
        known.setdefault("breach.personal_data", True)
    known.setdefault(
        "report.incomplete", any(one.has_promises for one in FilingVersion.objects.submitted_of([incident]))
    )
    if risk := _risk(incident):
        known["risk.level"] = risk
    if (is_within := _classified_within(incident)) is not None:
        known["breach.classified_within"] = is_within
    return known


def _classified_within(incident: Incident) -> bool | None:
    """Worked out once both moments are stated, whatever was said before. Regulation (EU) 2025/301, Article 5(2)."""
    stated = stated_in(incident)
    aware, classified = stated.get(Start.AWARENESS), stated.get(Start.CLASSIFICATION)
    return classified.at - aware.at <= timedelta(hours=24) if aware and classified else None


def _risk(incident: Incident) -> str | frozenset[str] | None:
    """What the two decisions say about the risk to people; both levels that are left, while one is still open."""
    tell = dict(Decision.objects.of(incident).standing().values_list("about", "tell"))
    authority, people = tell.get(Decision.About.AUTHORITY), tell.get(Decision.About.PEOPLE)
    if people:
        return "high"
    if authority is False:
        return "unlikely"
    if authority is None:
        return None if people is None else frozenset({"unlikely", "risk"})
    return "risk" if people is False else frozenset({"risk", "high"})


def _people(incident: Incident, tally: Tally) -> dict[str, Any]:
    """From the lists that were taken in; before there is one nobody is placed anywhere."""
    if not tally.files:
        low, high = incident.people_low or 0, incident.people_high
        return {"people_all": Count(low, high), "without_country": Count(0, high)}
    states = {f"US-{state}": people for state, people in tally.states.items() if state}
    countries = {country: people for country, people in tally.countries.items() if country}
    return {
        "people_all": tally.people,
        "residents": {**countries, **states},
        "without_country": tally.without_country,
        "minors": tally.minors,
    }


def _starts(incident: Incident) -> dict[Start, Stated]:
    begun = Edition.objects.first_start_of(incident)
    return stated_in(incident) | ({Start.PEOPLE_TOLD: Stated(begun)} if begun else {})


def digest_of_facts(facts: Facts) -> bytes:
    """SHA-256 of what a decision about the risk rests on. Once it differs, the decision is open again."""
    known = {key: value for key, value in facts.known.items() if key != "risk.level"}
    content = {
        "role": facts.role,
        "kinds": sorted(facts.kinds),
        "kinds_uncertain": facts.kinds_uncertain,
        "known": {key: sorted(value) if isinstance(value, frozenset) else value for key, value in known.items()},
        "people": list(Count.of(facts.people_all)),
        "minors": list(Count.of(facts.minors)),
    }
    return sha256(canonical(content)).digest()
