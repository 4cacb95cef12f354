"""What each column of a file probably is, told from its heading and from its contents; the user decides.

Every guess says why, and how sure it is in percent. Heading and contents together are surer than either; contents that
contradict the heading undo it. Two columns for one field: the likelier gets it, the other is left to the user.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from breachdesk.people.addresses import checked_address
from breachdesk.people.countries import country_code
from breachdesk.people.languages import LANGUAGES, language_tag
from breachdesk.people.models import Upload
from breachdesk.people.reading.corrections import BOOKKEEPING, is_correction, restored
from breachdesk.people.reading.dates import NotADay, needs_order, order_of, written_day
from breachdesk.people.reading.fields import KIND, label_of
from breachdesk.people.reading.headings import AMBIGUOUS_NAMES, FIELD_OF_HEADING, spelled
from breachdesk.people.reading.kinds import kind_in_heading, kinds_listed
from breachdesk.people.reading.marks import mark_of
from breachdesk.people.reading.phones import is_phone
from breachdesk.people.reading.plan import Column, Plan
from breachdesk.people.reading.postcodes import looks_like_postcode
from breachdesk.people.reading.samples import masked_sample
from breachdesk.people.reading.source import Inspection, Source
from breachdesk.people.reading.tables import inspect
from breachdesk.people.uploads import opened
from breachdesk.vault.sealing import Cipher

LEAST_SURE = 45  # below, a column is left to the user
MOST_SHOWN = 3
SHORT_WORDS_THAT_TELL = frozenset({"plz", "zip", "dob", "tel", "psc"})
MARKS = frozenset({"minor", "vulnerable", "deceased"})


@dataclass(frozen=True)
class Guess:
    heading: str
    becomes: str
    sure: int
    why: str
    samples: tuple[str, ...]  # masked

    @property
    def label(self) -> str:
        return label_of(self.becomes)


@dataclass(frozen=True)
class Guesses:
    source: Source
    columns: tuple[Guess, ...]
    date_order: str
    asks_date_order: bool  # the sample leaves it open whether the day or the month comes first

    @property
    def plan(self) -> Plan:
        return Plan(self.source, tuple(Column(guess.heading, guess.becomes) for guess in self.columns), self.date_order)


@dataclass(frozen=True)
class _Candidate:
    sure: int
    becomes: str
    why: str


def guess_plan(inspection: Inspection) -> Plan:
    return guesses_of(inspection).plan


def guesses_of(inspection: Inspection) -> Guesses:
    samples = _samples(inspection)
    columns = [
        _candidates(heading, texts, inspection.headings)
        for heading, texts in zip(inspection.headings, samples, strict=True)
    ]
    chosen = _shared_out(inspection.headings, columns)
    guesses = tuple(
        Guess(heading, best.becomes, best.sure, best.why, tuple(map(masked_sample, texts[:MOST_SHOWN])))
        for heading, best, texts in zip(inspection.headings, chosen, samples, strict=True)
    )
    order, asks = _date_order(guesses, samples)
    return Guesses(inspection.source, guesses, order, asks)


def _samples(inspection: Inspection) -> list[list[str]]:
    """Of each column the values that are not blank."""
    width = len(inspection.headings)
    rows = [record.fields for record in inspection.sample if not record.problem and len(record.fields) == width]
    ours = is_correction(inspection.headings)
    columns = [[(restored(row[place]) if ours else row[place]).strip() for row in rows] for place in range(width)]
    return [list(filter(None, texts)) for texts in columns]


def _date_order(guesses: Sequence[Guess], samples: Sequence[list[str]]) -> tuple[str, bool]:
    for guess, texts in zip(guesses, samples, strict=True):
        if guess.becomes == "born_on":
            order = order_of(texts)
            return order, not order and needs_order(texts)
    return "", False


def _candidates(heading: str, texts: list[str], headings: Sequence[str]) -> list[_Candidate]:
    """The likeliest first."""
    if heading in BOOKKEEPING:
        return [_Candidate(100, "", "Our own note about a rejected row; it is not stored.")]
    found = [*_from_kind(heading, texts), *_from_heading(heading, texts, headings), *_from_contents(texts)]
    return sorted(found, key=lambda each: -each.sure)


def _from_kind(heading: str, texts: list[str]) -> list[_Candidate]:
    kind = kind_in_heading(heading)
    if kind is None or not _fits_mostly(_is_mark, texts) or spelled(heading) in MARKS:
        return []
    becomes = f"{KIND}{kind}"
    return [_Candidate(85, becomes, "The heading names a kind of data, and the values say yes or no.")]


def _from_heading(heading: str, texts: list[str], headings: Sequence[str]) -> list[_Candidate]:
    plain = spelled(heading)
    if plain in AMBIGUOUS_NAMES:
        return [_part_of_name(plain, headings)]
    if plain in FIELD_OF_HEADING:
        field, language = FIELD_OF_HEADING[plain]
        tongue = LANGUAGES["nb" if language == "no" else language][0]
        means = "says so" if language == "en" else f"is {tongue} for it"
        return [_weighed(_Candidate(90, field, f"The heading {means}."), texts)]
    field = _field_within(plain)
    return [_weighed(_Candidate(60, field, "A part of the heading says so."), texts)] if field else []


def _part_of_name(plain: str, headings: Sequence[str]) -> _Candidate:
    others = {FIELD_OF_HEADING.get(spelled(heading), ("", ""))[0] for heading in headings}
    if "given_name" in others and "family_name" not in others:
        return _Candidate(85, "family_name", "Beside a first name it is the last name.")
    if "family_name" in others and "given_name" not in others:
        return _Candidate(85, "given_name", "Beside a last name it is the first name.")
    return _Candidate(80, "full_name", "The heading says so, and no other column holds a part of the name.")


def _field_within(plain: str) -> str:
    """The field of the longest known heading inside this one, as whole words: billing postcode."""
    words = plain.split()
    parts = {" ".join(words[start:end]) for end in range(len(words) + 1) for start in range(end)}
    telling = [part for part in parts & FIELD_OF_HEADING.keys() if len(part) > 3 or part in SHORT_WORDS_THAT_TELL]
    return FIELD_OF_HEADING[max(telling, key=lambda part: (len(part), part))][0] if telling else ""


def _weighed(candidate: _Candidate, texts: list[str]) -> _Candidate:
    """The heading's guess, held against the contents."""
    test = _TESTS.get(candidate.becomes)
    if test is None or not texts:
        return candidate
    fitting = sum(map(test.fits, texts))
    told = f"{fitting} of {len(texts)} values in the sample {test.looks_like}"
    if fitting * 2 >= len(texts):
        return _Candidate(min(99, candidate.sure + 9), candidate.becomes, f"{candidate.why} {told}.")
    return _Candidate(20, candidate.becomes, f"The heading says {label_of(candidate.becomes)}, but only {told}.")


def _from_contents(texts: list[str]) -> list[_Candidate]:
    if not texts:
        return []
    return [
        _Candidate(test.sure, becomes, f"The values {test.looks_like}.")
        for becomes, test in _TESTS.items()
        if test.sure and _fits_mostly(test.alone or test.fits, texts)
    ]


def _shared_out(headings: Sequence[str], columns: Sequence[list[_Candidate]]) -> list[_Candidate]:
    """At most one column for each field, the surest first; what another column got is left to the user."""
    nothing = _Candidate(0, "", "Neither the heading nor the values tell.")
    chosen = [nothing] * len(columns)
    taken: dict[str, str] = {}
    best = [(found[0], place) for place, found in enumerate(columns) if found]
    for candidate, place in sorted(best, key=lambda each: (-each[0].sure, each[1])):
        if candidate.becomes and candidate.sure < LEAST_SURE:
            chosen[place] = _Candidate(0, "", candidate.why)
        elif candidate.becomes and candidate.becomes in taken:
            label, other = label_of(candidate.becomes), taken[candidate.becomes]
            chosen[place] = _Candidate(
                0, "", f"It could be {label} too, but “{other}” is likelier. Choose for yourself."
            )
        else:
            chosen[place] = candidate
            taken[candidate.becomes] = headings[place][:60]
    return chosen


# Contents


@dataclass(frozen=True)
class _Test:
    fits: Callable[[str], bool]
    looks_like: str
    sure: int  # when the contents are all there is to tell from; 0: they cannot tell alone
    alone: Callable[[str], bool] | None = None  # stricter, for then


def _fits_mostly(fits: Callable[[str], bool], texts: list[str]) -> bool:
    """Nine of ten; asked no further than needed, for most tests of most columns fail at once."""
    room = len(texts) // 10
    for text in texts:
        room -= not fits(text)
        if room < 0:
            return False
    return bool(texts)


def _is_address(text: str) -> bool:
    return checked_address(text) is not None


def _is_mark(text: str) -> bool:
    return mark_of(text) is not None


def _is_day(text: str) -> bool:
    try:
        written_day(text, order_of([text]) or "dmy")
    except NotADay as reason:
        return str(reason) == "birth_year"
    return True


def _is_day_of_birth(text: str) -> bool:
    """Signed-up-on and last-seen-on are days, too, but no such list has begun before this century."""
    try:
        return 1900 <= written_day(text, order_of([text]) or "dmy").year < 2000
    except NotADay:
        return False


def _is_country(text: str) -> bool:
    return country_code(text) is not None


def _is_language(text: str) -> bool:
    return language_tag(text) is not None


def _dialled(text: str) -> bool:
    return text[0] in "+0(" and is_phone(text, "")


_TESTS: dict[str, _Test] = {
    "email": _Test(_is_address, "look like email addresses", 80),
    "email_2": _Test(_is_address, "look like email addresses", 0),
    "guardian_email": _Test(_is_address, "look like email addresses", 0),
    "phone": _Test(partial(is_phone, region=""), "look like phone numbers", 55, _dialled),
    "guardian_phone": _Test(partial(is_phone, region=""), "look like phone numbers", 0),
    "country": _Test(_is_country, "are countries", 55, lambda text: _is_country(text) and not text.islower()),
    "post_country": _Test(_is_country, "are countries", 0),
    "language": _Test(_is_language, "are languages", 54, lambda text: _is_language(text) and not text.isupper()),
    "born_on": _Test(_is_day, "are dates", 46, _is_day_of_birth),
    "minor": _Test(_is_mark, "say yes or no", 0),
    "vulnerable": _Test(_is_mark, "say yes or no", 0),
    "deceased": _Test(_is_mark, "say yes or no", 0),
    "kinds": _Test(lambda text: kinds_listed(text) is not None, "are kinds of data", 75),
    "postcode": _Test(looks_like_postcode, "look like postcodes", 50, partial(looks_like_postcode, alone=True)),
}


def guess_for(upload: Upload, cipher: Cipher) -> Plan:
    """Raises ValidationError when this is no list that we can read."""
    with opened(upload, cipher) as file:
        return guess_plan(inspect(file))
