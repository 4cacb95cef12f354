"""From the tokens of the wording language to pieces: once as HTML, once as plain text, with equal content.

Conditions must open and close among the same siblings, so a piece left out can never leave a tag open or shut one
that is not its own: every list of pieces is well formed by construction.
"""

import html
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from markdown_it.tree import SyntaxTreeNode

from notifications.placeholders import Choice, Closing, Constant, Marked, Opening, Piece, Problem, Slot

TEXT_WIDTH = 72
_SLOT_WIDTH = 12
_STYLES = {
    "h1": "font-size:25px;line-height:1.25;margin:24px 0 20px",
    "h2": "font-size:18px;line-height:1.35;margin:26px 0 4px",
    "h3": "font-size:17px;line-height:1.35;margin:20px 0 4px",
    "p": "margin:0 0 12px",
    "ul": "margin:0 0 12px;padding:0 0 0 22px",
    "ol": "margin:0 0 12px;padding:0 0 0 22px",
    "li": "margin:0 0 6px",
}
_BLOCKS = {"paragraph", "heading", "bullet_list", "ordered_list", "list_item", "inline"}
_FOREIGN = re.compile(
    r"`|!\[|^[^\S\n]*>|<(?=[a-zA-Z/!?])|^[^\S\n]*(?:\*{3,}|-{3,}|_{3,})[^\S\n]*$|&(?:#|\w+;)|\*\*|__",
    re.MULTILINE,
)
_BARE_LINK = re.compile(r"(?:https?://|\bwww\.)[^\s)\]]+", re.IGNORECASE)


class LinkChecker:
    """Links lead to allowed domains by https, in full, and never carry anything of a person."""

    def __init__(self, marked: Marked, domains: Iterable[str]) -> None:
        self.marked = marked
        self.domains = {domain.strip().lower() for domain in domains if domain.strip()}
        self.links: list[str] = []

    def refusal_of(self, address: str) -> str | None:
        try:
            parts = urlsplit(f"https://{address}" if address.lower().startswith("www.") else address)
        except ValueError:  # a bracket of an address of numbers that has no other
            return f"{address} is not a plain https:// address."
        host = (parts.hostname or "").removeprefix("www.")
        if any(self.marked.mark_at(character) for character in address):
            return "A link may not hold a field. Write the same address for everybody."
        if parts.scheme != "https" or "@" in parts.netloc or not address.isascii() or re.search(r"[\s\"'<>]", address):
            return f"{address} is not a plain https:// address."
        if not any(host == domain or host.endswith("." + domain) for domain in self.domains):
            allowed = ", ".join(sorted(self.domains)) or "none yet"
            return f"{host} is not on the list of domains that a notice may link to ({allowed})."
        return None

    def check(self, address: str, node: SyntaxTreeNode) -> None:
        if sentence := self.refusal_of(address):
            complain(self.marked, node, sentence, address)
        self.links.append(address)


def complain(marked: Marked, node: SyntaxTreeNode, sentence: str, near: str = "") -> None:
    """Name the line of the block a node stands in, and the column where `near` first appears on it."""
    while node.map is None and node.parent is not None:
        node = node.parent
    first, last = node.map or (0, 1)
    lines = marked.text.split("\n")
    rows = range(first, max(last, first + 1))
    row = next((row for row in rows if near and near in lines[row]), first)
    column = lines[row].find(near) + 1 if near else 1
    marked.problems.append(Problem(marked.line_of(row), max(column, 1), sentence))


class Writer(ABC):
    """What both forms share: siblings, conditions, and the refusal of everything else."""

    def __init__(self, marked: Marked, checker: LinkChecker) -> None:
        self.marked, self.checker = marked, checker
        self.hoisted: set[int] = set()
        self.depth = 0

    @abstractmethod
    def element(self, node: SyntaxTreeNode, inner: list[Piece]) -> list[Piece]: ...

    @abstractmethod
    def words(self, text: str) -> str: ...

    def blocks(self, nodes: Sequence[SyntaxTreeNode]) -> list[Piece]:
        siblings = _Siblings(self.marked)
        for node in nodes:
            if node.type not in _BLOCKS:
                complain(self.marked, node, "This is not part of the wording language.")
            elif node.type == "heading" and node.tag not in _STYLES:
                complain(self.marked, node, "A heading has one, two or three #.", "####")
            elif (marks := self._only_marks(node)) is not None:
                for mark in marks:
                    siblings.add_mark(mark, node)
            else:
                siblings.add(self._hoisted_block(node))
        return siblings.close(nodes)

    def _only_marks(self, node: SyntaxTreeNode) -> list[Opening | Closing] | None:
        """The conditions that begin or end in a paragraph which holds nothing else."""
        if node.type != "paragraph" or not node.children[0].content.strip():
            return None
        marks = [self.marked.mark_at(c) for c in node.children[0].content.strip() if not c.isspace()]
        found = [mark for mark in marks if isinstance(mark, Opening | Closing)]
        return found if len(found) == len(marks) else None

    def _hoisted_block(self, node: SyntaxTreeNode) -> list[Piece]:
        """A block that is one condition from end to end goes inside it, so that no empty element is left behind."""
        inline = next((n for n in node.walk() if n.type == "inline"), None)
        whole = inline and node.type in ("paragraph", "heading", "list_item") and self._whole(inline.content)
        single = node.type != "list_item" or len(node.children) == 1
        if whole and single and whole.number not in self.hoisted:
            self.hoisted.add(whole.number)
            return [Choice(whole.kind, tuple(self._block(node)))]
        return self._block(node)

    def _whole(self, content: str) -> Opening | None:
        content = content.strip()
        first, last = self.marked.mark_at(content[:1] or " "), self.marked.mark_at(content[-1:] or " ")
        if isinstance(first, Opening) and isinstance(last, Closing) and first.number == last.number:
            return first
        return None

    def _block(self, node: SyntaxTreeNode) -> list[Piece]:
        self.depth += node.type in ("bullet_list", "ordered_list")
        inner = self.inline(node.children) if node.type == "inline" else self.blocks(node.children)
        self.depth -= node.type in ("bullet_list", "ordered_list")
        return self.element(node, inner)

    def inline(self, nodes: Sequence[SyntaxTreeNode]) -> list[Piece]:
        siblings = _Siblings(self.marked)
        for node in nodes:
            if node.type in ("text", "text_special"):
                self._text(node, siblings)
            elif node.type in ("strong", "link", "softbreak", "hardbreak", "inline"):
                if node.type == "link":
                    self._check_link(node)
                siblings.add(self.element(node, self.inline(node.children)))
            elif node.type == "em":
                complain(self.marked, node, "Only **bold** is known; write a * as \\*.", "*")
            else:
                complain(self.marked, node, "This is not part of the wording language.")
        return siblings.close(nodes)

    def _check_link(self, node: SyntaxTreeNode) -> None:
        before = node.previous_sibling
        if before is not None and before.type == "text" and before.content.endswith("!"):
            complain(self.marked, node, "![ is not part of the wording language: a notice has no images.", "![")
        self.checker.check(str(node.attrs["href"]), node)

    def _text(self, node: SyntaxTreeNode, siblings: "_Siblings") -> None:
        if node.type == "text" and (found := _FOREIGN.search(node.content)):
            complain(self.marked, node, f"{found[0].strip()} is not part of the wording language.", found[0].strip())
        for found in _BARE_LINK.finditer(node.content):
            self.checker.check(found[0].rstrip(".,;:!?"), node)
        for part in re.split("([\ue000-\uf8ff])", node.content):
            mark = self.marked.mark_at(part) if len(part) == 1 else None
            if isinstance(mark, Opening | Closing):
                if mark.number not in self.hoisted:
                    siblings.add_mark(mark, node)
            else:
                siblings.add([self._piece(part, mark)])

    def _piece(self, part: str, mark: Slot | Constant | None) -> Piece:
        if isinstance(mark, Slot):
            return Slot(mark.name, mark.default)
        return self.words(mark.words if mark else part)


class _Siblings:
    """Pieces of one level, with a stack of the conditions opened on that level."""

    def __init__(self, marked: Marked) -> None:
        self.marked = marked
        self.levels: list[list[Piece]] = [[]]
        self.open: list[Opening] = []

    def add(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            last = self.levels[-1][-1] if self.levels[-1] else None
            if isinstance(piece, str) and isinstance(last, str):
                self.levels[-1][-1] = last + piece
            elif piece != "":
                self.levels[-1].append(piece)

    def add_mark(self, mark: Opening | Closing, node: SyntaxTreeNode) -> None:
        if isinstance(mark, Opening):
            self.open.append(mark)
            self.levels.append([])
        elif self.open and self.open[-1].number == mark.number:
            inner = tuple(self.levels.pop())
            self.levels[-1].append(Choice(self.open.pop().kind, inner))
        else:
            complain(self.marked, node, _BROKEN_CONDITION)

    def close(self, nodes: Sequence[SyntaxTreeNode]) -> list[Piece]:
        if self.open and nodes:
            complain(self.marked, nodes[0], _BROKEN_CONDITION)
        return self.levels[0]


_BROKEN_CONDITION = (
    "A condition must begin and end in the same paragraph, bold part or list item, or hold whole paragraphs."
)


class HtmlWriter(Writer):
    """HTML with the style of every element inline; each value and word is escaped."""

    def words(self, text: str) -> str:
        return html.escape(text)

    def element(self, node: SyntaxTreeNode, inner: list[Piece]) -> list[Piece]:
        if node.type == "inline" or node.hidden:
            return inner
        if node.type == "softbreak":
            return ["\n"]
        if node.type == "hardbreak":
            return ["<br>\n"]
        if node.type == "strong":
            return ["<b>", *inner, "</b>"]
        if node.type == "link":
            address = html.escape(str(node.attrs["href"]))
            return [f'<a href="{address}">', *inner, "</a>", *self._shown(inner, address)]
        start = f' start="{node.attrs["start"]}"' if "start" in node.attrs else ""
        return [f'<{node.tag}{start} style="{_STYLES[node.tag]}">', *inner, f"</{node.tag}>\n"]

    def _shown(self, inner: list[Piece], address: str) -> list[Piece]:
        shown = address.removeprefix("https://")
        return [] if inner in ([address], [shown]) else [f" ({shown})"]


class TextWriter(Writer):
    """Plain text: headings in capitals, lists with dashes, links with their address."""

    def words(self, text: str) -> str:
        return text

    def element(self, node: SyntaxTreeNode, inner: list[Piece]) -> list[Piece]:
        match node.type:
            case "softbreak":
                return [" "]
            case "hardbreak":
                return ["\n"]
            case "link":
                address = str(node.attrs["href"])
                shown = inner in ([address], [address.removeprefix("https://")])
                return inner if shown else [*inner, f" ({address})"]
            case "heading":
                return [*(p.upper() if isinstance(p, str) else p for p in inner), "\n\n"]
            case "paragraph":
                return [*inner, "\n" if node.hidden else "\n\n"]
            case "list_item":
                return self._item(node, inner)
            case "bullet_list" | "ordered_list":
                return [*inner, "" if self.depth else "\n"]
            case _:
                return inner

    def _item(self, node: SyntaxTreeNode, inner: list[Piece]) -> list[Piece]:
        bullet = "- " if node.parent is None or node.parent.type == "bullet_list" else f"{node.info or 1}. "
        return ["  " * (self.depth - 1) + bullet, *inner]


def wrap(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Break lines at spaces near 72 columns; a value counts as 12, since it is not known yet."""
    yield from _wrapped(pieces, [0])


def _wrapped(pieces: Iterable[Piece], column: list[int]) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, Slot):
            column[0] += _SLOT_WIDTH
            yield piece
        elif isinstance(piece, Choice):
            yield Choice(piece.kind, tuple(_wrapped(piece.pieces, column)))
        else:
            yield _wrapped_words(piece, column)


def _wrapped_words(text: str, column: list[int]) -> str:
    written: list[str] = []
    for part in re.split(r"( (?! )|\n)", text):
        if part == "\n":
            column[0] = 0
        elif column[0] + len(part) > TEXT_WIDTH and written and written[-1] == " ":
            written[-1] = "\n"
            column[0] = len(part)
        else:
            column[0] += len(part)
        written.append(part)
    return "".join(written)
