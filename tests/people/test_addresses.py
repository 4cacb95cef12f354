"""The quick check and the library must never differ: one wrong answer is a person who is not told."""

from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from breachdesk.people.addresses import address_key, checked_address

ORDINARY = "abcXYZ019.-_+'@!#"
texts = st.text(alphabet=ORDINARY, max_size=30)
addresses = st.builds(
    "{}@{}.{}".format,
    texts,
    texts,
    st.sampled_from(["com", "test", "local", "INVALID", "c", "x1", "museum", "xn--p1ai"]),
)


def library(text: str) -> str | None:
    try:
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except EmailNotValidError:
        return None


@settings(max_examples=600, deadline=None)
@given(st.one_of(addresses, texts, st.emails(), st.text(max_size=40)))
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
