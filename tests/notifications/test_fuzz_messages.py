"""Whatever an author types and whatever stands in a person's row: the shape of a message is that of its skeleton."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.incidents.kinds import KINDS as ALL_KINDS
from notifications.placeholders import Problem, ValueRefused
from notifications.rendering import CODE, Recipient, Skeleton, render_message
from notifications.starters import LANGUAGES, STARTERS
from notifications.verification_codes import SAMPLE
from notifications.wording import Vocabulary, compile_message, parse, parse_subject
from tests.notifications.noticing import CONSTANTS, draft, findings
from tests.notifications.test_rendering import DATE, DELIVERY, skeleton

KINDS = {"name": "your name", "email": "your address", "identity_document": "a copy of your passport"}
WORDS = Vocabulary(CONSTANTS, KINDS, ("halden-rowe.example",))
PIECES = [
    *"#*-_[]()|?\\!<>&`=.:\r\n\t é\u00a0\u202e\x00\ue000\ufeff", "((", "))", "??", "](", "\n\n", "1. ", "- ", "#### ",
    "((first name))", "((first name|Customer))", "((name??", "((identity document??", "((hotline))",
    "covers what we do", "https://halden-rowe.example/a", "https://evil.example", "=_bd_", "--", "=?utf-8?q?=0A?=",
    "Bcc: a@example.com", "</p>", "<script>", "a", "Word ", "." * 80, "\r\n.\r\n", "\r\nTo: b@example.com\r\n\r\n",
]  # fmt: skip
TYPED = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=30).map("".join)
ADDRESS = st.builds(str.__add__, st.sampled_from(["", "ana@example.com", "<ana@example.com>"]), TYPED)
HARMLESS = {"first name": "Ana", "last name": "Low", "full name": "Ana Low", "reference": "A1", CODE: SAMPLE}
OTHER = Recipient(UUID(int=7), "other@example.com", ("name", "email"), {**HARMLESS, "first name": "Ben"})


def made_of(subject: str, body: str) -> Skeleton:
    return Skeleton(compile_message(subject, body, WORDS), skeleton().layout)


def shape_of(message: bytes) -> list[object]:
    """Names of the headers in their order, the parts, and how often the boundary stands on a line."""
    parsed = message_from_bytes(message, policy=default)
    head = message.partition(b"\r\n\r\n")[0]
    boundary = re.search(rb'boundary="([^"]+)"', head)
    assert boundary
    parts = [(part.get_content_type(), part.get_content_charset()) for part in parsed.walk()]
    lines = [line for line in message.split(b"\r\n") if line.startswith(b"--" + boundary[1])]
    return [parsed.keys(), parsed.defects, parts, len(lines), message.count(b"\n") == message.count(b"\r\n")]


PLAIN = made_of("A breach", "Dear ((first name)),\n\nWe are sorry.")
USUAL = shape_of(render_message(PLAIN, Recipient(DELIVERY, "ana@example.com", ("name",), HARMLESS), DATE))


@settings(max_examples=50, deadline=None)
@given(TYPED, TYPED)
def test_what_is_typed_is_refused_by_place_or_makes_a_message_of_the_same_shape(subject: str, body: str) -> None:
    in_subject, in_body = parse_subject(subject, WORDS)[1], parse(body, WORDS).problems
    assert all(_is_inside(one, subject.strip()) for one in in_subject)
    assert all(_is_inside(one, body) for one in in_body)
    assert isinstance(findings("en", subject, body), tuple), "a text with faults is looked at like any other"
    if in_subject or in_body:
        return
    made = made_of(subject, body)
    for kinds in (("name",), ("name", "identity_document")):
        message = render_message(made, Recipient(DELIVERY, "ana@example.com", kinds, HARMLESS), DATE)
        assert shape_of(message) == USUAL


@pytest.mark.parametrize(
    ("body", "line", "column", "said"),
    [
        ("a\n\n#### b", 3, 1, "one, two or three #"),
        ("a https://halden-rowe.example[", 1, 3, "is not a plain https:// address"),
        ("[a](https://[halden-rowe.example)", 1, 5, "is not a plain https:// address"),
    ],
)
def test_what_no_writer_can_write_is_refused_by_place(body: str, line: int, column: int, said: str) -> None:
    [problem] = parse(body, WORDS).problems
    assert (problem.line, problem.column) == (line, column)
    assert said in problem.sentence
    assert findings("en", "A breach", body)


@pytest.mark.parametrize("words", ["=?utf-8?q?Hello=0ABcc:_b@example.com?=", "a =?utf-8?b?Cg==?="])
def test_an_encoded_word_brings_no_header_of_its_own(words: str) -> None:
    line, problems = parse_subject(words, WORDS)
    assert [(one.line, one.column) for one in problems] == [(1, words.find("=?") + 1)]
    for changed in ({"sender_name": words}, {"organisation": words}):
        with pytest.raises(ValueError, match="may hold"):
            skeleton(**changed)
    with pytest.raises(ValueError, match="may hold"):
        Skeleton(replace(PLAIN.compiled, subject=line), PLAIN.layout)


def _is_inside(problem: Problem, text: str) -> bool:
    """Of the text as an editor shows it; the place after the last letter is one too."""
    lines = re.split(r"\r\n|\r|\n", text)
    return 1 <= problem.line <= len(lines) and 1 <= problem.column <= len(lines[problem.line - 1]) + 1


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, object]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.found.append((tag, "end"))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))


EVERY_FIELD = made_of(
    "A breach",
    "Dear ((first name|Customer)) ((last name|-)) ((full name|-)),\n\n- **((reference|-))**\n\n# ((first name|You))\n\n"
    "((identity document??Dear ((last name|-)), your passport.))\n\nIt was ((data list)).",
)
OTHERS = render_message(EVERY_FIELD, OTHER, DATE)


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("first name", "last name", "full name", "reference"), TYPED)), ADDRESS)
def test_what_stands_in_a_row_is_refused_or_changes_its_own_words_alone(row: dict[str, str], address: str) -> None:
    kinds = ("name", "identity_document")
    usual = render_message(EVERY_FIELD, Recipient(DELIVERY, "ana@example.com", kinds, HARMLESS), DATE)
    for values, sent_to in ((row, "ana@example.com"), (HARMLESS, address)):
        try:
            message = render_message(EVERY_FIELD, Recipient(DELIVERY, sent_to, kinds, {**values, CODE: SAMPLE}), DATE)
        except ValueRefused:
            continue
        assert shape_of(message) == shape_of(usual)
        assert _constant_head(message) == _constant_head(usual)
        assert Tags(_html_of(message)).found == Tags(_html_of(usual)).found
    assert render_message(EVERY_FIELD, OTHER, DATE) == OTHERS


def _constant_head(message: bytes) -> list[bytes]:
    head = message.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [line for line in head if not line.startswith((b"To: ", b"Message-ID: ", b"Date: "))]


def _html_of(message: bytes) -> str:
    part = message_from_bytes(message, policy=default).get_body(("html",))
    assert part
    return str(part.get_content())


def _text_of(message: bytes) -> str:
    part = message_from_bytes(message, policy=default).get_body(("plain",))
    assert part
    return str(part.get_content())


NESTED: st.SearchStrategy[Any] = st.recursive(
    st.just([]), lambda inner: st.lists(st.tuples(st.sampled_from(sorted(KINDS)), inner), max_size=3), max_leaves=8
)


@settings(max_examples=25, deadline=None)
@given(NESTED, st.sampled_from([" ", "\n\n"]))
def test_conditions_hold_however_they_stand_in_one_another(tree: list[tuple[str, Any]], between: str) -> None:
    """Each condition has a word of its own: it reaches exactly those who have its kind and those of all around it."""
    words: dict[str, frozenset[str]] = {}
    body = f"Hello.{between}{_written(tree, frozenset(), words, between)}{between}Goodbye."
    made = made_of("A breach", body)
    for held in (
        frozenset(one for one, has in zip(KINDS, bits, strict=True) if has) for bits in product([0, 1], repeat=3)
    ):
        message = render_message(made, Recipient(DELIVERY, "ana@example.com", tuple(sorted(held)), HARMLESS), DATE)
        for part in (_html_of(message), _text_of(message)):
            assert {word for word in words if f"{word}." in part} == {w for w, kinds in words.items() if kinds <= held}


def _written(
    tree: list[tuple[str, Any]], around: frozenset[str], words: dict[str, frozenset[str]], between: str
) -> str:
    written = []
    for kind, inner in tree:
        words[word := f"Word{len(words)}x"] = around | {kind}
        written.append(f"(({kind.replace('_', ' ')}??{word}.{between}{_written(inner, words[word], words, between)}))")
    return between.join(written)


def test_of_every_starter_in_every_language_a_condition_reaches_those_it_concerns_alone() -> None:
    """The sentences are taken from the source itself; a passport, besides, is named to nobody who had none."""
    for starter, language in product(STARTERS, LANGUAGES):
        subject, body = draft(language, starter)
        said = re.findall(r"\(\(([a-z ]+)\?\?([^()]+)\)\)", body)
        vocabulary = Vocabulary(CONSTANTS, {k: one.phrase_in(language) for k, one in ALL_KINDS.items()}, (), language)
        made = Skeleton(compile_message(subject, body, vocabulary), skeleton(language=language).layout)
        asked = sorted({"identity_document", *(kind.replace(" ", "_") for kind, _ in said)})
        for bits in product([0, 1], repeat=len(asked)):
            held = {"name", *(kind for kind, has in zip(asked, bits, strict=True) if has)}
            message = render_message(made, Recipient(DELIVERY, "ana@example.com", tuple(sorted(held)), HARMLESS), DATE)
            for part in (
                str(message_from_bytes(message, policy=default)["Subject"]),
                _html_of(message),
                _text_of(message),
            ):
                there = " ".join(part.split())
                assert not any(words in there for kind, words in said if kind.replace(" ", "_") not in held)
                assert "identity_document" in held or not PASSPORT.search(there), (starter, language)
            assert all(
                words in " ".join(_text_of(message).split()) for kind, words in said if kind.replace(" ", "_") in held
            )


PASSPORT = re.compile(
    r"passport|passeport|reisep(?:ass|äss)|ausweis|identity doc|identity card|pièce d.identité", re.IGNORECASE
)
