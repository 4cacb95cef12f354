"""An incident's people in numbers, for its pages: everything is read from the tally, nothing is counted here."""

from collections import Counter
from functools import cached_property

from breachdesk.incidents.kinds import labels_of
from breachdesk.incidents.models import Incident
from breachdesk.people.countries import country_name
from breachdesk.people.languages import language_name
from breachdesk.people.models import Tally
from breachdesk.people.states import STATES
from breachdesk.people.told import tally_and_told
from breachdesk.people.waterfall import Line, waterfall_of

MOST_BARS = 7
UNSTATED = "Not said in the list"

Rows = list[tuple[str, int]]


class Numbers:
    def __init__(self, incident: Incident) -> None:
        self.incident = incident

    @cached_property
    def tally(self) -> Tally:
        return Tally.objects.read_once(self.incident)

    @property
    def people(self) -> int:
        return self.tally.people

    @property
    def rows(self) -> int:
        return self.tally.rows_read

    @property
    def repeated(self) -> int:
        return self.tally.rows_repeated

    @property
    def rejected(self) -> int:
        return self.tally.rows_rejected

    @property
    def country_count(self) -> int:
        return sum(bool(code) for code in self.tally.countries)

    @property
    def countries(self) -> Rows:
        return _top(Counter({country_name(code): people for code, people in self.tally.countries.items()}), "countries")

    @property
    def without_country(self) -> int:
        return self.tally.without_country

    @property
    def states(self) -> Rows:
        """Of those in the United States: each state has a law and a regulator of its own."""
        named = {STATES.get(code, code) or UNSTATED: people for code, people in self.tally.states.items()}
        return _top(Counter(named), "states")

    @property
    def languages(self) -> Rows:
        """By language, whatever the country: en-GB and en-IE read the same notice."""
        counts: Counter[str] = Counter()
        for tag, people in self.tally.languages.items():
            counts[language_name(tag.split("-")[0])] += people
        return _top(counts, "languages")

    @property
    def kinds(self) -> Rows:
        """One person is in as many lines as they have kinds of data."""
        named = {" ".join(labels_of([kind])) or UNSTATED: people for kind, people in self.tally.kinds.items()}
        return sorted(named.items(), key=lambda line: (line[0] == UNSTATED, -line[1], line[0]))

    @property
    def to_look_after(self) -> Rows:
        tally = self.tally
        return [
            ("Without an email address", tally.without_email),
            ("Without any address", tally.without_contact),
            ("Under 18", tally.minors),
            ("Vulnerable", tally.vulnerable),
            ("Deceased", tally.deceased),
            ("On hold, no notice", tally.held),
            ("No longer affected", tally.withdrawn),
        ]

    @cached_property
    def waterfall(self) -> list[Line]:
        self.tally, told = tally_and_told(self.incident, self.tally)  # what stands below it is of the same moment
        return waterfall_of(self.tally, told)


def _top(counts: Counter[str], what: str) -> Rows:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    if len(rows) <= MOST_BARS + 1:
        return rows
    rest = rows[MOST_BARS:]
    return [*rows[:MOST_BARS], (f"{len(rest)} other {what}", sum(people for _, people in rest))]
