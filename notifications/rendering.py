"""From a compiled notice and its layout to the bytes of one person's message.

Everything that is the same for all is built and encoded once (RFC 5322 headers, MIME parts in quoted-printable or
base64, RFC 2045); a message is those bytes with the person's values between them. A value never enters a header: the
only headers that differ are To, Message-ID and Date. Boundaries begin with `=_`, which neither encoding can produce.
"""

import base64
import binascii
import functools
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import mrml
from django.conf import settings

from breachdesk.audit.canonical import canonical
from notifications.placeholders import (
    ENCODED_WORD,
    LIST_FIELD,
    Choice,
    Piece,
    Slot,
    ValueRefused,
    check_value,
    flatten,
    value_of,
)
from notifications.verp import return_path_of
from notifications.wording import Compiled
from notifications.writers import wrap

MAX_BYTES = 30_000
CODE = "verification code"
_KINDS_CACHED = 4096
_RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
# Such a value can neither be refused, nor is there anything in it to escape or encode: most are like that.
PLAIN = re.compile(r"[A-Za-z0-9]{1,30}(?:[ -][A-Za-z0-9]{1,30})?")
_FIRST_DOT = re.compile(rb"(?m)^\.(?=[^\r\n])")
_REMOTE = re.compile(r"https?://(?!www\.w3\.org/)|url\(|@import|<img|<link|<script|\bsrc=|\bhref=")
_FOOTERS = {
    "en": "{organisation} sends you this message because the law says that you must be told. It is not advertising, so "
    "people who have unsubscribed get it too. It has no images and does not tell us whether you opened it.",
    "fr": "{organisation} vous envoie ce message parce que la loi exige que vous soyez informé. Ce n’est pas de la "
    "publicité : les personnes désabonnées le reçoivent aussi. Il ne contient pas d’image et ne nous dit pas si vous "
    "l’avez ouvert.",
    "de": "{organisation} schickt Ihnen diese Nachricht, weil das Gesetz es verlangt. Sie ist keine Werbung; auch wer "
    "sich abgemeldet hat, bekommt sie. Sie enthält keine Bilder und meldet uns nicht, ob Sie sie geöffnet haben.",
}


_CHECKS = {
    "en": "Is this message really from us? Do not rely on the message: type {address} into your browser yourself and "
    "give this code:",
    "fr": "Ce message vient-il vraiment de nous ? Ne vous fiez pas au message : tapez vous-même {address} dans votre "
    "navigateur et donnez ce code :",
    "de": "Ist diese Nachricht wirklich von uns? Verlassen Sie sich nicht auf sie: Geben Sie {address} selbst in Ihren "
    "Browser ein und dort diesen Code:",
}


@dataclass(frozen=True)
class Layout:
    """Who the message is from, and what stands around its wording."""

    organisation: str
    postal_address: str
    sender_name: str
    sender_email: str
    reply_to: str
    feedback_id: str
    language: str
    genuine_at: str

    @functools.cached_property
    def domain(self) -> str:
        return self.sender_email.rpartition("@")[2].lower()

    @property
    def footer(self) -> str:
        words = _FOOTERS.get(self.language[:2], _FOOTERS["en"]).format(organisation=self.organisation)
        return " ".join([words, *self.postal_address.split()])

    @property
    def check(self) -> str:
        """What stands before the code, by which anybody can ask whether we sent this message."""
        return _CHECKS.get(self.language[:2], _CHECKS["en"]).format(address=self.genuine_at)


class Recipient(NamedTuple):
    """One person as a message needs them: opened from the vault, kept only while the batch is in hand."""

    delivery: UUID
    address: str
    kinds: tuple[str, ...]
    values: Mapping[str, str]


class Part(Protocol):
    def fill(self, values: Mapping[str, str]) -> bytes: ...


class Skeleton:
    """One edition's message, ready to be filled. Approval binds `digest`; preview and mass send use the same object."""

    def __init__(self, compiled: Compiled, layout: Layout) -> None:
        self.compiled, self.layout = compiled, layout
        before, check, after = _html_shell(compiled.subject, layout)
        self.html_pieces: tuple[Piece, ...] = (before, *compiled.body.html, check, Slot(CODE), after)
        self.text_pieces: tuple[Piece, ...] = tuple(_text_shell(compiled.body.text, layout))
        headers = _constant_headers(compiled.subject, layout)
        self.boundary = b"=_bd_" + sha256(headers + before.encode()).hexdigest()[:24].encode()
        self.head = (
            headers + b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="%b"\r\n' % self.boundary
        )
        self._parts = functools.lru_cache(_KINDS_CACHED)(self._parts_for)

    @functools.cached_property
    def digest(self) -> bytes:
        """SHA-256 over everything in the message that is the same for all: wording, layout, sender, headers, links."""
        return sha256(canonical(self.as_data())).digest()

    def as_data(self) -> dict[str, Any]:
        return {
            "format": "breachdesk-message-v1",
            "head": base64.b64encode(self.head).decode(),
            "html": _as_data(self.html_pieces),
            "text": _as_data(self.text_pieces),
            "kinds": dict(self.compiled.vocabulary.kinds),
            "message_id_domain": self.layout.domain,
        }

    def as_html(self, values: Mapping[str, str], kinds: Iterable[str]) -> str:
        """The HTML part as this person would see it, for previews."""
        return "".join(self._joined(self.html_pieces, values, kinds, html.escape))

    def as_text(self, values: Mapping[str, str], kinds: Iterable[str]) -> str:
        return "".join(self._joined(self.text_pieces, values, kinds, str))

    def parts(self, kinds: tuple[str, ...]) -> tuple[Part, Part]:
        """Text and HTML for people with these kinds of data, encoded once and kept."""
        return self._parts(kinds)

    def _parts_for(self, kinds: tuple[str, ...]) -> tuple[Part, Part]:
        text, page = self._resolved(self.text_pieces, kinds, str), self._resolved(self.html_pieces, kinds, html.escape)
        kind = _encoding_of([*text, *page])
        header = b"\r\n--%b\r\nContent-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n"
        opening = self.head + header % (self.boundary, b"plain", kind.name)
        middle = header % (self.boundary, b"html", kind.name)
        end = b"\r\n--%b--\r\n" % self.boundary
        return kind(text, str, opening, middle), kind(page, html.escape, b"", end)

    def _resolved(self, pieces: Sequence[Piece], kinds: Iterable[str], escape: Any) -> list[str | Slot]:
        """The pieces for these kinds; the list of kinds is the same for all who have them, so it becomes words."""
        words = check_value(LIST_FIELD, self.compiled.data_list(kinds))
        resolved: list[str | Slot] = []
        for piece in flatten(pieces, kinds):
            if isinstance(piece, Slot) and piece.name == LIST_FIELD and words:
                piece = escape(words)
            if isinstance(piece, str) and resolved and isinstance(resolved[-1], str):
                resolved[-1] += piece
            else:
                resolved.append(piece)
        return resolved

    def _joined(
        self, pieces: Sequence[Piece], values: Mapping[str, str], kinds: Iterable[str], escape: Any
    ) -> Iterable[str]:
        for piece in self._resolved(pieces, tuple(kinds), escape):
            yield piece if isinstance(piece, str) else escape(value_of(piece, values))


def render_message(skeleton: Skeleton, recipient: Recipient, date: bytes) -> bytes:
    """One person's message with CRLF line ends, or ValueRefused with what is wrong in the person's row."""
    text, page = skeleton.parts(recipient.kinds)
    message = b"Date: %b\r\nTo: %b\r\nMessage-ID: <%b@%b>\r\n%b%b" % (
        date,
        checked_address(recipient.address),
        str(recipient.delivery).encode(),
        skeleton.layout.domain.encode(),
        text.fill(recipient.values),
        page.fill(recipient.values),
    )
    if len(message) > MAX_BYTES:
        raise ValueRefused(f"The message has {len(message):,} bytes; at most {MAX_BYTES:,} are sent. Shorten the text.")
    return message


def return_path(skeleton: Skeleton, delivery: UUID, generation: int = 0) -> bytes:
    """Where whatever comes back of this sending is addressed to."""
    return return_path_of(delivery, generation, skeleton.layout.domain)


def checked_address(address: str) -> bytes:
    """The address as it may stand in a header and after RCPT TO; anything that could leave its place is refused."""
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise ValueRefused("This person's email address cannot be used in a message. Correct it in the people's list.")
    return address.encode("ascii")


class QuotedPart:
    """Quoted-printable (RFC 2045 section 6.7). A soft line break stands on both sides of each value, so that constant
    pieces are encoded once and a value's length never makes a line too long. No constant line begins with a dot (RFC
    2049 section 3 advises it): the wire would have to copy every message to double it."""

    name = b"quoted-printable"

    def __init__(self, pieces: Sequence[str | Slot], escape: Any, before: bytes, after: bytes) -> None:
        self.escape = escape
        self.constant: list[bytes] = [before]
        self.slots: list[tuple[int, Slot]] = []
        for position, piece in enumerate(pieces):
            if isinstance(piece, Slot):
                self.slots.append((len(self.constant), piece))
                self.constant.append(b"")
            else:
                follows = position + 1 < len(pieces)
                encoded = _open_ended(piece) if follows else quoted(piece)
                self.constant.append((b"=\r\n" if position else b"") + _without_first_dots(encoded))
        self.constant.append(after)

    def fill(self, values: Mapping[str, str]) -> bytes:
        parts = self.constant.copy()
        for position, slot in self.slots:
            value = values.get(slot.name, "")
            is_plain = PLAIN.fullmatch(value)
            parts[position] = value.encode() if is_plain else quoted(self.escape(value_of(slot, values)))
        return b"".join(parts)


class Base64Part:
    """For scripts in which quoted-printable would take two thirds more."""

    name = b"base64"

    def __init__(self, pieces: Sequence[str | Slot], escape: Any, before: bytes, after: bytes) -> None:
        self.pieces, self.escape, self.before, self.after = pieces, escape, before, after

    def fill(self, values: Mapping[str, str]) -> bytes:
        words = [p if isinstance(p, str) else self.escape(value_of(p, values)) for p in self.pieces]
        encoded = base64.encodebytes("".join(words).replace("\n", "\r\n").encode())
        return self.before + encoded.replace(b"\n", b"\r\n") + self.after


def quoted(text: str) -> bytes:
    """Quoted-printable with CRLF; short plain values, which are most, need no encoding."""
    if len(text) < 70 and text.isascii() and "=" not in text and "\n" not in text and not text.endswith(" "):
        return text.encode()
    return binascii.b2a_qp(text.encode(), istext=True).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _without_first_dots(encoded: bytes) -> bytes:
    """Such a dot is encoded, and what follows it stands on the next line, so that no line grows longer."""
    while (found := _FIRST_DOT.sub(rb"=2E=\r\n", encoded)) != encoded:
        encoded = found
    return re.sub(rb"(?m)^\.", b"=2E", encoded)


def _open_ended(text: str) -> bytes:
    """Ends in a soft line break, within the 76 columns: room for it is made by a character that is taken out again."""
    return binascii.b2a_qp((text + "=").encode(), istext=True).replace(b"\n", b"\r\n").removesuffix(b"=3D") + b"=\r\n"


def _encoding_of(pieces: Iterable[str | Slot]) -> type[QuotedPart] | type[Base64Part]:
    constant = "".join(piece for piece in pieces if isinstance(piece, str))
    return QuotedPart if len(quoted(constant)) < 1.4 * len(constant.encode()) else Base64Part


def _html_shell(subject: str, layout: Layout) -> tuple[str, str, str]:
    """What stands before the body, between it and the code, and after that: the compiled layout, its fields filled and
    escaped in one pass."""
    right_to_left = layout.language[:2] in _RIGHT_TO_LEFT
    values = {
        "organisation": layout.organisation,
        "subject": subject,
        "check": layout.check,
        "footer": layout.footer,
        "language": layout.language,
        "direction": "rtl" if right_to_left else "ltr",
        "start": "right" if right_to_left else "left",
    }
    before, rest = compiled_layout().split("((body))")
    between, after = rest.split("((code))")
    fill = functools.partial(re.sub, r"\(\(([a-z]+)\)\)", lambda found: html.escape(values[found[1]]))
    return fill(before), fill(between), fill(after)


@functools.cache
def compiled_layout() -> str:
    """MJML to HTML once per process; comments the mail does not need go, and anything remote is an error."""
    source = (settings.BASE_DIR / "templates" / "notifications" / "email.mjml").read_text("utf-8")
    page = mrml.to_html(source).content
    page = re.sub(r"<!--(?!\[if|<!\[endif|>)(?:(?!-->).)*-->", "", page, flags=re.DOTALL)
    page = re.sub(r"\n\s*", "\n", page).strip() + "\n"
    if found := _REMOTE.search(page):
        raise ValueError(f"templates/notifications/email.mjml refers to something remote: {found[0]}")
    return page


def _text_shell(body: Sequence[Piece], layout: Layout) -> Iterable[Piece]:
    yield f"{layout.organisation}\n\n"
    yield from body
    yield from wrap(["\n", layout.check, "\n\n    ", Slot(CODE), "\n"])
    yield from wrap(["\n-- \n", layout.footer, "\n"])


def _constant_headers(subject: str, layout: Layout) -> bytes:
    """The headers that are the same for everybody, made by the standard library, which refuses line breaks. It reads
    encoded words, though, and writes what they hold: those are refused here."""
    if any(ENCODED_WORD in words for words in (subject, layout.sender_name, layout.organisation)):
        raise ValueError(f"Neither the subject nor a name in a header may hold {ENCODED_WORD}.")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(layout.sender_name, addr_spec=layout.sender_email)
    message["Reply-To"] = Address(layout.organisation, addr_spec=layout.reply_to)
    message["Subject"] = subject
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["Feedback-ID"] = layout.feedback_id
    message["Content-Language"] = layout.language
    return message.as_bytes().removesuffix(b"\r\n")


def _as_data(pieces: Iterable[Piece]) -> list[Any]:
    def data_of(piece: Piece) -> Any:
        if isinstance(piece, Slot):
            return {"field": piece.name, "default": piece.default}
        if isinstance(piece, Choice):
            return {"kind": piece.kind, "pieces": _as_data(piece.pieces)}
        return piece

    return [data_of(piece) for piece in pieces]
