"""The words of facts in reasons and in lists of what is missing: a sentence for yes, for no and for not known."""

from collections.abc import Iterable
from functools import lru_cache

from regulators.catalogue import FOLDER
from regulators.catalogue.reading import Folder
from regulators.facts import Count

# By fact: the sentence when it is yes, and when it is no.
_YES_NO = {
    "data.unreadable": ("Nobody without the right can read what was taken", "What was taken can be read"),
    "data.on_paper": ("The data was on paper", "The data was in a computer"),
    "breach.is_attack": ("Somebody did it on purpose to do harm", "Nobody did it on purpose to do harm"),
    "breach.personal_data": ("Personal data is affected", "No personal data is affected"),
    "breach.ransom_paid": ("A ransom was paid", "No ransom was paid"),
    "breach.is_major": (
        "The incident was classified as major or significant",
        "The incident was classified as neither major nor significant",
    ),
    "breach.is_material": ("The incident was decided to be material", "The incident was decided not to be material"),
    "breach.severe": ("Services were severely disrupted", "Services were not severely disrupted"),
    "breach.exploited_vulnerability": (
        "An exploited vulnerability of our product is behind it",
        "No exploited vulnerability of our product is behind it",
    ),
    "harm.misuse_likely": ("Misuse of the data is reasonably likely", "Misuse of the data is not reasonably likely"),
    "harm.serious": ("Serious harm to people is likely", "Serious harm to people is not likely"),
    "us.small": ("We are small as this law means it", "We are not small as this law means it"),
    "us.public_body": ("We are a public body", "We are not a public body"),
    "us.hipaa": ("HIPAA covers us", "HIPAA does not cover us"),
    "breach.classified_within": (
        "It was classified within 24 hours of awareness",
        "It was not classified within 24 hours of awareness",
    ),
    "us.files_on_closed_days": (
        "Our DORA reports are due on closed days too",
        "Our DORA reports have until noon of the next working day",
    ),
    "us.critical_infrastructure": (
        "We run critical infrastructure as this law means it",
        "We do not run critical infrastructure as this law means it",
    ),
    "us.trust_service": ("We provide trust services", "We provide no trust services"),
    "us.large_turnover": (
        "Our turnover is above the limit this law names",
        "Our turnover is not above the limit this law names",
    ),
    "us.information_broker": (
        "We collect personal data to sell or pass it on",
        "We do not collect personal data to sell or pass it on",
    ),
    "harm.large_scale": (
        "The data taken is of large scale as this law means it",
        "The data taken is not of large scale as this law means it",
    ),
    "report.incomplete": (
        "The first report left something out that has to follow",
        "The first report left nothing out",
    ),
}

# By fact: one person, several people.
_NUMBERS = {
    "people.residents": ("{n} affected person lives in {place}", "{n} affected people live in {place}"),
    "people.all": ("{n} person is affected", "{n} people are affected"),
    "people.told": ("{n} person is told", "{n} people are told"),
    "people.told_there": ("{n} person living in {place} is told", "{n} people living in {place} are told"),
    "people.most_in_one_state": (
        "{n} affected person lives in the US state with most of them",
        "{n} affected people live in the US state with most of them",
    ),
    "people.minors": ("{n} affected person is a minor", "{n} affected people are minors"),
    "people.country_missing": (
        "{n} affected person has no country of residence",
        "{n} affected people have no country of residence",
    ),
}

# What is missing, as a noun clause; what has its own words in rule_facts.yaml need not stand here.
_MISSING = {
    "role.is": "whether we are controller, joint controller or processor of this data",
    "data.kinds": "which kinds of data were taken",
    "breach.kinds": "which of confidentiality, integrity and availability were lost",
    "risk.level": "the decision how high the risk to people is",
    "data.unreadable": "whether nobody without the right can read what was taken",
    "people.residents": "how many affected people live there",
    "people.country_missing": "where the people without a country of residence live",
    "people.part_missing": "in which part of their country the people without one live",
    "people.all": "how many people are affected",
    "people.told": "how many people are told",
    "people.told_there": "how many people living there are told",
    "people.most_in_one_state": "how many affected people live in the US state with most of them",
    "people.minors": "how many minors are affected",
    "us.established_in": "in which countries we have an establishment",
    "us.main_establishment": "which establishment takes the decisions about this data",
    "us.targets": "to people of which countries we offer goods or services",
    "us.sectors": "which of the trades that laws are about we are in",
}

_VALUES = {
    "controller": "the controller",
    "joint": "a joint controller",
    "processor": "a processor",
    "risk": "there, and not high",
}


@lru_cache(maxsize=1)
def labels() -> dict[str, str]:
    """What rule_facts.yaml calls each fact."""
    found: dict[str, str] = Folder(FOLDER, []).table("rule_facts.yaml", dict[str, str])
    return found


@lru_cache(maxsize=1)
def _sectors() -> dict[str, str]:
    found: dict[str, str] = Folder(FOLDER, []).table("sectors.yaml", dict[str, str])
    return found


def missing_words(fact: str, regime_name: str = "") -> str:
    """A noun clause: `whether misuse of the data is reasonably likely`."""
    if fact in _MISSING:
        return _MISSING[fact]
    if fact in _YES_NO:
        return f"whether {small(_YES_NO[fact][0])}"
    if fact.startswith("reach."):
        return f"whether {regime_name or fact.removeprefix('reach.')} reaches us"
    if fact.startswith("supervisor."):
        return "which of the authorities there hears us"
    return small(labels().get(fact, plain(fact)))


def yes_no(fact: str, value: bool | None) -> str:
    if value is None:
        return f"Not stated yet: {missing_words(fact)}."
    words = _YES_NO.get(fact)
    return f"{words[0 if value else 1]}." if words else f"{large(missing_words(fact))}: {'yes' if value else 'no'}."


def in_trade(sector: str, is_ours: bool) -> str:
    trade = _sectors().get(sector, f"We are in the trade {plain(sector)}")
    return f"{trade}." if is_ours else f"Not so: “{trade}.” This law is for that trade alone."


def choice(fact: str, value: str) -> str:
    """`value` in words."""
    if fact == "risk.level":
        return f"The risk to people was decided to be {value}."
    if fact == "role.is":
        return f"We are {value} of this data."
    return f"{large(missing_words(fact))}: {value}."


def value(key: str) -> str:
    return _VALUES.get(key, plain(key))


def number(fact: str, count: Count, place: str) -> str:
    one, several = _NUMBERS.get(fact, (f"{missing_words(fact)}: {{n}}",) * 2)
    return large((one if count == (1, 1) else several).format(n=amount(count), place=place))


def amount(count: Count) -> str:
    low, high = count
    if high is None:
        return f"{low:,} or more" if low else "an unknown number of"
    if low == high:
        return f"{low:,}" if low else "no"
    return f"{low:,} to {high:,}" if low else f"at most {high:,}"


def listed(words: Iterable[str], joint: str = "and") -> str:
    """In the order given: a, b and c."""
    *first, last = words
    return f"{', '.join(first)} {joint} {last}" if first else last


def plain(key: str) -> str:
    return key.replace("_", " ")


def large(text: str) -> str:
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """Unless it begins with an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
