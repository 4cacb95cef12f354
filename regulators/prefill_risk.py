"""of_risk(): what the assessment, the two decisions and what was stated for the laws answer, each with its day.

The score answers how grave it is for people and nothing else. The level of the risk, and whether anybody is told, come
from a person's decision; before there is one the questions stay open. A decision whose facts have changed since still
stands, and its origin says so.
"""

from collections.abc import Iterator
from typing import Any

from django.urls import reverse

from breachdesk.incidents.assessment import inputs_from, severity_of
from breachdesk.incidents.models import Assessment, Decision, Incident
from breachdesk.incidents.scales import CIRCUMSTANCES, Extent, Level, level_words
from regulators.case_facts import digest_of_facts, facts_of
from regulators.known import Known, day_of
from regulators.models import StatedFact
from regulators.positions import of_the_case

YES_NO = {True: "yes", False: "no"}
AGAIN = " It is open again: the facts have changed since."


def of_risk(incident: Incident) -> dict[str, Known]:
    """By fact key. What was stated by itself goes before what an assessment took in."""
    made = Assessment.objects.of(incident).first()
    stated = _of_statements(incident)
    return {**(_of_assessment(incident, made) if made else {}), **stated, **_of_decisions(incident, made, stated)}


# The score


def _of_assessment(incident: Incident, made: Assessment) -> dict[str, Known]:
    origin, url, inputs = _from(incident, made), reverse("assessment", args=[incident.reference]), made.inputs
    lost = {name for name in CIRCUMSTANCES if inputs[name] != Extent.NONE}
    said: dict[str, Any] = {
        "risk.severity": made.level,
        "risk.method": "enisa",
        "incident.cia_types": lost or None,
        "incident.suspected_malicious": YES_NO[inputs["is_malicious"]],
        "incident.intent": "deliberate" if inputs["is_malicious"] else None,
        "data.protected": YES_NO.get(inputs["is_unintelligible"]),
    }
    return {fact: Known(value, origin, url) for fact, value in said.items() if value is not None}


def _from(incident: Incident, made: Assessment) -> str:
    day, score = day_of(made.made_at, incident.aware.zone), f"{made.score.normalize():f}"
    return f"From assessment {made.number} of {day}, which scores {score}, {level_words(Level(made.level))}."


# What somebody stated because a law asks it


def _of_statements(incident: Incident) -> dict[str, Known]:
    known: dict[str, Known] = {}
    for row in StatedFact.objects.of(incident).standing().with_author():
        question = of_the_case().get(row.key)
        day = day_of(row.stated_at, incident.aware.zone)
        origin = f"From “{question.label if question else row.key}”, stated on {day} by {row.stated_by.name}."
        url = reverse("duty-state", args=[incident.reference, row.key])
        known |= {fact: Known(value, origin, url) for fact, value in _meant_by(row.key, row.value)}
    return known


def _meant_by(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The facts of forms that a statement answers."""
    match key, value:
        case "breach.kinds", [*kinds] if kinds:
            yield "incident.cia_types", set(kinds)
        case "breach.is_attack", bool():
            yield "incident.suspected_malicious", YES_NO[value]
            if value:
                yield "incident.intent", "deliberate"
        case "data.unreadable", bool():
            yield "data.protected", YES_NO[value]
        case "data.on_paper", True:
            yield "incident.is_cyber", "no"
            yield "incident.cia_flag", "no"


# The decisions


def _of_decisions(incident: Incident, made: Assessment | None, stated: dict[str, Known]) -> dict[str, Known]:
    standing = {one.about: one for one in Decision.objects.of(incident).standing()}
    if not standing:
        return {}
    url, facts = reverse("assessment", args=[incident.reference]), facts_of(incident)
    origins = {about: _decided(incident, one, digest_of_facts(facts)) for about, one in standing.items()}
    both = " ".join(origins[about] for about in Decision.About if about in origins)
    rests_on = f"{both} {_from(incident, made)}" if made else both
    known = {"risk.rationale": Known(_rationale(standing, made), rests_on, url)}
    risk = facts.known.get("risk.level")
    if isinstance(risk, str):
        known["risk.level"] = Known(risk, both, url)
    if isinstance(risk, str) or risk == frozenset({"unlikely", "risk"}):
        known["risk.high_risk"] = Known(YES_NO[risk == "high"], both, url)
    if authority := standing.get(Decision.About.AUTHORITY):
        meets = "meets_threshold" if authority.tell else "below_threshold_fyi"
        known["assessment.sa_decision"] = Known(meets, origins[Decision.About.AUTHORITY], url)
    if people := standing.get(Decision.About.PEOPLE):
        known |= _of_telling(people, origins[Decision.About.PEOPLE], url, stated)
    return known


def _of_telling(people: Decision, origin: str, url: str, stated: dict[str, Known]) -> dict[str, Known]:
    """Before there is a notice; once there is one, it says how far the telling is."""
    if people.tell:
        return {"individuals.decision": Known("tell", origin, url), "individuals.status": Known("planned", origin, url)}
    protected = stated.get("data.protected")
    reason = "unintelligible" if protected and protected.value == "yes" else "no_high_risk"
    said = {
        "individuals.decision": "not_tell",
        "individuals.status": "decided_not",
        "individuals.reason_not": reason,
        "individuals.reason_not_text": people.reason,
        "individuals.details": f"It was decided not to tell people: {people.reason}",
    }
    return {fact: Known(value, origin, url) for fact, value in said.items()}


def _decided(incident: Incident, one: Decision, digest: bytes) -> str:
    day, again = day_of(one.decided_at, incident.aware.zone), "" if bytes(one.facts) == digest else AGAIN
    whom = "the authority" if one.about == Decision.About.AUTHORITY else "the people"
    what = f"{'to tell' if one.tell else 'not to tell'} {whom}"
    return f"From the decision of {day} {what}, by {one.decided_by.name}.{again}"


def _rationale(standing: dict[str, Decision], made: Assessment | None) -> str:
    """The reasons as they were given, then the sum that was before whoever gave them."""
    decided = [standing[about] for about in Decision.About if about in standing]
    said = [f"{one.get_about_display()}: {YES_NO[one.tell]}. {one.reason}" for one in decided]
    if made:
        last = severity_of(inputs_from(made.inputs)).working[-1]
        said.append(f"Severity for people, by the method of ENISA (2013): {last}")
    return "\n\n".join(said)
