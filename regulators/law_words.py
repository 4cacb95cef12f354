"""A law in words, as the catalogue's page and command show it: its clocks, its conditions, its days in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from breachdesk.incidents.kinds import KINDS
from regulators.catalogue.conditions import AllOfTests, AnyOfTests, IncludesAny, IsOneOf, IsTrue, NotTest, Reaches, Test
from regulators.catalogue.rules import Clock, InForce, Limit, Recipient, Start, Unit

RECIPIENTS = {
    Recipient.AUTHORITY: "Authority",
    Recipient.PEOPLE: "People affected",
    Recipient.CREDIT_AGENCIES: "Credit agencies",
    Recipient.MEDIA: "Media",
    Recipient.CONTROLLER: "The controller we work for",
    Recipient.CONTRACT_PARTNER: "Contract partner",
    Recipient.OTHER_AUTHORITY: "Another authority",
}

STARTS = {
    Start.AWARENESS: "awareness",
    Start.SUSPICION: "the first suspicion",
    Start.DETECTION: "detection",
    Start.DISCOVERY: "discovery",
    Start.OCCURRENCE: "when it happened",
    Start.TOLD_BY_OTHERS: "being told by others",
    Start.SHOULD_HAVE_KNOWN: "when we should have known",
    Start.CONFIRMATION: "confirmation",
    Start.DETERMINATION: "the decision that it is a breach to report",
    Start.ASSESSMENT_COMPLETED: "the end of the assessment",
    Start.CLASSIFICATION: "classification",
    Start.MATERIALITY: "the decision that it is material",
    Start.PEOPLE_IDENTIFIED: "knowing who is affected",
    Start.RANSOM_PAYMENT: "the ransom payment",
    Start.INCIDENT_HANDLED: "the end of the handling",
    Start.FIX_AVAILABLE: "a fix being available",
    Start.REQUEST: "the authority’s request",
    Start.AUTHORITY_TOLD: "the notice to the authority",
    Start.HHS_TOLD: "the notice to the federal health department",
    Start.PEOPLE_TOLD: "the notice to people",
    Start.FIRST_REPORT: "the first report",
    Start.NOTIFICATION: "the full notification",
    Start.LAST_REPORT: "the last report",
    Start.STATEMENT_READY: "the statement being ready",
    Start.END_OF_YEAR: "the end of the year of discovery",
}

_UNITS = {
    Unit.MINUTES: "minute",
    Unit.HOURS: "hour",
    Unit.CALENDAR_DAYS: "day",
    Unit.BUSINESS_DAYS: "business day",
    Unit.MONTHS: "month",
}

_NUMBERS = {
    "people.residents": "affected people live there",
    "people.all": "people are affected",
    "people.told": "people are told",
    "people.told_there": "people living there are told",
    "people.most_in_one_state": "affected people live in one state",
    "people.minors": "minors are affected",
    "people.country_missing": "affected people have no country of residence",
}

_DENIED = {
    "data.unreadable": "Somebody without the right may read what was taken: not encrypted, or the key not safe.",
    "data.on_paper": "It was in a computer, and not only on paper.",
}


def shortly(clock: Clock) -> str:
    """The end or the ends of a period, for a list: `72 hours from awareness`."""
    if not clock.limits:
        return "Without delay, no number" if clock.without_delay else "No number"
    always = _different(_end(limit) for limit in clock.limits if not limit.when)
    sometimes = [end for end in _different(_end(limit) for limit in clock.limits if limit.when) if end not in always]
    words = f"{'; or '.join(always)}; whichever is first" if len(always) > 1 else "".join(always)
    if sometimes:
        words = (
            f"{words}; in some cases {' or '.join(sometimes)}" if words else f"{' or '.join(sometimes)}, by the case"
        )
    return words[:1].upper() + words[1:]


def _different(ends: Iterable[str]) -> list[str]:
    """Ends that differ only in whether a closed day moves them are one to a list."""
    return list(dict.fromkeys(ends))


def _end(limit: Limit) -> str:
    start = STARTS[limit.starts]
    if limit.relation != "after":
        return f"{limit.relation} {start}"
    assert limit.unit is not None
    return f"{limit.amount} {_UNITS[limit.unit]}{'' if limit.amount == 1 else 's'} from {start}"


def days_of(in_force: InForce, on: date) -> str:
    """Whether it counts on that day, in words."""
    since, until = in_force.since, in_force.until
    if in_force.state == "suspended":
        return "Suspended"
    if not in_force.is_dated:
        return "Not yet in force, no date known"
    if since and since > on:
        return f"From {day_of(since)}"
    if until and until < on:
        return f"Until {day_of(until)}"
    partly = "Partly in force" if in_force.state == "partly" else "In force"
    return f"{partly} since {day_of(since)}" if since else partly


def day_of(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


@dataclass(frozen=True)
class Words:
    """A condition as a sentence, or as several of which all, or any, have to be true."""

    text: str
    parts: tuple["Words", ...] = ()


def words_of(test: Test, facts: Mapping[str, str]) -> Words:
    """`facts` are those of rule_facts.yaml, each a clause that begins with `Whether` or `How many`."""
    match test:
        case AllOfTests(all=parts):
            return Words("All of these:", tuple(words_of(part, facts) for part in parts))
        case AnyOfTests(any=parts):
            return Words("Any of these:", tuple(words_of(part, facts) for part in parts))
        case NotTest(not_=IsTrue(fact=fact, is_=expected)):
            return Words(_claim(fact, not expected, facts))
        case NotTest(not_=part):
            return Words("Not so:", (words_of(part, facts),))
        case IsTrue(fact=fact, is_=expected):
            return Words(_claim(fact, expected, facts))
        case IsOneOf(fact="risk.level", is_one_of=levels):
            return Words(f"The risk to people was decided to be {_either(levels)}.")
        case IsOneOf(fact=fact, is_one_of=values):
            return Words(f"{facts[fact]}: {_either(values)}.")
        case IncludesAny(fact=fact, includes_any=values):
            return Words(f"{facts[fact]}: {_either(_labels(values))}.")
        case Reaches():
            return Words(f"{_number(test)} {_NUMBERS.get(test.fact, facts[test.fact])}.")


def _claim(fact: str, is_so: bool, facts: Mapping[str, str]) -> str:
    if not is_so and fact in _DENIED:
        return _DENIED[fact]
    claim = facts[fact].removeprefix("Whether ")
    return f"{claim[:1].upper()}{claim[1:]}." if is_so else f"It is not so that {claim}."


def _number(test: Reaches) -> str:
    if test.at_least is not None:
        return f"{test.at_least:,} or more"
    return f"More than {test.more_than:,}" if test.more_than is not None else f"Fewer than {test.fewer_than:,}"


def _labels(values: Iterable[str]) -> list[str]:
    labels = [KINDS[value].label if value in KINDS else value for value in values]
    return [label[:1].lower() + label[1:] for label in labels]


def _either(values: Iterable[str]) -> str:
    *first, last = (value.replace("_", " ") for value in values)
    return f"{', '.join(first)} or {last}" if first else last
