"""Phone numbers: whether a text is one that could be dialled, by the lengths of its country's numbering plan (E.164).

Not whether it is given out: plans change faster than any library, and a person must not be left out for a new range.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

# A number and nothing else: the library would find one in any sentence.
_SHAPE = re.compile(
    r"[+＋]?[(]?\d[\d ()./\-\u00a0\u2010-\u2015]{1,40}(?: ?(?:ext\.?|x|#|poste|int\.?|доб\.?) ?\d{1,7})?",
    re.IGNORECASE,
)
_SIGNS = str.maketrans("", "", " ().-/\u00a0")
_FEWEST_DIGITS, _MOST_DIGITS = 6, 15  # where no country tells more


def is_phone(text: str, region: str) -> bool:
    """`region` is the country whose numbers stand there without a calling code; empty when it is not known."""
    if _SHAPE.fullmatch(text) is None:
        return False
    digits = text.translate(_SIGNS)
    if len(digits) >= _FEWEST_DIGITS and (answer := _ordinary(digits, region)) is not None:
        return answer
    return ask_library(text, region)


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
        if self.trunk and (found := self.trunk.match(national)):
            if self.rewrites and found.groups()[-1] is not None:
                return None
            rest = national[found.end() :]
            kept = self.viable.fullmatch(national) and not self.viable.fullmatch(rest)
            if not kept and (len(rest) in self.whole or len(rest) > self.longest):
                national = rest
        return len(national) in self.possible


def _ordinary(digits: str, region: str) -> bool | None:
    """What the library would say of digits alone, known without asking it; None when it must be asked."""
    if digits[0] == "+":
        return _international(digits[1:])
    numbering = _numbering_of(region)
    if numbering is None or not (digits.isascii() and digits.isdigit()):
        return None
    if digits.startswith(numbering.calling_code) or numbering.dial_out.match(digits):
        plain = digits[:2] == "00" and numbering.dial_out.pattern == "00"
        return _international(digits[2:]) if plain else None
    return numbering.answer(digits)


def _international(digits: str) -> bool | None:
    if not (digits.isascii() and digits.isdigit()):
        return None
    for length in (1, 2, 3):
        numbering = _numbering_behind(digits[:length])
        if numbering is not None:
            return numbering.answer(digits[length:])
    return None


@cache
def _numbering_of(region: str) -> _Numbering | None:
    if region not in phonenumbers.SUPPORTED_REGIONS:
        return None
    return _numbering(PhoneMetadata.metadata_for_region(region))


@lru_cache(maxsize=2048)
def _numbering_behind(calling_code: str) -> _Numbering | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code)) if calling_code else None
    if regions is None or calling_code[0] == "0":
        return None
    return _numbering(PhoneMetadata.metadata_for_region_or_calling_code(int(calling_code), regions[0]))


def _numbering(plan: PhoneMetadata) -> _Numbering:
    prefix = plan.national_prefix_for_parsing or ""
    main = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[plan.country_code][0]
    general = PhoneMetadata.metadata_for_region_or_calling_code(plan.country_code, main).general_desc
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
