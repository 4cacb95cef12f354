"""Numbers and days written out in words: twenty-five thousand, vingt-cinq mille, fünfundzwanzigtausend.

Nothing is read and guessed at: a number that is looked for is written out in the ways of each language, and the text
searched for that. So a text says a number here only if it says that number and no longer one. Numbers below a hundred
are too common in texts to be told from others and are not written out.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date

LANGUAGES = ("en", "fr", "de")
SMALLEST = 100
LONGEST = 20
"""Letters of a word that may belong to a number, with some to spare: what is longer belongs to none."""
_BEFORE, _AFTER = re.compile(r"(\w+) $"), re.compile(rf" (?:et )?(\w{{1,{LONGEST}}})")


def _each(words: str) -> list[str]:
    return words.split()


_EN = _each(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_EN_TENS = _each("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
_EN_DAYS = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth", 20: "twentieth"}
_FR = _each(
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit "
    "dix-neuf"
)
_FR_TENS = _each("_ _ vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt")
_DE = _each(
    "null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
_DE_TENS = _each("_ _ zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
_DE_DAYS = {1: "ersten", 3: "dritten", 7: "siebten", 8: "achten"}
_MONTHS = {
    "en": _each("january february march april may june july august september october november december"),
    "fr": _each("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "de": _each("januar februar märz april mai juni juli august september oktober november dezember"),
}


def numbers_spelled_in(text: str, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Which of these numbers the text says in words, in any of the languages, and the words."""
    read = _plain(text)
    for number in sorted(set(numbers), reverse=True):
        if words := _first_of(read, _ways_of(number)):
            yield number, words


def day_spelled_in(text: str, day: date) -> str:
    """The words in which the text says this day, year or none; empty if it does not."""
    return _first_of(_plain(text), _ways_of_day(day))


def _first_of(read: str, ways: Iterable[str]) -> str:
    return next((way for way in ways if _says(read, _plain(way))), "")


def _says(read: str, words: str) -> bool:
    """These words, and not a part of a longer number: *four hundred thirty* does not say thirty."""
    for found in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", read):
        before = _BEFORE.search(read, max(0, found.start() - 2 * LONGEST), found.start())
        after = _AFTER.match(read, found.end())
        if not _OF_NUMBERS & {beside[1] for beside in (before, after) if beside}:
            return True
    return False


def _plain(text: str) -> str:
    """One way to write what is written in several: no hyphens, accents or plurals, no *and* within a number."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"\b(cent|vingt|million)s\b", r"\1", re.sub(r"[-\u2010\u2011]", " ", plain))
    return re.sub(r"\s+", " ", re.sub(r"\b(hundred|thousand|million)(?: and|,) ", r"\1 ", plain))


_PARTS = (*_EN, *_EN_TENS, *_FR, *_FR_TENS, *_DE_TENS, "hundred", "thousand", "million", "millionen", "cent", "mille")
_OF_NUMBERS = {word for part in _PARTS for word in _plain(part).split()} - {"_"}


# Numbers


def _ways_of(number: int) -> Iterator[str]:
    if not SMALLEST <= number < 1_000_000_000:
        return
    english, french, german = _english(number), _french(number), _german(number, ends=True)
    yield from (english, german)
    if " " in french:  # *cent* and *mille* alone are said of many things
        yield french
    if english.startswith("one "):
        yield f"a {english.removeprefix('one ')}"
    if german.startswith(("einhundert", "eintausend")) and number not in (100, 1_000):
        yield german.removeprefix("ein")
    if number % 1_000 == 0:
        for unit in ("thousand", "mille", "tausend"):
            yield from (f"{number // 1_000} {unit}", f"{number // 1_000:,} {unit}")
    if number == 500_000:
        yield from ("half a million", "un demi-million", "eine halbe Million")
    if number % 100_000 == 0 and number >= 1_000_000:
        whole, tenth = divmod(number // 100_000, 10)
        for mark, unit in ((".", "million"), (",", "millions"), (",", "Millionen")):
            yield f"{whole}{f'{mark}{tenth}' if tenth else ''} {unit}"


def _english(number: int) -> str:
    for size, word in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = f" {_english(number % size)}" if number % size else ""
            return f"{_english(number // size)} {word}{rest}"
    if number < 20:
        return _EN[number]
    return f"{_EN_TENS[number // 10]}{f'-{_EN[number % 10]}' if number % 10 else ''}"


def _french(number: int) -> str:
    """Without the plurals, as _plain() leaves them."""
    for size, word in ((1_000_000, "million"), (1_000, "mille"), (100, "cent")):
        if number >= size:
            how_many, rest = divmod(number, size)
            first = word if how_many == 1 and size < 1_000_000 else f"{_french(how_many)} {word}"
            return f"{first}{f' {_french(rest)}' if rest else ''}"
    if number < 20:
        return _FR[number]
    tens, ones = divmod(number, 10)
    if tens in (7, 9):
        ones += 10
    if not ones:
        return _FR_TENS[tens]
    joined = " et " if ones in (1, 11) and tens < 8 else "-"
    return f"{_FR_TENS[tens]}{joined}{_FR[ones]}"


def _german(number: int, *, ends: bool = False) -> str:
    """`ends`: nothing follows, so that a last one is *eins*."""
    if number >= 1_000_000:
        how_many, rest = divmod(number, 1_000_000)
        first = "eine Million" if how_many == 1 else f"{_german(how_many)} Millionen"
        return f"{first}{f' {_german(rest, ends=ends)}' if rest else ''}"
    for size, word in ((1_000, "tausend"), (100, "hundert")):
        if number >= size:
            after = _german(number % size, ends=ends) if number % size else ""
            return f"{_german(number // size)}{word}{after}"
    if number < 20:
        return "eins" if number == 1 and ends else _DE[number]
    tens, ones = divmod(number, 10)
    return f"{_DE[ones]}und{_DE_TENS[tens]}" if ones else _DE_TENS[tens]


# Days


def _ways_of_day(day: date) -> Iterator[str]:
    english, french, german = (_MONTHS[language][day.month - 1] for language in LANGUAGES)
    first = _english_day(day.day)
    yield from (f"{first} of {english}", f"{first} {english}", f"{english} {first}", f"{english} the {first}")
    yield f"{'premier' if day.day == 1 else _french(day.day)} {french}"
    yield f"{_german_day(day.day)} {german}"


def _english_day(day: int) -> str:
    if day in _EN_DAYS or day == 30:
        return _EN_DAYS.get(day, "thirtieth")
    return f"{_EN_TENS[day // 10]}-{_english_day(day % 10)}" if day > 20 else f"{_EN[day]}th"


def _german_day(day: int) -> str:
    return _DE_DAYS.get(day) or f"{_german(day)}{'ten' if day < 20 else 'sten'}"
