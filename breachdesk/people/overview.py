"""What the people's page shows, worked out only when the page asks for it."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.core.paginator import Paginator

from breachdesk.incidents.models import Incident
from breachdesk.people.columns import FIELDS
from breachdesk.people.countries import country_name
from breachdesk.people.languages import language_name
from breachdesk.people.models import Person, PersonQuerySet, Upload
from breachdesk.people.personal import full_name, masked, masked_address, personal_of
from breachdesk.people.reading import REASONS, Reason
from breachdesk.vault.sealing import Cipher, cipher_for

MOST_BARS = 7
LABELS = {name: field.label for name, field in FIELDS.items()}


@dataclass(frozen=True)
class ReasonLine:
    reason: Reason
    rows: int
    first: int


@dataclass(frozen=True)
class NumberedUpload:
    """An upload with its place among the incident's files."""

    number: int
    upload: Upload

    @property
    def parts(self) -> list[tuple[str, str, int]]:
        return [
            ("delivered", "People added", self.upload.rows_valid),
            ("unknown", "Repeated rows, merged", self.upload.rows_repeated),
            ("bounced", "Rows not accepted", self.upload.rows_rejected),
        ]

    @property
    def share_read(self) -> int:
        return 100 * self.upload.bytes_read // self.upload.size

    @property
    def took(self) -> str:
        return spoken(self.upload.seconds)

    @property
    def left(self) -> str:
        left = self.upload.seconds_left
        return "" if left is None else f"about {spoken(left)} left"

    @cached_property
    def reasons(self) -> list[ReasonLine]:
        return reasons_of(self.upload)


def spoken(seconds: float) -> str:
    """12 s; 3 min 41 s."""
    if seconds < 1:
        return "under a second"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def reasons_of(upload: Upload) -> list[ReasonLine]:
    return [ReasonLine(REASONS[line["reason"]], line["rows"], line["first"]) for line in upload.rejected.by_reason()]


class Overview:
    def __init__(self, incident: Incident) -> None:
        self.incident = incident

    @cached_property
    def uploads(self) -> list[NumberedUpload]:
        uploads = list(Upload.objects.of(self.incident).newest_first())
        return [NumberedUpload(len(uploads) - place, upload) for place, upload in enumerate(uploads)]

    @cached_property
    def under_way(self) -> list[NumberedUpload]:
        return [entry for entry in self.uploads if entry.upload.is_under_way]

    @cached_property
    def done(self) -> list[NumberedUpload]:
        return [entry for entry in self.uploads if not entry.upload.is_under_way]

    @cached_property
    def loaded(self) -> list[Upload]:
        return [entry.upload for entry in self.uploads if entry.upload.state == Upload.State.LOADED]

    @property
    def people(self) -> int:
        return sum(upload.rows_valid for upload in self.loaded)

    @property
    def rows(self) -> int:
        return sum(upload.rows_read for upload in self.loaded)

    @property
    def repeated(self) -> int:
        return sum(upload.rows_repeated for upload in self.loaded)

    @property
    def rejected(self) -> int:
        return sum(upload.rows_rejected for upload in self.loaded)

    @cached_property
    def _countries(self) -> Counter[str]:
        return sum((Counter(upload.summary["countries"]) for upload in self.loaded), Counter())

    @property
    def country_count(self) -> int:
        return sum(bool(code) for code in self._countries)

    @property
    def countries(self) -> list[tuple[str, int]]:
        return _top(Counter({country_name(code): number for code, number in self._countries.items()}), "countries")

    @property
    def without_country(self) -> int:
        return self._countries[""]

    @property
    def languages(self) -> list[tuple[str, int]]:
        """By language, whatever the country: en-GB and en-IE read the same notice."""
        counts: Counter[str] = Counter()
        for upload in self.loaded:
            for tag, number in upload.summary["languages"].items():
                counts[language_name(tag.split("-")[0])] += number
        return _top(counts, "languages")

    @property
    def without_email(self) -> int:
        return sum(upload.summary["without_email"] for upload in self.loaded)

    @property
    def minors(self) -> int:
        return sum(upload.summary["minors"] for upload in self.loaded)

    @cached_property
    def held(self) -> int:
        return Person.objects.of(self.incident).held_back().count()


def _top(counts: Counter[str], what: str) -> list[tuple[str, int]]:
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
    if len(rows) <= MOST_BARS + 1:
        return rows
    rest = rows[MOST_BARS:]
    return [*rows[:MOST_BARS], (f"{len(rest)} other {what}", sum(number for _, number in rest))]


class CountedPaginator(Paginator):  # type: ignore[type-arg]
    """Pages through people without counting them again on each page."""

    count = 0

    def __init__(self, people: PersonQuerySet, per_page: int, *, count: int) -> None:
        super().__init__(people, per_page)
        self.count = count


@dataclass(frozen=True)
class MaskedPerson:
    person: Person
    name: str
    email: str
    reference: str
    country: str
    language: str

    @property
    def pk(self) -> UUID:
        return self.person.pk


def masked_people(incident: Incident, people: list[Person]) -> list[MaskedPerson]:
    cipher = cipher_for(incident.pk)
    return [_masked_person(cipher, person) for person in people]


def _masked_person(cipher: Cipher, person: Person) -> MaskedPerson:
    personal = personal_of(cipher, person)
    return MaskedPerson(
        person,
        masked(full_name(personal)),
        masked_address(personal.get("email", "")),
        masked(personal.get("reference", "")),
        country_name(person.country),
        language_name(person.language),
    )


def shown_fields(personal: dict[str, str], *, clear: bool) -> list[tuple[str, str]]:
    """Labels and values in the order of the fields; masked unless `clear`."""
    lines = [(name, personal[name]) for name in FIELDS if name in personal]
    if clear:
        return [(LABELS[name], text) for name, text in lines]
    return [(LABELS[name], masked_address(text) if name == "email" else masked(text)) for name, text in lines]
