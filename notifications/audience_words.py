"""sentence_of(): an audience in plain English, for colleagues who decide over it."""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from breachdesk.incidents.kinds import KINDS
from breachdesk.people.countries import country_name
from breachdesk.people.languages import language_name
from breachdesk.people.states import STATES
from notifications.audience import Audience, Earlier

Names = Mapping[UUID, str]
"""What colleagues call the notices and the lists that an audience names."""
GONE = "one that is gone"
NOUNS = {"minors": "Every minor", "vulnerable": "Every vulnerable person", "deceased": "Every deceased person"}
READERS = {"minors": "their guardians read it", "deceased": "their next of kin read it"}
ASIDE = {
    ("minors", "without"): "without minors",
    ("vulnerable", "only"): "only vulnerable people",
    ("vulnerable", "without"): "without vulnerable people",
    ("deceased", "only"): "only people who have died",
    ("deceased", "without"): "without people who have died",
}


def sentence_of(audience: Audience, names: Names) -> str:
    """Without a full stop: a count may follow."""
    if audience.is_everybody:
        return "Everybody affected"
    only = [key for key in NOUNS if getattr(audience, key) == "only"]
    who = NOUNS[only[0]] if only else "Everybody"
    where = f" in {_places(audience.places)}" if audience.places else ""
    not_in = f", but not in {_places(audience.not_in)}" if audience.not_in else ""
    clauses = " and ".join(_clauses(audience, names))
    joined = f"{',' if not_in else ''} {clauses}" if clauses else ""
    aside = [
        words for (key, choice), words in ASIDE.items() if key not in only[:1] and getattr(audience, key) == choice
    ]
    read_by = f" ({'; '.join(READERS[key] for key in only if key in READERS)})" if set(only) & READERS.keys() else ""
    return ", ".join([f"{who}{where}{not_in}{joined}", *aside]) + read_by


def _places(places: Iterable[str]) -> str:
    """By name, and who has no country last."""
    return _either(place_name(place) for place in sorted(places, key=lambda one: (not one, place_name(one))))


def place_name(place: str) -> str:
    """Germany; California; a country that was not given."""
    country, _, part = place.partition("-")
    return STATES[part] if part else country_name(country) if country else "no country that we know of"


def _clauses(audience: Audience, names: Names) -> Iterator[str]:
    if audience.affected:
        yield "who is no longer affected"
    if audience.languages:
        yield _reading(audience.languages)
    if audience.kinds:
        yield f"of whom {_either(_lower(KINDS[kind].label) for kind in audience.kinds)} were taken"
    if audience.lists:
        yield f"who stands in the list {_either(sorted(_named(one, names) for one in audience.lists))}"
    if audience.earlier:
        yield _told(audience.earlier, _named(audience.earlier.notice, names))


def _reading(tags: Iterable[str]) -> str:
    said = [f"reads {_either(language_name(tag) for tag in tags if tag)}"] if any(tags) else []
    return f"who {_either([*said, *(['gave no language'] if '' in tags else [])])}"


def _told(earlier: Earlier, notice: str) -> str:
    said = {
        "had": f"who had {notice}, or may have had it",
        "missed": f"whom {notice} did not reach",
        "never": f"who was not among the people of {notice}",
    }
    return _either(said[who] for who in earlier.who)


def _named(one: UUID, names: Names) -> str:
    return f"“{names[one]}”" if one in names else GONE


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _lower(label: str) -> str:
    return label[0].lower() + label[1:]
