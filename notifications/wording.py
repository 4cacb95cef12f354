"""The wording language of notices: a small part of Markdown, with the ((fields)) of `placeholders`.

    # ## ###  - item  1. item  **bold**  [words](https://allowed.example/page)

Nothing else exists: no HTML, no code, no images. `parse` refuses what it does not know, with line and column.
`compile_message` turns a text into pieces once; rendering one person is joining strings. HTML and text come from the
same tokens, so their content is equal. Link addresses are always shown beside their words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from notifications.placeholders import (
    ENCODED_WORD,
    LIST_FIELD,
    PERSON_FIELDS,
    Constant,
    Piece,
    Problem,
    Slot,
    conditions_in,
    flatten,
    mark_source,
    slots_in,
)
from notifications.writers import HtmlWriter, LinkChecker, TextWriter, wrap

MAX_SUBJECT = 120
_JOINING_WORDS = {"en": "and", "fr": "et", "de": "und", "es": "y", "it": "e", "nl": "en", "pt": "e", "pl": "i"}


class WordingError(ValueError):
    """A text that cannot be sent. `problems` says why, by line and column."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"Line {p.line}, column {p.column}: {p.sentence}" for p in problems))


@dataclass(frozen=True)
class Vocabulary:
    """What a text may use: constants by name, kinds of data with their words, domains it may link to, its language."""

    constants: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    domains: Sequence[str] = ()
    language: str = "en"


@dataclass(frozen=True)
class Wording:
    """A parsed text: its problems, or the pieces of its HTML and its plain text."""

    problems: tuple[Problem, ...]
    html: tuple[Piece, ...] = ()
    text: tuple[Piece, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def slots(self) -> frozenset[Slot]:
        return frozenset(slots_in(self.text))

    @property
    def conditions(self) -> frozenset[str]:
        return frozenset(conditions_in(self.text))


@dataclass(frozen=True)
class Compiled:
    """One notice in one language, ready to be joined for one person."""

    subject: str
    body: Wording
    vocabulary: Vocabulary

    def data_list(self, kinds: Iterable[str]) -> str:
        """The kinds as one phrase: "your name, your address and your telephone number"."""
        words = [self.vocabulary.kinds[kind] for kind in kinds if kind in self.vocabulary.kinds]
        if len(words) < 2:
            return "".join(words)
        return f"{', '.join(words[:-1])} {_JOINING_WORDS.get(self.vocabulary.language[:2], '&')} {words[-1]}"


def parse(source: str, vocabulary: Vocabulary) -> Wording:
    """The body of a notice as pieces, or every problem in it, in order of position."""
    marked = mark_source(source, fields=PERSON_FIELDS, constants=vocabulary.constants, kinds=vocabulary.kinds)
    tree = SyntaxTreeNode(_MARKDOWN.parse(marked.text))
    checker = LinkChecker(marked, vocabulary.domains)
    if not source.strip():
        marked.problems.append(Problem(1, 1, "The message is empty."))
    as_html = HtmlWriter(marked, checker).blocks(tree.children)
    as_text = TextWriter(marked, checker).blocks(tree.children)
    if marked.problems:
        found_once = dict.fromkeys(marked.problems)  # in the order they were found, the same in every run
        return Wording(tuple(sorted(found_once, key=lambda p: (p.line, p.column))))
    return Wording((), tuple(as_html), tuple(wrap(as_text)), tuple(dict.fromkeys(checker.links)))


def parse_subject(source: str, vocabulary: Vocabulary) -> tuple[str, tuple[Problem, ...]]:
    """The subject line, the same for everybody: constants are put in, a person's fields are refused."""
    marked = mark_source(source.strip(), fields={}, constants=vocabulary.constants, kinds=())
    problems = list(marked.problems)
    words = [m.words if isinstance(m := marked.mark_at(c), Constant) else c for c in marked.text]
    subject = "".join(words)
    if not problems and (not subject or "\n" in subject or len(subject) > MAX_SUBJECT):
        problems.append(Problem(1, 1, f"The subject must be one line of at most {MAX_SUBJECT} characters."))
    if not problems and ENCODED_WORD in subject:
        column = source.strip().find(ENCODED_WORD) + 1 or 1
        problems.append(Problem(1, column, f"{ENCODED_WORD} is mail’s own way to write letters. Write the letters."))
    return subject, tuple(problems)


def text_digest(subject: str, body: str) -> bytes:
    """SHA-256 of a text (32 bytes), as the database's guard of overrides computes it. A subject is one line."""
    return sha256(f"{subject}\n{body}".encode()).digest()


def compile_message(subject: str, body: str, vocabulary: Vocabulary) -> Compiled:
    """Parse both once; raises WordingError with every problem."""
    line, problems = parse_subject(subject, vocabulary)
    wording = parse(body, vocabulary)
    if problems or wording.problems:
        raise WordingError((*problems, *wording.problems))
    return Compiled(line, wording, vocabulary)


def missing_fields(compiled: Compiled, values: Mapping[str, str], kinds: Iterable[str]) -> set[str]:
    """Names of the fields this person would need and does not have, conditions taken into account."""
    wanted = {piece for piece in flatten(compiled.body.text, kinds) if isinstance(piece, Slot)}
    have = {name for name, value in values.items() if value.strip()}
    if compiled.data_list(kinds):
        have.add(LIST_FIELD)
    return {slot.name for slot in wanted if slot.default is None and slot.name not in have}


def _markdown() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False}).enable(["heading", "list", "emphasis", "link", "newline", "escape"])
    # Addresses are checked by ours, which can say what is wrong; theirs would silently leave the brackets standing.
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


_MARKDOWN = _markdown()
