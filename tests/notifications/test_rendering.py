"""One person's message: bytes that a mail program reads as what was approved, whatever stands in the person's row."""

import binascii
import email
import email.policy
import html
from email.message import EmailMessage
from uuid import UUID

import mrml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.placeholders import Slot, ValueRefused, value_of
from notifications.rendering import (
    CODE,
    MAX_BYTES,
    PLAIN,
    Layout,
    QuotedPart,
    Recipient,
    Skeleton,
    compiled_layout,
    quoted,
    render_message,
    return_path,
)
from notifications.verification_codes import SAMPLE
from notifications.wording import Vocabulary, compile_message

DATE = b"Sat, 21 Nov 2026 20:00:00 +0000"
DELIVERY = UUID("12345678-1234-4234-8234-123456789abc")
KINDS = {"name": "your name", "identity_document": "a copy of your passport"}
BODY = (
    "Dear ((first name|Customer)),\n\n# What = happened\n\nWe lost ((data list)).\n\n((identity document??Renew it.))"
)


def skeleton(body: str = BODY, subject: str = "Über Ihre Daten", **layout: str) -> Skeleton:
    usual = {
        "organisation": "Halden & Rowe",
        "postal_address": "14 Tanner Row\nBath",
        "sender_name": "Halden & Rowe",
        "sender_email": "care@halden-rowe.example",
        "reply_to": "dpo@halden-rowe.example",
        "feedback_id": "BD-2026-0001:notice:breachdesk",
        "language": "en-GB",
        "genuine_at": "halden-rowe.example/genuine",
    }
    return Skeleton(
        compile_message(subject, body, Vocabulary({}, KINDS, ("halden-rowe.example",))), Layout(**{**usual, **layout})
    )


SKELETON = skeleton()


def render(values: dict[str, str], made: Skeleton = SKELETON, address: str = "ana@example.com", *kinds: str) -> bytes:
    return render_message(made, Recipient(DELIVERY, address, kinds or ("name",), values | {CODE: SAMPLE}), DATE)


def read(message: bytes) -> tuple[EmailMessage, str, str]:
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    assert parsed.defects == []
    text, page = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert text is not None
    assert page is not None
    return parsed, text.get_content().replace("\r\n", "\n"), page.get_content().replace("\r\n", "\n")


def test_its_headers_are_those_of_the_design() -> None:
    parsed, _, _ = read(render({"first name": "Ana"}))
    assert {name: str(value) for name, value in parsed.items()} == {
        "Date": "Sat, 21 Nov 2026 20:00:00 +0000",
        "To": "ana@example.com",
        "Message-ID": f"<{DELIVERY}@halden-rowe.example>",
        "From": "Halden & Rowe <care@halden-rowe.example>",
        "Reply-To": "Halden & Rowe <dpo@halden-rowe.example>",
        "Subject": "Über Ihre Daten",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Feedback-ID": "BD-2026-0001:notice:breachdesk",
        "Content-Language": "en-GB",
        "MIME-Version": "1.0",
        "Content-Type": str(parsed["Content-Type"]),
    }
    assert parsed.get_content_type() == "multipart/alternative"


def test_what_is_previewed_is_what_is_sent() -> None:
    values = {"first name": "Zoë <b>"}
    _, text, page = read(render(values))
    values[CODE] = SAMPLE
    assert text == SKELETON.as_text(values, ("name",))
    assert page == SKELETON.as_html(values, ("name",))
    assert "Zoë &lt;b&gt;" in page
    assert "We lost your name." in text


def test_nobody_reads_of_a_passport_who_had_none() -> None:
    assert b"passport" not in render({})
    assert b"passport" in render({}, SKELETON, "ana@example.com", "name", "identity_document")


def test_nothing_in_it_leads_to_anybody_else() -> None:
    message = render({"first name": "Ana"})
    for mark in (b"<img", b"<script", b"<link", b"url(", b"src=", b"http://"):
        assert mark not in message.replace(b"http://www.w3.org", b"")
    assert b"List-Unsubscribe" not in message


def test_lines_are_short_and_end_as_mail_asks() -> None:
    message = render({"first name": "Ana" * 60})
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")


def test_other_scripts_are_sent_in_base64_and_stay_small() -> None:
    made = skeleton(
        "親愛的 ((first name|客戶))，\n\n" + "我們遺失了您的資料。" * 200, "關於您的資料", language="zh-Hant"
    )
    message = render({"first name": "小明"}, made)
    assert b"base64" in message
    assert read(message)[1] == made.as_text({"first name": "小明", CODE: SAMPLE}, ("name",))
    assert len(message) < MAX_BYTES


def test_a_message_that_is_too_large_is_not_made() -> None:
    with pytest.raises(ValueRefused, match="bytes"):
        render({}, skeleton("word " * 8000))


def test_right_to_left_languages_are_marked() -> None:
    assert 'dir="rtl"' in skeleton(language="ar").as_html({CODE: SAMPLE}, ("name",))


@pytest.mark.parametrize(
    "address",
    ["", "ana", "ana@example", "a na@example.com", "ana@example.com\r\nBcc: b@example.com", "<ana@example.com>",
     "ana@example.com,b@example.com", "ana@exämple.com", '"a"@example.com', "a" * 65 + "@example.com"],
)  # fmt: skip
def test_addresses_that_could_leave_their_place_are_refused(address: str) -> None:
    with pytest.raises(ValueRefused):
        render({}, SKELETON, address)


def test_a_missing_value_is_refused_and_a_default_is_used() -> None:
    assert b"Customer" in render({"first name": "  "})
    with pytest.raises(ValueRefused, match="first name"):
        render({}, skeleton("Dear ((first name))"))


def test_the_return_path_names_the_delivery_and_cannot_be_guessed() -> None:
    path = return_path(SKELETON, DELIVERY)
    assert path.startswith(b"b+" + DELIVERY.hex.encode() + b"-")
    assert path.endswith(b"@halden-rowe.example")
    assert len(path.partition(b"@")[0]) <= 64
    assert path != return_path(SKELETON, UUID(int=DELIVERY.int + 1)).replace(b"d-", b"c-")


@pytest.mark.parametrize(
    "changed",
    [
        skeleton(BODY + "."),
        skeleton(subject="Ueber Ihre Daten"),
        skeleton(sender_email="care@halden-rowe.test"),
        skeleton(sender_name="Halden"),
        skeleton(reply_to="x@halden-rowe.example"),
        skeleton(postal_address="15 Tanner Row"),
        skeleton(language="en"),
        skeleton(BODY.replace("|Customer", "|customer")),
        skeleton(BODY.replace("identity document??", "name??")),
    ],
)
def test_the_digest_binds_everything_that_is_the_same_for_all(changed: Skeleton) -> None:
    assert changed.digest != SKELETON.digest
    assert skeleton().digest == SKELETON.digest


def test_the_layout_is_compiled_from_its_source_without_warnings() -> None:
    assert compiled_layout().count("((body))") == 1
    assert "color-scheme" in compiled_layout()
    assert mrml.to_html("<mjml><mj-body></mj-body></mjml>").content.startswith("<!doctype html>")


@given(
    st.text(max_size=60),
    st.text(alphabet=".=\r\n \tàé", max_size=120),
    st.sampled_from(["name", "identity_document"]),
)
def test_no_value_changes_the_structure_of_a_message(first: str, more: str, kind: str) -> None:
    """Either the value is refused, or the message has the same headers and parts, and says just that value."""
    usual, _, _ = read(render({"first name": "Ana"}, SKELETON, "ana@example.com", kind))
    for value in (first, more, first + more):
        try:
            message = render({"first name": value}, SKELETON, "ana@example.com", kind)
        except ValueRefused:
            continue
        parsed, text, page = read(message)
        assert parsed.items() == usual.items()
        assert text == SKELETON.as_text({"first name": value, CODE: SAMPLE}, (kind,))
        assert page == SKELETON.as_html({"first name": value, CODE: SAMPLE}, (kind,))
        assert all(len(line) <= 78 for line in message.split(b"\r\n"))


@given(st.text(alphabet=".=\n xé", max_size=200), st.text(alphabet=".=\n xé", max_size=90))
def test_no_line_that_is_the_same_for_all_begins_with_a_dot(before: str, after: str) -> None:
    """Else the wire would copy every message to double it. What it says stays, and so do its short lines."""
    filled = QuotedPart([before, Slot("first name"), after], str, b"", b"").fill({"first name": "Ana"})
    assert not filled.startswith(b".")
    assert b"\n." not in filled
    assert all(len(line) <= 76 for line in filled.split(b"\r\n"))
    assert binascii.a2b_qp(filled).replace(b"\r\n", b"\n") == f"{before}Ana{after}".encode()
    assert b"\n." not in render({"first name": "Ana"})


@given(st.from_regex(PLAIN, fullmatch=True))
def test_a_plain_value_is_what_checking_escaping_and_encoding_would_make_of_it(value: str) -> None:
    assert quoted(html.escape(value_of(Slot("first name"), {"first name": value}))) == value.encode()
