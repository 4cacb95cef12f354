"""Phone numbers: whether a text is one that could be dialled, by the lengths of its country's numbering plan (E.164).

Not whether it is given out: plans change faster than any library, and a person must not be left out for a new range.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

# A number and nothing else: the library would find one in any sentence.
_SHAPE = re.compile(
    r"[+＋]?[(]?\d[\d ()./\-\u00a0\u2010-\u2015]{1,40}(?: ?(?:ext\.?|x|#|poste|int\.?|доб\.?) ?\d{1,7})?",
    re.IGNORECASE,
)
_SIGNS = str.maketrans("", "", " ().-/\u00a0")
_PLAIN_LENGTH = 40
_FEWEST_DIGITS, _MOST_DIGITS = 6, 15  # where no country tells more


def is_phone(text: str, region: str) -> bool:
    """`region` is the country whose numbers stand there without a calling code; empty when it is not known."""
    digits = text.translate(_SIGNS)
    if len(digits) >= _FEWEST_DIGITS and (_begins_plainly(text) or _SHAPE.fullmatch(text)):
        answer = _ordinary(digits, region)
        if answer is not None:
            return answer
    return ask_library(text, region)


def _begins_plainly(text: str) -> bool:
    """With this start, and nothing but digits and signs behind it, a text has the shape without being asked."""
    return text[1].isdigit() and text[0] in "+0123456789" and len(text) <= _PLAIN_LENGTH


@lru_cache(maxsize=4096)
def ask_library(text: str, region: str) -> bool:
    """The answer for any text; a twentieth of a millisecond each."""
    if _SHAPE.fullmatch(text) is None:
        return False
    known = region if region in phonenumbers.SUPPORTED_REGIONS else None
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, known))
    except phonenumbers.NumberParseException as error:
        unplaced = known is None and error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE
        return unplaced and text[0] not in "+＋" and _FEWEST_DIGITS <= sum(map(str.isdigit, text)) <= _MOST_DIGITS


@dataclass(frozen=True)
class _Numbering:
    """One country's numbering plan, as far as lengths go."""

    calling_code: str
    dial_out: re.Pattern[str]
    trunk: re.Pattern[str] | None  # the 0 in front of a national number
    rewrites: bool  # in some countries the library puts digits in its place
    viable: re.Pattern[str]
    whole: frozenset[int]  # lengths of a number with its area code
    longest: int
    possible: frozenset[int]  # the same and local numbers

    def answer(self, national: str) -> bool | None:
        """None when the library must be asked."""
        rest = self.without_trunk(national)
        if rest is None:
            return None
        if len(rest) in self.whole or len(rest) > self.longest:
            national = rest
        return len(national) in self.possible

    def without_trunk(self, national: str) -> str | None:
        if self.trunk is None or (found := self.trunk.match(national)) is None:
            return national
        if self.rewrites and found.groups()[-1] is not None:
            return None
        rest = national[found.end() :]
        kept = self.viable.fullmatch(national) and not self.viable.fullmatch(rest)
        return national if kept else rest

    def behind_own_code(self, digits: str) -> str | None:
        """What is left when the digits begin with the country's own calling code, and mean it."""
        rest = self.without_trunk(digits[len(self.calling_code) :])
        if rest is None or len(digits) > self.longest:
            return rest
        return rest if not self.viable.fullmatch(digits) and self.viable.fullmatch(rest) else ""


def _ordinary(digits: str, region: str) -> bool | None:
    """What the library would say of digits alone, known without asking it; None when it must be asked."""
    if digits[0] == "+":
        return _international(digits[1:])
    if not (digits.isascii() and digits.isdigit()):
        return None
    numbering = _numbering_of(region)
    if numbering is None:
        return _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS
    if numbering.dial_out.match(digits):
        return _international(digits[2:]) if digits[:2] == "00" and numbering.dial_out.pattern == "00" else None
    if digits.startswith(numbering.calling_code) and (rest := numbering.behind_own_code(digits)) != "":
        return None if rest is None else _international(numbering.calling_code + rest)
    return numbering.answer(digits)


def _international(digits: str) -> bool | None:
    if not (digits.isascii() and digits.isdigit()):
        return None
    numbering = _numbering_behind(digits[:3])
    return None if numbering is None else numbering.answer(digits[len(numbering.calling_code) :])


@cache
def _numbering_of(region: str) -> _Numbering | None:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return None
    return _numbering(PhoneMetadata.metadata_for_region(region))


@lru_cache(maxsize=2048)
def _numbering_behind(digits: str) -> _Numbering | None:
    """By the calling code that the first three digits begin with; none begins another."""
    for length in (1, 2, 3):
        code = int(digits[:length] or 0)
        if digits[:1] != "0" and (regions := phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)):
            return _numbering(_plan_behind(code, regions[0]))
    return None


def _plan_behind(code: int, main_region: str) -> Any:  # the library's metadata: each part of it may be None by type
    return PhoneMetadata.metadata_for_region_or_calling_code(code, main_region)


def _numbering(plan: Any) -> _Numbering:
    prefix = plan.national_prefix_for_parsing or ""
    general = _plan_behind(
        plan.country_code, phonenumbers.COUNTRY_CODE_TO_REGION_CODE[plan.country_code][0]
    ).general_desc
    return _Numbering(
        str(plan.country_code),
        re.compile(plan.international_prefix or "NonMatch"),
        re.compile(prefix) if prefix else None,
        bool(plan.national_prefix_transform_rule),
        re.compile(plan.general_desc.national_number_pattern),
        frozenset(plan.general_desc.possible_length),
        max(plan.general_desc.possible_length),
        frozenset(general.possible_length) | frozenset(general.possible_length_local_only),
    )
