"""The quick check and the library must never differ: one wrong answer is a person who is not told."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from breachdesk.people.addresses import address_key, checked_address, is_reserved, is_role, split_address

ORDINARY = "abcXYZ019.-_+'@!#"
texts = st.text(alphabet=ORDINARY, max_size=30)
addresses = st.builds(
    "{}@{}.{}".format,
    texts,
    texts,
    st.sampled_from(["com", "test", "local", "INVALID", "c", "x1", "museum", "xn--p1ai"]),
)
long_parts = st.builds(
    "{}@{}.{}".format,
    st.text("ab.+", min_size=55, max_size=70),
    st.text("ab-.", min_size=50, max_size=70),
    st.sampled_from(["com", "co.uk"]),
)
international = st.builds(
    "{}@{}.{}".format,
    st.text(st.characters(categories=["L", "N"], max_codepoint=0x24FF), min_size=1, max_size=8),
    st.text(st.characters(categories=["L", "N", "Pd"], max_codepoint=0x24FF), min_size=1, max_size=8),
    st.sampled_from(["com", "example", "рф", "中国", "test"]),
)
spoiled = st.builds(
    lambda text, place, sign: text[:place] + sign + text[place:],
    st.emails(),
    st.integers(0, 30),
    st.sampled_from([" ", ".", "@", "-", "\n", "\u200b", "\u00a0", "ß", "İ", "\x00", ",", '"']),
)


def library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except EmailNotValidError:
        return None


@settings(max_examples=400, deadline=None)
@given(st.one_of(addresses, texts, st.emails(), st.text(max_size=40), long_parts, international, spoiled))
@example("ana@example.com")
@example("ana@EXAMPLE.Com")
@example("ana@dev.test")
@example("ana@printer.local")
@example("ana@xn--bcher-kva.example")
@example("ana@bücher.example")
@example("ana@a--b.example")
@example("a" * 64 + "@example.com")
@example("a" * 65 + "@example.com")
@example("a@" + "b" * 61 + ".com")
@example("a@" + "b" * 64 + ".com")
@example("a..b@example.com")
@example(".a@example.com")
@example("a@example.com\n")
@example("Ana <ana@example.com>")
@example('"ana b"@example.com')
@example("ana@[127.0.0.1]")
@example("ana@example.c0m")
@example("ana@example.com.")
def test_it_answers_as_the_library_does(text: str) -> None:
    assert checked_address(text) == library(text)


def test_capital_letters_do_not_make_another_mailbox() -> None:
    assert address_key("Ana.Ng@example.com") == address_key("ana.ng@EXAMPLE.COM")


@given(st.one_of(addresses, st.emails(), spoiled))
def test_in_two_it_is_the_same_address(text: str) -> None:
    parts = split_address(text)
    assert (None if parts is None else "@".join(parts)) == checked_address(text)


@pytest.mark.parametrize(
    "domain", ["example.com", "mail.example.org", "EXAMPLE.net", "a.test", "test", "x.local", "b.example."]
)
def test_these_domains_exist_for_examples_only(domain: str) -> None:
    assert is_reserved(domain)


@pytest.mark.parametrize(
    "domain", ["example.de", "myexample.com", "example.com.au", "test.com", "contest", "localhost.com"]
)
def test_these_may_be_somebodys(domain: str) -> None:
    assert not is_reserved(domain)


@pytest.mark.parametrize(
    ("local", "is_shared"), [("info", True), ("No-Reply", True), ("support+77", True), ("ana", False)]
)
def test_a_desk_is_no_person(local: str, is_shared: bool) -> None:
    assert is_role(local) is is_shared
