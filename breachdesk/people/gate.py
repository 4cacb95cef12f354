"""What looks wrong with a list before it is taken in, and must be explained by whoever takes it in.

Wrong joins have told living patients that they were dead, and put strangers' names on letters. So a list is watched
while it is read, row by row and in constant memory, and each finding becomes a `Signal`: so many rows of so many, the
share they are, the share that needs no explanation, the first row to look at, and a sentence. No signal holds a name
or an address: it stands in the clear beside the file.

    Watch.over(upload)   one while its file is read
    .add(row)            each row that could be read; below 2 microseconds on the machine of the benchmarks
    .add_bad(row)        each row that could not
    .signals(upload)     at the end, in the transaction in which its rows lie beside the people
    .kept()              what later files of the incident are held against, for Upload.summary["fits"]

Shares. share = rows / of, between 0 and 1; exact, except for repeated names and streets (frequent.py says how far they
may be off: at most 0.025 % of the rows too many, never too few). A signal needs explaining when share > limit, so that
a limit of 0 lets nothing pass and a limit of 1 everything. The limits are limits.GATE_LIMITS; an installation
changes them by BREACHDESK_GATE_LIMITS. Those that were in force when the file was checked stay with the signal.

- names_moved, postcodes_moved: rows in stretches where two columns stopped fitting, of all rows that say something
  about it; shifts.py has the test, its bounds and its sources.
- names_apart, postcodes_apart: rows where they do not fit, of the same. It finds what is wrong from the first row on.
- names_unlike_earlier: held against the files of the incident that were taken in. With the share p that fits in those
  and n answers in this one, n * p are expected to fit; `rows` is how many of them do not. It is given only when that is
  more than four standard deviations, 4 * sqrt(n * p * (1 - p)), below what is expected.
- repeated_name, repeated_street: the most frequent one, from ten times on. Above the limit it is given only when it is
  so by more than chance may add, three standard deviations of a count, 3 * sqrt(rows): else the few names of a short
  list would all have to be explained.
- withdrawn: of the people who are affected now. new: of an update's rows. known: of rows that add people.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from django.conf import settings

from breachdesk.people.frequent import Frequent
from breachdesk.people.models import Person, Upload
from breachdesk.people.shifts import FEWEST, Agreement, Stretch, name_fits, postcode_fits
from breachdesk.prepared import run

if TYPE_CHECKING:
    from breachdesk.people.preparing import Prepared
    from breachdesk.people.reading.rows import BadRow

# How much of what is usual remains when the two columns are strangers to one another, and what counts as usual at most.
# Most postcodes fit by chance where most people live in one country.
NAMES, POSTCODES = (0.1, 0.8), (0.8, 0.9)
TOGETHER = 4_096  # rows
OFTEN_ENOUGH = 10  # times a name or a street must stand there before it is called repeated
MANY_AT_ONE_ADDRESS = 5

SENTENCES = {
    "minors": "{rows} of {of} rows ({share}) are about people under 18.",
    "deceased": "{rows} of {of} rows ({share}) are marked as deceased. Nobody alive may be treated as dead: compare "
    "some of these rows with the source.",
    "vulnerable": "{rows} of {of} rows ({share}) are marked as vulnerable.",
    "without_email": "{rows} of {of} rows ({share}) have no email address.",
    "unreachable": "{rows} of {of} rows ({share}) have neither an email nor a postal address: no notice reaches them.",
    "without_country": "{rows} of {of} rows ({share}) have no country. It decides which regulators must be told.",
    "without_language": "{rows} of {of} rows ({share}) have no language; they get the notice in the default one.",
    "rejected": "{rows} of {of} rows ({share}) were rejected. These people get no notice until the rows are corrected.",
    "known": "{rows} of {of} rows ({share}) are about people who are known already, from this file or an earlier one.",
    "new": "{rows} of {of} rows ({share}) of this update are about people who are not known yet.",
    "withdrawn": "{rows} of {of} affected people ({share}) will be no longer affected.",
    "renamed": "{rows} of {of} rows ({share}) have the customer number of somebody whose name or email address is "
    "written differently there.",
    "references_of_others": "{rows} of {of} rows ({share}) have the customer number of somebody else: not one word of "
    "the name is the same. One of the two columns may belong to other rows.",
    "shared_addresses": "{rows} of {of} people ({share}) share their email address with at least four others; the most "
    "frequent address stands with {most}.",
    "repeated_name": "One name stands in {rows} of {of} rows ({share}), row {first} among them.",
    "repeated_street": "One street, with its number, stands in {rows} of {of} rows ({share}), row {first} among them.",
    "names_apart": "In {rows} of {of} rows ({share}) no piece of the name stands in the email address. Look whether "
    "both belong to the same person.",
    "names_unlike_earlier": "In earlier files {usual} of the email addresses held a piece of the name, in this one "
    "{found}: {rows} of {of} expected ones are missing ({share}). Names and addresses may come from different rows.",
    "names_moved": "From row {first} names and email addresses do not fit: {usual} of the addresses hold a piece of "
    "the name elsewhere in the file, {found} in these {rows} of {of} rows ({share}), {pieces}. A column may have been "
    "moved or sorted.",
    "postcodes_apart": "{rows} of {of} postcodes ({share}) do not have the shape of their country's.",
    "postcodes_moved": "From row {first} postcodes and countries do not fit: {usual} have the shape of their country "
    "elsewhere in the file, {found} in these {rows} of {of} rows ({share}), {pieces}. A column may have been moved or "
    "sorted.",
}


@dataclass(frozen=True)
class Signal:
    key: str  # of SENTENCES and of limits.GATE_LIMITS
    rows: int
    of: int
    share: float
    limit: float
    sentence: str
    first_row: int = 0  # 0 where no row says more than the others

    @property
    def needs_explaining(self) -> bool:
        return self.share > self.limit

    @property
    def share_said(self) -> str:
        return percent(self.share)

    @property
    def limit_said(self) -> str:
        return percent(self.limit)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def signals_of(upload: Upload) -> list[Signal]:
    """As they were found when the file was checked: those that need explaining first, the largest share first."""
    signals = [Signal(**stored) for stored in upload.signals]
    return sorted(signals, key=lambda signal: (not signal.needs_explaining, -signal.share))


def needs_explaining(upload: Upload) -> list[Signal]:
    return [signal for signal in signals_of(upload) if signal.needs_explaining]


@dataclass(frozen=True)
class Facts:
    """What only the database knows, once all rows of the file lie in it."""

    purpose: str
    read: int
    new: int
    known: int
    rejected: int
    renamed: int = 0
    sharing: int = 0
    most_sharing: int = 0
    people: int = 0  # that the sharing ones are part of
    affected: int = 0  # before this file


class Watch:
    """`earlier`: how many names fitted their address in the incident's earlier files, of how many."""

    def __init__(self, limits: dict[str, float], earlier: tuple[int, int] = (0, 0)) -> None:
        self.limits, self.earlier = limits, earlier
        self._waiting: list[Prepared] = []
        self._before = ""  # the name in the row before
        self.rows = 0
        self.marked: Counter[str] = Counter()
        self.first: dict[str, int] = {}
        self.names, self.streets = Frequent(), Frequent()
        self.names_fit, self.postcodes_fit = Agreement(*NAMES), Agreement(*POSTCODES)
        self.stretches: dict[str, Stretch | None] = {}

    @classmethod
    def over(cls, upload: Upload) -> "Watch":
        kept = Upload.objects.of(upload.incident).loaded().values_list("summary__fits__names", flat=True)
        pairs = [pair for pair in kept if pair]
        return cls(settings.BREACHDESK.gate_limits, (sum(fits for fits, _ in pairs), sum(of for _, of in pairs)))

    def add(self, row: "Prepared") -> None:
        self._waiting.append(row)
        if len(self._waiting) == TOGETHER:
            self._look()

    def _look(self) -> None:
        """At many rows together, column by column: that is several times faster than row by row."""
        rows, self._waiting = self._waiting, []
        self.rows += len(rows)
        for row in rows:
            if row.is_minor or row.deceased or row.vulnerable or not (row.email and row.country and row.language):
                self._mark(row)
        numbers = [row.number for row in rows]
        names = [row.name for row in rows]
        self.names.add(names, numbers)
        self.streets.add([row.street.casefold() for row in rows], numbers)
        befores = [self._before, *names]
        self._before = befores[-1]
        fits = [name_fits(row.name, row.email, before) for row, before in zip(rows, befores, strict=False)]
        self.names_fit.add_all(fits, numbers)
        postcodes = [postcode_fits(row.postcode, row.country) for row in rows]
        self.postcodes_fit.add_all(postcodes, numbers)

    def _mark(self, row: "Prepared") -> None:
        marks = {
            "minors": row.is_minor,
            "deceased": row.deceased,
            "vulnerable": row.vulnerable,
            "without_email": not row.email,
            "unreachable": not (row.email or row.has_post),
            "without_country": not row.country,
            "without_language": not row.language,
        }
        for key, is_so in marks.items():
            if is_so:
                self.marked[key] += 1
                self.first.setdefault(key, row.number)

    def add_bad(self, row: "BadRow") -> None:
        self.first.setdefault("rejected", row.number)
        if row.reason == "reference_of_another":
            self.marked["references_of_others"] += 1
            self.first.setdefault("references_of_others", row.number)

    def kept(self) -> dict[str, list[int]]:
        """Of each pair of columns how many rows fit, of how many that say something about it."""
        self._end()
        return {name: [pair.fits, pair.answers] for name, pair in self._pairs()}

    def _end(self) -> None:
        self._look()
        self.stretches = {name: pair.finish() for name, pair in self._pairs()}

    def _pairs(self) -> Iterator[tuple[str, Agreement]]:
        yield "names", self.names_fit
        yield "postcodes", self.postcodes_fit

    def signals(self, upload: Upload) -> list[Signal]:
        return self.judged(facts_of(upload))

    def judged(self, facts: Facts) -> list[Signal]:
        """One signal for everything that was found at all; what did not occur has none."""
        self._end()
        found = [*self._shares(facts), *self._repeated(), *self._moved(), *self._apart(), *self._unlike_earlier()]
        return [signal for signal in found if signal.rows]

    def _signal(self, key: str, rows: int, of: int, first: int = 0, **words: object) -> Signal:
        share = rows / of if of else 0.0
        words |= {"rows": f"{rows:,}", "of": f"{of:,}", "share": percent(share), "first": f"{first:,}"}
        return Signal(key, rows, of, share, self.limits[key], SENTENCES[key].format(**words), first)

    def _shares(self, facts: Facts) -> Iterator[Signal]:
        for key, rows in sorted(self.marked.items()):
            yield self._signal(key, rows, facts.read if key == "references_of_others" else self.rows, self.first[key])
        yield self._signal("rejected", facts.rejected, facts.read, self.first.get("rejected", 0))
        yield from self._about_known(facts)
        yield self._signal("renamed", facts.renamed, self.rows)
        yield self._signal("shared_addresses", facts.sharing, facts.people, most=f"{facts.most_sharing:,}")

    def _about_known(self, facts: Facts) -> Iterator[Signal]:
        if facts.purpose == Upload.Purpose.ADD:
            yield self._signal("known", facts.known, self.rows)
        elif facts.purpose == Upload.Purpose.UPDATE:
            yield self._signal("new", facts.new, self.rows)
        else:
            yield self._signal("withdrawn", facts.known, facts.affected)

    def _repeated(self) -> Iterator[Signal]:
        for key, texts in (("repeated_name", self.names), ("repeated_street", self.streets)):
            for one in texts.above(OFTEN_ENOUGH - 1)[:1]:
                signal = self._signal(key, min(one.times, self.rows), self.rows, one.first_row)
                if not signal.needs_explaining or one.times - 3 * sqrt(one.times) > signal.limit * self.rows:
                    yield signal

    def _moved(self) -> Iterator[Signal]:
        for name, pair in self._pairs():
            if stretch := self.stretches[name]:
                yield self._signal(
                    f"{name}_moved",
                    stretch.answers,
                    pair.answers,
                    stretch.first_row,
                    usual=percent(pair.usual),
                    found=percent(stretch.share),
                    pieces="in one piece" if stretch.pieces == 1 else f"in {stretch.pieces:,} pieces",
                )

    def _apart(self) -> Iterator[Signal]:
        for name, pair in self._pairs():
            if pair.answers >= FEWEST:
                yield self._signal(f"{name}_apart", pair.answers - pair.fits, pair.answers)

    def _unlike_earlier(self) -> Iterator[Signal]:
        fits, of = self.earlier
        answers, found = self.names_fit.answers, self.names_fit.fits
        if of < FEWEST or answers < FEWEST:
            return
        usual = fits / of
        missing = usual * answers - found
        if missing > 4 * sqrt(answers * usual * (1 - usual)):
            yield self._signal(
                "names_unlike_earlier",
                round(missing),
                round(usual * answers),
                usual=percent(usual),
                found=percent(found / answers),
            )


def percent(share: float) -> str:
    """4.8 %; never 0 % of something nor 100 % of less than all."""
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    return f"{share:.0%}".replace("%", " %") if share in (0, 1) else f"{100 * share:.1f} %"


# People whose address stands with at least so many; the index on incident and address gives them in order.
_SHARING = """
    SELECT coalesce(sum(people), 0), coalesce(max(people), 0) FROM (
        SELECT count(*) AS people FROM people_person
        WHERE incident_id = %(incident)s AND email_index IS NOT NULL
        GROUP BY email_index HAVING count(*) >= %(many)s) AS shared"""
_RENAMED = "SELECT count(*) FROM people_personmatch WHERE upload_id = %(upload)s AND found_by = 'reference'"


def facts_of(upload: Upload) -> Facts:
    [(sharing, most)] = run(_SHARING, {"incident": upload.incident_id, "many": MANY_AT_ONE_ADDRESS}).fetchall()
    [(renamed,)] = run(_RENAMED, {"upload": upload.pk}).fetchall()
    affected = Person.objects.of(upload.incident).count()
    return Facts(
        purpose=upload.purpose,
        read=upload.rows_read,
        new=upload.rows_valid,
        known=upload.rows_repeated,
        rejected=upload.rows_rejected,
        renamed=renamed,
        sharing=int(sharing),
        most_sharing=most,
        people=affected + upload.rows_valid,
        affected=affected,
    )
