import json

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from breachdesk.audit.canonical import (
    NotCanonicalError,
    _encoder,
    _narrowed,
    base64url,
    canonical,
    from_base64url,
    parse,
    time_of,
    time_text,
)

texts = st.text(st.characters(codec="utf-8"), max_size=20)
integers = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts, values, max_size=5))
def test_parsing_gives_back_what_was_written(value):
    stored = canonical(value)
    assert canonical(parse(stored)) == stored
    assert json.loads(stored) == parse(stored)


# Where a plain encoder could differ: control characters, quotes, separators of lines, both sides of 16 bits.
ODD = ['\x00\x08\x0b\x1f\x7f\x80\t\n\f\r"\\/', "\u2028\u2029\ufeff\ufffd", "\U0001f600\uffff", "<>&'é\u0301", ""]
ascii_keys = st.text(st.characters(max_codepoint=0x7F), max_size=8)
plain_values = st.recursive(
    st.none() | st.booleans() | integers | texts | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(texts | ascii_keys, values | plain_values, max_size=5))
@example({"\uff61": 1, "\U0001f600": 2, "a": ODD})
@example({text: text for text in ODD})
def test_what_is_written_fast_is_what_the_library_writes(value):
    assert canonical(value) == rfc8785.dumps(_narrowed(value))


@given(st.dictionaries(ascii_keys, plain_values, max_size=5))
@example(dict(zip("abcde", ODD, strict=True)))
def test_with_plain_keys_the_fast_encoder_agrees_whatever_the_values_are(value):
    """More than is relied on: only texts that are ASCII as a whole are left to it."""
    assert _encoder.encode(value).encode() == rfc8785.dumps(value)


def test_keys_are_sorted_and_nothing_is_padded():
    assert canonical({"b": [1, True, None], "a": "é\n\u20ac"}) == '{"a":"é\\n€","b":[1,true,null]}'.encode()


def test_keys_sort_by_utf16_units_as_rfc_8785_demands():
    assert canonical({"\uff61": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\uff61":1}'.encode()


def test_strings_get_one_unicode_form():
    assert canonical({"e\u0301": "e\u0301"}) == '{"\u00e9":"\u00e9"}'.encode()


@pytest.mark.parametrize("value", [1.0, 0.5, float("inf"), 2**53, -(2**53), "\ud800", b"bytes", {1, 2}])
def test_what_has_no_place_is_refused(value):
    with pytest.raises(NotCanonicalError):
        canonical({"a": value})


@pytest.mark.parametrize(
    "stored",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":-0}',
        b'{"a":NaN}',
        b'{"a":9007199254740992}',
        b'{"a":"e\xcc\x81"}',
        b'{"a":"\\u00e9"}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\u007f"}',
        b'{"a":"\\u000a"}',
        b'{"a":"\\/"}',
        b'{"a":9999999999999999999999}',
        b'{"\\ud83d\\ude00":1}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}\n',
        b"[1]",
        b"",
        b"[" * 100_000,
    ],
)
def test_equal_meaning_in_other_bytes_is_refused(stored):
    with pytest.raises(NotCanonicalError):
        parse(stored)


def test_times_have_six_digits_and_z():
    moment = time_of("2026-11-21T09:30:00.000000Z")
    assert time_text(moment) == "2026-11-21T09:30:00.000000Z"


@pytest.mark.parametrize(
    "text",
    ["2026-11-21", "2026-11-21T09:30:00Z", "2026-11-21T09:30:00.000000+00:00", "2026-11-21T09:30:00.000000", "x"],
)
def test_no_other_way_to_write_a_time_is_taken(text):
    with pytest.raises(ValueError):
        time_of(text)


@given(st.binary())
def test_bytes_are_base64url_without_padding(value):
    assert from_base64url(base64url(value)) == value
    assert "=" not in base64url(value)
