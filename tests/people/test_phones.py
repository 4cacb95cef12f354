"""The quick check and the library must never differ; and what is more than a number is none."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from breachdesk.people.reading.phones import ask_library, is_phone

REGIONS = [*sorted(phonenumbers.SUPPORTED_REGIONS), "", "AQ"]
CODES = [str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
digits = st.text("0123456789", min_size=1, max_size=16)
numbers = st.one_of(
    st.builds("+{}{}".format, st.sampled_from(CODES), digits),
    st.builds("+{} ({}) {}".format, st.sampled_from(CODES), digits, digits),
    st.builds("{}{}".format, st.sampled_from(["0", "00", "1", "8", "011", "+", "+0", "0044", "15"]), digits),
    st.builds("{}-{}".format, digits, digits),
    digits,
    st.text("0123456789 +-()./x#", max_size=20),
)


@settings(max_examples=500, deadline=None)
@given(numbers, st.sampled_from(REGIONS))
@example("+44 (0)20 7946 0958", "GB")
@example("0044 20 7946 0958", "DE")
@example("+1 264 497 2518", "AI")
@example("497 2518", "AI")
@example("1 212 555 0100", "US")
@example("8 912 345-67-89", "RU")
@example("+39 06 1234 5678", "IT")
@example("0", "GB")
@example("+", "")
def test_it_answers_as_the_library_does(text, region) -> None:
    if text:
        assert is_phone(text, region) == ask_library.__wrapped__(text, region)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("+44 1632 960123", ""), ("+441632960123", "FR"), ("01632 960123", "GB"), ("(01632) 960-123", "GB"),
        ("0171/5550100", "DE"), ("+49 171 5550100 ext. 12", ""), ("06 12 34 56 78", "FR"), ("202-555-0100", "US"),
        ("090-1234-5678", "JP"), ("+86 138 0013 8000", ""), ("٠١٢٣٤٥٦٧٨٩", ""), ("01632 960123", ""),
    ],
)  # fmt: skip
def test_these_can_be_dialled(text, region) -> None:
    assert is_phone(text, region)


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("n/a", ""), ("0", "GB"), ("12", ""), ("+44", ""), ("+44 12", ""), ("+999 1234567", ""), ("12345", ""),
        ("1234567890123456", ""), ("020 7946 0958 020 7946 0958", "GB"), ("call 020 7946 0958", "GB"),
        ("ana@example.com", ""), ("0800-FLOWERS", "GB"), ("020 7946 0958; 020 7946 0959", "GB"), ("=1+1", "GB"),
    ],
)  # fmt: skip
def test_these_cannot(text, region) -> None:
    assert not is_phone(text, region)
