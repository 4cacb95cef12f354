"""The wording language: what it knows, what it refuses and where, and what no input can do."""

import html.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.placeholders import Piece, Slot, ValueRefused, check_value, flatten
from notifications.wording import Vocabulary, WordingError, compile_message, missing_fields, parse, parse_subject

WORDS = Vocabulary(
    constants={"organisation": "Halden & *Rowe*", "hotline": ""},
    kinds={"name": "your name", "email": "your email address", "identity_document": "a copy of your passport"},
    domains=("halden-rowe.example",),
)


def joined(pieces: tuple[Piece, ...], *kinds: str) -> str:
    return "".join(p if isinstance(p, str) else f"<{p.name}>" for p in flatten(pieces, kinds))


def text_of(source: str, *kinds: str) -> str:
    wording = parse(source, WORDS)
    assert wording.problems == ()
    return joined(wording.text, *kinds)


def html_of(source: str, *kinds: str) -> str:
    wording = parse(source, WORDS)
    assert wording.problems == ()
    return re.sub(r' style="[^"]*"', "", joined(wording.html, *kinds))


def problems_of(source: str) -> list[tuple[int, int, str]]:
    return [(p.line, p.column, p.sentence) for p in parse(source, WORDS).problems]


@pytest.mark.parametrize(
    ("source", "page", "text"),
    [
        ("Dear ((first name))", "<p>Dear <first name></p>\n", "Dear <first name>\n\n"),
        ("Dear ((First_Name|Customer))", "<p>Dear <first name></p>\n", "Dear <first name>\n\n"),
        ("# One\n\n## Two", "<h1>One</h1>\n<h2>Two</h2>\n", "ONE\n\nTWO\n\n"),
        ("- a\n- **b**\n", "<ul><li>a</li>\n<li><b>b</b></li>\n</ul>\n", "- a\n- b\n\n"),
        ("1. a\n2. b\n", "<ol><li>a</li>\n<li>b</li>\n</ol>\n", "1. a\n2. b\n\n"),
        ("5 < 6 & 7", "<p>5 &lt; 6 &amp; 7</p>\n", "5 < 6 & 7\n\n"),
        ("((organisation))", "<p>Halden &amp; *Rowe*</p>\n", "Halden & *Rowe*\n\n"),
        (r"2 \* 3", "<p>2 * 3</p>\n", "2 * 3\n\n"),
        (
            "[Read](https://halden-rowe.example/data)",
            '<p><a href="https://halden-rowe.example/data">Read</a> (halden-rowe.example/data)</p>\n',
            "Read (https://halden-rowe.example/data)\n\n",
        ),
        (
            "[halden-rowe.example](https://halden-rowe.example)",
            '<p><a href="https://halden-rowe.example">halden-rowe.example</a></p>\n',
            "halden-rowe.example\n\n",
        ),
    ],
)
def test_what_it_knows(source: str, page: str, text: str) -> None:
    assert html_of(source) == page
    assert text_of(source) == text


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("a\n\nb ((nme))", 3, 3, "((nme)) is not a field"),
        ("a ((first name", 1, 3, "no name and no ))"),
        ("a )) b", 1, 3, "no (( before it"),
        ("((hotline))", 1, 1, "has no value yet"),
        ("((shoe size??x))", 1, 1, "not a kind of data"),
        ("((name??x", 1, 1, "no )) at its end"),
        ("((first name|a\nb))", 1, 1, "plain words on one line"),
        ("a\n\n> b", 3, 1, "> is not part"),
        ("a *b* c", 1, 3, "Only **bold**"),
        ("a `b` c", 1, 3, "` is not part"),
        ("<b>a</b>", 1, 1, "< is not part"),
        ("![a](https://halden-rowe.example/a.png)", 1, 1, "is not part"),
        ("a\n\n---", 3, 1, "--- is not part"),
        ("a &nbsp; b", 1, 3, "&nbsp; is not part"),
        ("[a](https://evil.example)", 1, 5, "evil.example is not on the list"),
        ("[a](http://halden-rowe.example)", 1, 5, "not a plain https"),
        ("[a](javascript:alert)", 1, 5, "not a plain https"),
        ("[a](https://halden-rowe.example@evil.example)", 1, 5, "not a plain https"),
        ("[a](https://halden-rowe.example/((first name)))", 1, 5, "may not hold a field"),
        ("see www.evil.example now", 1, 5, "evil.example is not on the list"),
        ("see https://evilhalden-rowe.example", 1, 5, "is not on the list"),
        ("**a ((name??b** c))", 1, 1, "begin and end in the same"),
        ("a ((name??b\n\nc)) d", 1, 1, "begin and end in the same"),
        ("a\u202eb", 1, 2, "invisible"),
        ("a\x07b", 1, 2, "invisible"),
        ("\ue000", 1, 1, "invisible"),
        ("", 1, 1, "empty"),
    ],
)
def test_what_it_refuses_and_where(source: str, line: int, column: int, said: str) -> None:
    found = problems_of(source)
    assert found
    assert found[0][:2] == (line, column)
    assert said in found[0][2]


def test_a_condition_is_there_only_for_those_it_concerns() -> None:
    source = "Take care. ((identity document??Ask for a new passport.)) Bye."
    assert "passport" in text_of(source, "name", "identity_document")
    assert "passport" in html_of(source, "identity_document")
    assert "passport" not in text_of(source, "name") + html_of(source, "name")


def test_a_condition_may_hold_whole_paragraphs() -> None:
    source = "Before\n\n((identity document??## Your passport\n\nAsk **((first name))** for a new one.))\n\nAfter"
    assert html_of(source) == "<p>Before</p>\n<p>After</p>\n"
    assert "<h2>Your passport</h2>\n<p>Ask <b><first name></b> for a new one.</p>" in html_of(
        source, "identity_document"
    )


def test_a_condition_in_a_list_leaves_no_empty_item() -> None:
    source = "- one\n- ((identity document??two))\n- three"
    assert html_of(source) == "<ul><li>one</li>\n<li>three</li>\n</ul>\n"
    assert text_of(source, "identity_document") == "- one\n- two\n- three\n\n"


def test_lines_of_problems_are_those_the_author_sees_after_a_long_condition() -> None:
    assert problems_of("a\n\n((name??b\n\nc))\n\n((nope))")[0][:2] == (7, 1)


def test_long_lines_of_text_are_broken() -> None:
    lines = text_of("word " * 60 + "((first name)) " * 20).split("\n")
    assert max(map(len, lines)) <= 90


def test_the_subject_is_the_same_for_everybody() -> None:
    assert parse_subject("About your data, from ((organisation))", WORDS)[0] == "About your data, from Halden & *Rowe*"
    for bad in ("Dear ((first name))", "", "a\nBcc: b@example.com", "x" * 121):
        assert parse_subject(bad, WORDS)[1]


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(WordingError) as refused:
        compile_message("((first name))", "((nope))\n\n`x`", WORDS)
    assert len(refused.value.problems) == 3


def test_missing_values_are_known_before_anything_is_sent() -> None:
    compiled = compile_message("s", "((first name)) ((last name|x)) ((data list)) ((email??((reference))))", WORDS)
    assert missing_fields(compiled, {"first name": " "}, ["name"]) == {"first name"}
    assert missing_fields(compiled, {"first name": "Ana"}, ["name", "email"]) == {"reference"}
    assert missing_fields(compiled, {"first name": "Ana"}, []) == {"data list"}


def test_kinds_become_one_phrase() -> None:
    compiled = compile_message("s", "((data list))", WORDS)
    assert compiled.data_list(["name", "email", "identity_document"]) == (
        "your name, your email address and a copy of your passport"
    )
    assert compiled.data_list(["name"]) == "your name"
    assert compiled.data_list(["never heard of"]) == ""


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r", "\x00", "a\u202eb", "a\u2028b", "\ue000", "http://evil.example", "www.evil.example", "a@b"]
)
def test_values_that_could_change_a_message_are_refused(value: str) -> None:
    with pytest.raises(ValueRefused):
        check_value("first name", value)


class _Balance(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in {"p", "b", "a", "ul", "ol", "li", "h1", "h2", "h3", "br"}
        assert {name for name, _ in attributes} <= {"style", "href", "start"}
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


PARTS = [
    *(
        "((",
        "))",
        "??",
        "|",
        "**",
        "*",
        "[",
        "](",
        ")",
        "- ",
        "1. ",
        "# ",
        "\n",
        "\n\n",
        "<b>",
        "&",
        "`",
        "\\",
        " ",
        "_",
        ">",
    ),
    *(
        "covers what happened",
        "name",
        "first name",
        "identity document",
        "https://halden-rowe.example/x",
        "javascript:",
        "x",
        "é",
        "!",
    ),
]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("We lost it. ((covers what happened))", "We lost it."),
        ("**We lost it.** ((covers what happened)) Sorry.", "**We lost it.** Sorry."),
        ("- Call us. ((covers what you can do, whom to ask))\n- Wait.", "- Call us.\n- Wait."),
        ("((name??One ((covers what happened))\n\nTwo. ((covers what we do))))", "((name??One\n\nTwo.))"),
        ("A line  ((covers what happened))\nand more", "A line\nand more"),
    ],
)
def test_what_is_marked_for_the_law_never_reaches_the_message(marked: str, plain: str) -> None:
    assert parse(marked, WORDS) == parse(plain, WORDS)
    assert parse(plain, WORDS).problems == ()


@pytest.mark.parametrize(
    ("source", "line", "column", "said"),
    [
        ("a\n\nb ((covers whatever))", 3, 3, "“whatever” is no content of a law"),
        ("a\n\n((covers what happened))", 3, 1, "stands after the words it speaks of"),
        ("((covers what happened)) a", 1, 1, "stands after the words it speaks of"),
    ],
)
def test_a_mark_is_refused_where_it_speaks_of_nothing(source: str, line: int, column: int, said: str) -> None:
    found = problems_of(source)
    assert found[0][:2] == (line, column)
    assert said in found[0][2]


@given(st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=3)), max_size=40).map("".join))
def test_no_source_makes_anything_but_well_formed_html_of_known_elements(source: str) -> None:
    wording = parse(source, WORDS)
    if wording.problems:
        lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert all(1 <= p.line <= max(1, len(lines)) + 1 for p in wording.problems)
        return
    for kinds in ([], ["name"], ["name", "identity_document"]):
        balance = _Balance()
        balance.feed("".join(p if isinstance(p, str) else "v" for p in flatten(wording.html, kinds)))
        balance.close()
        assert balance.open == []
        in_html = [p for p in flatten(wording.html, kinds) if isinstance(p, Slot)]
        in_text = [p for p in flatten(wording.text, kinds) if isinstance(p, Slot)]
        assert in_html == in_text, "both parts say the same"
