#!/usr/bin/env python3
"""Checks an evidence bundle of BreachDesk. It needs this file, Python 3.9 or later, and nobody's word.

    python3 bd_verify.py BUNDLE.zip [--trust trust.json] [--note kept.note]... [--json]

BUNDLE may also be a folder with the unpacked files. --trust is a list of keys obtained elsewhere: from the
organisation's site, from a PDF, from a colleague who was given it earlier. --note is a checkpoint somebody kept.
It answers VALID (exit 0), INVALID with the rule and the entry (exit 1), or INCOMPLETE with what is missing (exit 2).
It uses no network, and no other program than `openssl ts`, for time stamps alone.

Nothing here comes from the product. The sources are
    RFC 6962 section 2.1    the Merkle tree, inclusion and consistency proofs
    RFC 8032 section 5.1    Ed25519
    RFC 8785                canonical JSON, narrowed: strings in form NFC, integers below 2**53, no other numbers
    RFC 3161                time stamps, judged by openssl
    C2SP signed-note and tlog-checkpoint

How it reads, from top to bottom: faults and verdicts; canonical JSON; shapes; the tree; Ed25519; notes; the file (rule
0); checkpoints (rules 1, 2); time stamps; the watchers of rules 5 to 9; the entries (rules 3, 4); the answer; the table
of event types. Every line of the log is looked at once, in order, so a log of any size needs little memory.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, NamedTuple
from unicodedata import normalize

FORMAT = 1
CHUNK = 1 << 20
RULES = (
    "the file itself",
    "checkpoints and their signatures",
    "older checkpoints",
    "entries of the log",
    "bodies of the events",
    "the case's own chain",
    "times",
    "openings of private values",
    "rows of deliveries",
    "approvals and digests",
)


# --- Faults and verdicts ------------------------------------------------------------------------------------------


class Fault(Exception):
    """Something is not as it must be. `absence`: nothing contradicts, but something that must be there is not."""

    def __init__(self, rule: int, sentence: str, n: int | None = None, absence: bool = False) -> None:
        super().__init__(sentence)
        self.rule, self.sentence, self.n, self.absence = rule, sentence, n, absence

    def order(self) -> tuple[int, float]:
        return self.rule, float("inf") if self.n is None else self.n


class Unreadable(Exception):
    """What was to be looked at cannot be looked at. That proves nothing, in either direction."""


class Report:
    """What was found so far. Of each rule only the first fault is kept."""

    def __init__(self) -> None:
        self.faults: dict[tuple[int, bool], Fault] = {}
        self.missing: list[str] = []
        self.notes: list[str] = []
        self.keys: list[str] = []
        self.authorities: list[str] = []
        self.stamps: list[str] = []
        self.withheld = 0
        self.size: int | None = None
        self.root: str | None = None
        self.entries: int | None = None
        self.older = self.rows = self.openings = self.kept = 0
        self.incident: str | None = None
        self.reference: str | None = None
        self.whole = self.own_trust = False

    def add(self, fault: Fault) -> None:
        known = self.faults.get((fault.rule, fault.absence))
        if known is None or fault.order() < known.order():
            self.faults[fault.rule, fault.absence] = fault

    def first_fault(self) -> Fault | None:
        """Where bodies of the case are withheld, what seems absent may stand in them: only contradictions count."""
        found = [fault for fault in self.faults.values() if not (fault.absence and self.withheld)]
        return min(found, key=Fault.order) if found else None

    @property
    def verdict(self) -> str:
        return "INVALID" if self.first_fault() else "INCOMPLETE" if self.missing else "VALID"


# --- Canonical JSON (RFC 8785, narrowed) --------------------------------------------------------------------------


class NotCanonical(ValueError):
    """The text is not JSON in the one form the log writes it in."""


def _refuse_number(text: str) -> Any:
    raise NotCanonical(f"holds the number {text[:40]}, which is not an integer")


def _careful_integer(text: str) -> int:
    if len(text) > 15 and (len(text) > 17 or abs(int(text)) >= 2**53):
        raise NotCanonical(f"holds the number {text[:40]}, which is not below 2 to the power of 53")
    return int(text)


def _refuse_double(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise NotCanonical(f"names the key {shown(key)} twice")
        found[key] = value
    return found


_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number, parse_int=_careful_integer)
_SLOW = json.JSONDecoder(
    parse_float=_refuse_number,
    parse_constant=_refuse_number,
    parse_int=_careful_integer,
    object_pairs_hook=_refuse_double,
)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)
_UNSORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def parse(text: str) -> Any:
    """The value of a canonical text. Writing it again must give the very same text; that also finds doubled keys."""
    try:
        value = _DECODER.decode(text)
        if (_ENCODER.encode(value) if text.isascii() or max(text) <= "\uffff" else encode(value)) != text:
            raise NotCanonical(_why_not_canonical(text))
        if not text.isascii() and normalize("NFC", text) != text and not _is_nfc(value):
            raise NotCanonical("holds text that is not in Unicode form NFC")
    except RecursionError:
        raise NotCanonical("is nested too deeply") from None
    except NotCanonical:
        raise
    except ValueError as error:
        raise NotCanonical(f"is not JSON: {str(error)[:120]}") from None
    return value


def encode(value: Any) -> str:
    """RFC 8785: keys by their UTF-16 code units, which differs from Python's order beyond U+FFFF alone."""
    return _UNSORTED.encode(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _sorted(value[key]) for key in keys}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _is_nfc(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_nfc(key) and _is_nfc(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_nfc, value))
    return not isinstance(value, str) or normalize("NFC", value) == value


def _why_not_canonical(text: str) -> str:
    _SLOW.decode(text)
    return "is JSON, but not in canonical form (order of keys, spaces, or how something is written)"


def text_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise NotCanonical("is not text in UTF-8") from None


def shown(value: Any) -> str:
    """A value as it may stand in a sentence: short, ASCII, on one line."""
    text = json.dumps(value) if isinstance(value, (str, int, bool, type(None))) else "a " + type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


# --- Shapes: which keys an object has, and what may stand there ---------------------------------------------------

Check = Callable[[Any], bool]
HASH = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"  # 32 bytes in base64url: the last character carries four bits
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
NUMBER = "0|[1-9][0-9]{0,15}"
_HASH, _UUID, _TIME, _NUMBER = (re.compile(form) for form in (HASH, UUID, TIME, NUMBER))
_ORIGIN = re.compile("[a-z0-9.-]+/[a-z0-9./-]+")
_LABEL = re.compile("[a-z][a-z0-9_.]{0,99}")
LARGEST = 2**53 - 1


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_hash(value: Any) -> bool:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def is_uuid(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def is_origin(value: Any) -> bool:
    return isinstance(value, str) and _ORIGIN.fullmatch(value) is not None


def is_label(value: Any) -> bool:
    return isinstance(value, str) and _LABEL.fullmatch(value) is not None


def is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def is_format(value: Any) -> bool:
    return type(value) is int and value == FORMAT


def is_bool(value: Any) -> bool:
    return type(value) is bool


def is_object(value: Any) -> bool:
    return type(value) is dict


def is_time(value: Any) -> bool:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:-1])
    except ValueError:
        return False
    return True


def is_base64(value: Any) -> bool:
    return isinstance(value, str) and from_base64(value) is not None


def one_of(*values: str) -> Check:
    return lambda value: isinstance(value, str) and value in values


def or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def list_of(check: Check) -> Check:
    return lambda value: type(value) is list and all(map(check, value))


def map_to(check: Check) -> Check:
    return lambda value: type(value) is dict and all(map(check, value.values()))


Shape = dict[str, Check]
KEY: Shape = {"algorithm": one_of("ed25519"), "name": is_text, "public": is_hash}
SHAPES: dict[str, Shape] = {
    "bundle.json": {
        "deliveries": is_count,
        "entries": is_count,
        "head": is_count,
        "incident": is_uuid,
        "made_at": is_time,
        "origin": is_origin,
        "private": is_bool,
        "reference": is_text,
        "size": is_count,
        "v": is_format,
        "whole": is_bool,
    },
    "manifest.json": {"files": map_to(is_hash), "index": is_hash, "v": is_format},
    "trust.json": {"keys": list_of(is_object), "origin": is_origin, "tsa": list_of(is_text), "v": is_format},
    "notes.jsonl": {"note": is_text, "proof": list_of(is_hash)},
    "anchors.jsonl": {
        "at": is_time,
        "kind": one_of("rfc3161", "mail"),
        "note": is_hash,
        "receipt": or_null(is_base64),
        "size": is_count,
    },
    "entries.jsonl": {
        "body": or_null(is_text),
        "entry": is_text,
        "n": is_count,
        "proof": or_null(list_of(is_hash)),
    },
    "deliveries.jsonl": {"batch": is_uuid, "line": is_text, "n": is_count, "row": is_count},
    "private.jsonl": {"event": is_uuid, "field": is_text, "salt": is_hash, "value": is_text},
}
BODY: Shape = {
    "actor": is_object,
    "at": is_time,
    "data": is_object,
    "id": is_uuid,
    "incident": or_null(is_uuid),
    "object": or_null(is_object),
    "priv": map_to(is_hash),
    "request": or_null(is_text),
    "type": is_text,
    "v": is_format,
}
ACTOR: Shape = {"id": or_null(is_text), "kind": one_of("user", "system"), "session": or_null(is_text)}
OBJECT: Shape = {"id": is_text, "kind": is_label, "sha256": or_null(is_hash), "version": is_count}
ROW: Shape = {
    "at": or_null(is_time),
    "code": or_null(is_count),
    "delivery": is_uuid,
    "outcome": is_text,
    "recipient": or_null(is_hash),
    "reply": or_null(is_hash),
    "try": is_count,
}
OUTCOMES = ("handed_over", "refused", "retry_wait", "unknown", "blocked")


def misshaped(value: Any, shape: Shape) -> str | None:
    """What is wrong, as the end of a sentence; None if the value has exactly these keys with such values."""
    if type(value) is not dict:
        return "is not an object"
    if value.keys() != shape.keys():
        unknown, lacking = sorted(value.keys() - shape.keys()), sorted(shape.keys() - value.keys())
        return f"has an unknown key {shown(unknown[0])}" if unknown else f"lacks the key {shown(lacking[0])}"
    for key, check in shape.items():
        if not check(value[key]):
            return f"has {shown(key)}, where {shown(value[key])} is not allowed"
    return None


def from_base64url(text: str) -> bytes:
    """Of a text that was checked before."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Standard base64 with padding; None unless encoding the bytes again gives the same text."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None
    return raw if base64.b64encode(raw).decode("ascii") == text else None


def moved(moment: str, seconds: int) -> str:
    """Times of one form sort as text, so this is all the arithmetic there is."""
    try:
        later = datetime.fromisoformat(moment[:-1]) + timedelta(seconds=seconds)
    except OverflowError:
        return moment
    return later.isoformat(timespec="microseconds") + "Z"


# --- The tree of RFC 6962, section 2.1 ----------------------------------------------------------------------------


def leaf_of(raw: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + raw).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class WrongProof(ValueError):
    """The proof has not as many hashes as its place in the tree demands."""


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def root_by_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """PATH(m, D[n]) of section 2.1.1, read backwards: the root that follows from a leaf and its path."""
    if size == 1:
        if path:
            raise WrongProof
        return leaf
    if not path:
        raise WrongProof
    middle = _split(size)
    if index < middle:
        return node_of(root_by_inclusion(leaf, index, middle, path[:-1]), path[-1])
    return node_of(path[-1], root_by_inclusion(leaf, index - middle, size - middle, path[:-1]))


def roots_by_consistency(old: int, new: int, path: Sequence[bytes], known: bytes | None) -> tuple[bytes, bytes]:
    """SUBPROOF(m, D[n], b) of section 2.1.2, read backwards: the old and the new root that follow from a path.

    `known` is the old root while b is true: then the proof leaves out that it is a complete subtree.
    """
    if old == new:
        if len(path) != (known is None):
            raise WrongProof
        whole = path[0] if known is None else known
        return whole, whole
    if not path:
        raise WrongProof
    middle = _split(new)
    if old <= middle:
        before, after = roots_by_consistency(old, middle, path[:-1], known)
        return before, node_of(after, path[-1])
    before, after = roots_by_consistency(old - middle, new - middle, path[:-1], None)
    return node_of(path[-1], before), node_of(path[-1], after)


class Growing:
    """The root over leaves that come one by one: complete subtrees from left to right, merged when two are alike."""

    def __init__(self) -> None:
        self.size = 0
        self.complete: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        count, digest = 1, leaf
        while self.complete and self.complete[-1][0] == count:
            digest = node_of(self.complete.pop()[1], digest)
            count *= 2
        self.complete.append((count, digest))
        self.size += 1

    def root(self) -> bytes:
        if not self.complete:
            return hashlib.sha256(b"").digest()
        digest = self.complete[-1][1]
        for _, left in reversed(self.complete[:-1]):
            digest = node_of(left, digest)
        return digest


# --- Ed25519 (RFC 8032, section 5.1), strict -----------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, x*y = T/Z
NEUTRAL: Point = (0, 1, 1, 0)


def add_points(a: Point, b: Point) -> Point:
    """Section 5.1.4; the formula is complete, so it doubles as well."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, d - c, d + c, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_from(raw: bytes) -> Point | None:
    """Section 5.1.3; None for every encoding but the one there is of a point."""
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if len(raw) != 32 or y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_OF_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def bytes_of_point(point: Point) -> bytes:
    z = pow(point[2], P - 2, P)
    x, y = point[0] * z % P, point[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def times(pairs: Sequence[tuple[int, Point]]) -> Point:
    """The sum of scalar times point over two pairs, bit by bit from the top."""
    (a, first), (b, second) = pairs
    both, result = add_points(first, second), NEUTRAL
    for bit in range(max(a, b).bit_length() - 1, -1, -1):
        result = add_points(result, result)
        choice = (a >> bit & 1) + 2 * (b >> bit & 1)
        if choice:
            result = add_points(result, (first, second, both)[choice - 1])
    return result


BASE_RAW = (4 * pow(5, P - 2, P) % P).to_bytes(32, "little")  # y = 4/5, and x is the even one


def has_small_order(point: Point) -> bool:
    for _ in range(3):
        point = add_points(point, point)
    return bytes_of_point(point) == bytes_of_point(NEUTRAL)


def is_good_key(public: bytes) -> bool:
    point = point_from(public)
    return point is not None and not has_small_order(point)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Section 5.1.7 without the cofactor: R is compared as bytes, S must be below L, A must be a key."""
    point, base = point_from(public), point_from(BASE_RAW)
    s = int.from_bytes(signature[32:], "little")
    if point is None or base is None or len(signature) != 64 or s >= L or not is_good_key(public):
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(digest, "little") % L
    minus = (P - point[0], point[1], point[2], P - point[3])
    return bytes_of_point(times([(s, base), (k, minus)])) == signature[:32]


# --- Notes (C2SP signed-note, tlog-checkpoint) ---------------------------------------------------------------------

NOTE = re.compile(
    f"([^\n]*)\n({NUMBER})\n([A-Za-z0-9+/]{{43}}=)\n\n((?:\u2014 [^ \n]+ [A-Za-z0-9+/]+={{0,2}}\n)+)"
)  # origin, size, root, an empty line, signatures


class Note(NamedTuple):
    raw: bytes
    origin: str
    size: int
    root: bytes
    signed: bytes
    signatures: tuple[tuple[str, bytes], ...]


class Trust(NamedTuple):
    origin: str
    keys: tuple[bytes, ...]
    tsa: tuple[str, ...]


def parse_note(raw: bytes, where: str) -> Note:
    try:
        found = NOTE.fullmatch(text_of(raw))
    except NotCanonical as error:
        raise Fault(1, f"{where} {error}.") from None
    root = from_base64(found.group(3)) if found else None
    if found is None or root is None:
        form = "three lines (origin, size, root), an empty line, and signature lines, each ended by a line feed"
        raise Fault(1, f"{where} is not a checkpoint of exactly {form}.")
    if int(found.group(2)) == 0:
        raise Fault(1, f"{where} has size 0: an empty log proves nothing.")
    lines = (line.split(" ") for line in found.group(4).splitlines())
    signatures = tuple((name, from_base64(text) or b"") for _, name, text in lines)
    signed = raw[: raw.index(b"\n\n") + 1]
    return Note(raw, found.group(1), int(found.group(2)), root, signed, signatures)


def check_signatures(note: Note, trust: Trust, where: str) -> None:
    if note.origin != trust.origin:
        raise Fault(1, f"{where} is of the log {shown(note.origin)}, not of {shown(trust.origin)}.")
    ids = {key_id(trust.origin, public): public for public in trust.keys}
    seen: set[bytes] = set()
    for name, signature in note.signatures:
        public = ids.get(signature[:4])
        if name != trust.origin or public is None:
            raise Fault(1, f"{where} is signed by a key that the trust file does not name.")
        if public in seen:
            raise Fault(1, f"{where} is signed twice by one key.")
        if not is_signed(public, note.signed, signature[4:]):
            raise Fault(1, f"A signature of {where[0].lower()} does not fit its text." + where[1:])
        seen.add(public)


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def fingerprint(raw: bytes) -> str:
    digits = hashlib.sha256(raw).hexdigest()
    return " ".join(digits[start : start + 4] for start in range(0, 64, 4))


# --- The file (rule 0) ---------------------------------------------------------------------------------------------

ALWAYS = (
    *("README.txt", "anchors.jsonl", "bd_verify.py", "bundle.json", "checkpoint.note", "deliveries.jsonl"),
    *("entries.jsonl", "index.html", "manifest.json", "notes.jsonl", "trust.json"),
)
SECTION = re.compile(r"sections/[a-z][a-z0-9_]{0,59}\.json")
LEFT_BY_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini")
OPEN_BLOCK, CLOSE_BLOCK = b'<script type="application/json" id="bundle">', b"</script>"


class Member(NamedTuple):
    """A stretch of a file. `crc` is what a ZIP says of it."""

    name: str
    path: Path
    start: int
    size: int
    crc: int | None

    def chunks(self) -> Iterator[bytes]:
        left = self.size
        with self.path.open("rb") as file:
            file.seek(self.start)
            while left:
                chunk = file.read(min(CHUNK, left))
                if not chunk:
                    raise Fault(0, f"{self.name} ends too early.")
                left -= len(chunk)
                yield chunk

    def read(self) -> bytes:
        return b"".join(self.chunks())

    def lines(self) -> Iterator[bytes]:
        """Without their line feeds."""
        begun: list[bytes] = []
        for chunk in self.chunks():
            first, *others = chunk.split(b"\n")
            begun.append(first)
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun = [others[-1]]
        if any(begun):
            raise Fault(0, f"The last line of {self.name} does not end with a line feed.")


Members = dict[str, Member]


def open_bundle(path: Path) -> Members:
    try:
        return read_folder(path) if path.is_dir() else read_zip(path)
    except OSError as error:
        raise Unreadable(f"{path} cannot be read: {error.strerror or error}.") from None


def check_names(names: Iterable[str]) -> None:
    found = set(names)
    for name in sorted(found):
        if name not in ALWAYS and name != "private.jsonl" and not SECTION.fullmatch(name):
            raise Fault(0, f"{shown(name)} does not belong into a bundle.")
    for name in ALWAYS:
        if name not in found:
            raise Fault(0, f"{name} is missing from the bundle.")


def read_folder(path: Path) -> Members:
    found: Members = {}
    for file in sorted(path.rglob("*")):
        name, mode = file.relative_to(path).as_posix(), file.lstat().st_mode
        if file.name in LEFT_BY_DESKTOPS or (name == "sections" and stat.S_ISDIR(mode)):
            continue
        if not stat.S_ISREG(mode):
            raise Fault(0, f"{shown(name)} in the folder is not a plain file.")
        found[name] = Member(name, file, 0, file.stat().st_size, None)
    check_names(found)
    return found


def read_zip(path: Path) -> Members:
    """Every header is made again from name, CRC and size, and compared byte for byte: nothing can hide between."""
    size = path.stat().st_size
    if size == 0:
        raise Fault(0, "The file is empty.")
    with path.open("rb") as file:
        count, start = _end_of_zip(file, size)
        file.seek(start)
        directory = file.read(size - 22 - start)
        listed = list(_listed(directory, count))
        members: Members = {}
        offset, again = 0, b""
        for name, crc, length in listed:
            fields = _zip_fields(name, crc, length)
            local = b"PK\x03\x04" + fields + name
            again += b"PK\x01\x02" + b"\x14\x00" + fields + bytes(10) + struct.pack("<I", offset) + name
            file.seek(offset)
            if offset + len(local) + length > start or file.read(len(local)) != local:
                raise Fault(0, f"The header of {shown(name.decode())} is not what a bundle writes.")
            offset += len(local)
            members[name.decode("ascii")] = Member(name.decode("ascii"), path, offset, length, crc)
            offset += length
    if again != directory or offset != start:
        raise Fault(0, "The directory of the ZIP file is not what a bundle writes.")
    if [name for name, _, _ in listed] != sorted({name for name, _, _ in listed}):
        raise Fault(0, "The files in the ZIP are not in the order of their names, or one is there twice.")
    check_names(members)
    return members


def _zip_fields(name: bytes, crc: int, length: int) -> bytes:
    return struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 0x21, crc, length, length, len(name), 0)


def _end_of_zip(file: Any, size: int) -> tuple[int, int]:
    """How many members there are, and where the directory begins."""
    file.seek(max(0, size - 22))
    end = file.read(22)
    if len(end) != 22 or end[:4] != b"PK\x05\x06":
        raise Fault(0, "This is not a ZIP file as a bundle is one, or something follows it.")
    count, length, start = struct.unpack("<HII", end[10:20])
    if end != b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, length, start, 0):
        raise Fault(0, "The end of the ZIP file is not what a bundle writes.")
    if start + length + 22 != size:
        raise Fault(0, "The ZIP file has bytes that belong to nothing, or lacks some.")
    return count, start


def _listed(directory: bytes, count: int) -> Iterator[tuple[bytes, int, int]]:
    at = 0
    for _ in range(count):
        header = directory[at : at + 46]
        if len(header) < 46:
            raise Fault(0, "The directory of the ZIP file ends too early.")
        crc, length = struct.unpack("<I4xI", header[16:28])
        (name_size,) = struct.unpack("<H", header[28:30])
        name = directory[at + 46 : at + 46 + name_size]
        if not name.isascii():
            raise Fault(0, "The ZIP file names a file with characters that no bundle uses.")
        yield name, crc, length
        at += 46 + name_size


class Package:
    """The members of a bundle after rule 0: whole, listed in the manifest, of the right shape."""

    def __init__(self, members: Members) -> None:
        self.members = members
        self.line_counts: dict[str, int] = {}
        self.digests = {name: self._digest(member) for name, member in members.items()}
        self.manifest = self.object("manifest.json")
        self._check_manifest()
        self._check_page()
        self.about = self.object("bundle.json")
        self._check_about()

    def _digest(self, member: Member) -> str:
        digest, crc, count, last = hashlib.sha256(), 0, 0, b"\n"
        for chunk in member.chunks():
            digest.update(chunk)
            crc = zlib.crc32(chunk, crc)
            count, last = count + chunk.count(b"\n"), chunk[-1:]
        if member.crc is not None and crc != member.crc:
            raise Fault(0, f"The check sum of {member.name} in the ZIP file is wrong.")
        if member.name.endswith(".jsonl") and last != b"\n":
            raise Fault(0, f"The last line of {member.name} does not end with a line feed.")
        self.line_counts[member.name] = count
        return base64url(digest.digest())

    def object(self, name: str) -> dict[str, Any]:
        return checked_object(self.members[name].read(), SHAPES.get(name), name)

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a .jsonl member, each canonical and of its shape."""
        if name in self.members:
            for number, line in enumerate(self.members[name].lines(), 1):
                yield checked_object(line, SHAPES[name], name, number)

    def _check_manifest(self) -> None:
        files = self.manifest["files"]
        listed, there = set(files), set(self.members) - {"manifest.json", "index.html"}
        for name in sorted(listed ^ there):
            where = "is in the manifest, but not in the bundle" if name in listed else "is not in the manifest"
            raise Fault(0, f"{shown(name)} {where}.")
        for name in sorted(files):
            if files[name] != self.digests[name]:
                raise Fault(0, f"{name} is not the file that the manifest lists: its SHA-256 differs.")

    def _check_page(self) -> None:
        """index.html carries a copy of all other files, or nothing; what shows it must be the page as listed."""
        page = self.members["index.html"].read()
        start = page.find(OPEN_BLOCK) + len(OPEN_BLOCK)
        end = page.find(CLOSE_BLOCK, start)
        if start < len(OPEN_BLOCK) or end < 0:
            raise Fault(0, "index.html has no place for the bundle's data.")
        if base64url(hashlib.sha256(page[:start] + page[end:]).digest()) != self.manifest["index"]:
            raise Fault(0, "index.html is not the page that the manifest lists: its SHA-256 differs.")
        if page[start:end] == b"null":
            return
        for piece in self._copy():
            if page[start : start + len(piece)] != piece:
                raise Fault(0, "The data inside index.html is not that of the other files.")
            start += len(piece)
        if start != end:
            raise Fault(0, "The data inside index.html is more than that of the other files.")

    def _copy(self) -> Iterator[bytes]:
        """What must stand in index.html, piece by piece: {name: text} in ASCII, with "<" written as \\u003c."""
        separator = b"{"
        for name in sorted(set(self.members) - {"index.html"}):
            yield separator + _ascii(name) + b":"
            try:
                yield _ascii(self.members[name].read().decode("utf-8"))
            except UnicodeDecodeError:
                raise Fault(0, f"{name} is not text in UTF-8.") from None
            separator = b","
        yield b"}"

    def _check_about(self) -> None:
        about = self.about
        if about["private"] != ("private.jsonl" in self.members):
            raise Fault(0, "bundle.json and the files do not agree whether private values are here.")
        for name, key in (("entries.jsonl", "entries"), ("deliveries.jsonl", "deliveries")):
            there = self.line_counts[name]
            if about[key] != there:
                raise Fault(0, f"bundle.json says {about[key]} lines of {name}; there are {there}.")
        for name in sorted(self.members):
            if SECTION.fullmatch(name) and not is_format(self.object(name).get("v")):
                raise Fault(0, f"{name} is of a version this program does not know.")

    def sections_digest(self) -> str:
        files = {name: digest for name, digest in self.digests.items() if SECTION.fullmatch(name)}
        return base64url(hashlib.sha256(encode({"files": files}).encode()).digest())


def _ascii(text: str) -> bytes:
    return json.dumps(text).replace("<", "\\u003c").encode("ascii")


def checked_object(raw: bytes, shape: Shape | None, name: str, line: int | None = None) -> dict[str, Any]:
    try:
        value = parse(text_of(raw))
        wrong = misshaped(value, shape) if shape is not None else None if is_object(value) else "is not an object"
    except NotCanonical as error:
        wrong = str(error)
    if wrong:
        raise Fault(0, "{} {}.".format(name if line is None else f"Line {line} of {name}", wrong))
    return value  # type: ignore[no-any-return]


def trust_from(content: dict[str, Any]) -> Trust:
    """Raises Fault(0) for keys that are none."""
    keys = []
    for key in content["keys"]:
        wrong = misshaped(key, KEY)
        if wrong or key["name"] != content["origin"]:
            raise Fault(0, f"A key in trust.json {wrong or 'has another name than the log'}.")
        public = from_base64url(key["public"])
        if not is_good_key(public) or public in keys:
            raise Fault(0, "A key in trust.json is not an Ed25519 key of full order, or is there twice.")
        keys.append(public)
    if not keys:
        raise Fault(0, "trust.json names no key.")
    for certificate in content["tsa"]:
        if certificate_bytes(certificate) is None:
            raise Fault(0, "A time-stamping authority in trust.json is not one certificate in PEM.")
    return Trust(content["origin"], tuple(keys), tuple(content["tsa"]))


def certificate_bytes(pem: str) -> bytes | None:
    found = re.fullmatch("-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?", pem)
    return from_base64(found.group(1).replace("\n", "")) if found else None


# --- Checkpoints (rules 1 and 2) -----------------------------------------------------------------------------------


class Checkpoints:
    """All notes of the bundle and those that somebody kept, each signed, each proved to be of one log that grew."""

    def __init__(self, package: Package, trust: Trust, kept: Sequence[str], report: Report) -> None:
        self.report, self.trust = report, trust
        about = package.about
        if about["origin"] != trust.origin:
            sentence = f"The bundle is of the log {shown(about['origin'])}, the trust file of {shown(trust.origin)}."
            raise Fault(1, sentence)
        self.newest = self._signed(package.members["checkpoint.note"].read(), "The checkpoint")
        if about["size"] != self.newest.size:
            raise Fault(
                1, "bundle.json says a log of {}, the checkpoint of {}.".format(about["size"], self.newest.size)
            )
        rows = list(package.rows("notes.jsonl"))
        self.older = [self._signed(row["note"].encode(), f"Older note {i}") for i, row in enumerate(rows, 1)]
        self.kept = [(name, self._signed(_read_kept(name), f"The kept note {shown(name)}")) for name in kept]
        for note, row in zip(self.older, rows):
            self._check_consistency(note, [from_base64url(text) for text in row["proof"]])
        self._check_order()
        self.roots = {note.size: note.root for note in [*self.older, self.newest]}
        self.unproved = self._compare_kept(about["whole"])
        report.older, report.kept = len(self.older), len(self.kept)

    def _signed(self, raw: bytes, where: str) -> Note:
        note = parse_note(raw, where)
        check_signatures(note, self.trust, where)
        return note

    def _check_consistency(self, note: Note, proof: list[bytes]) -> None:
        if note.size >= self.newest.size:
            raise Fault(2, f"An older note is of size {note.size}, not smaller than the checkpoint.")
        try:
            roots = roots_by_consistency(note.size, self.newest.size, proof, note.root)
        except WrongProof:
            raise Fault(2, f"The consistency proof from size {note.size} is too long or too short.") from None
        if roots != (note.root, self.newest.root):
            raise Fault(2, f"The log of the checkpoint does not extend the one of the note of size {note.size}.")

    def _check_order(self) -> None:
        for before, after in zip(self.older, self.older[1:]):
            if before.size > after.size:
                raise Fault(2, f"The older notes are not in the order of their sizes ({after.size}).")
            if before.size == after.size and before.root != after.root:
                raise Fault(2, f"There are two logs: two notes of size {after.size} have different roots.")

    def _compare_kept(self, whole: bool) -> dict[int, list[tuple[str, bytes]]]:
        """Returns the kept notes that only the recomputed tree can judge, by size."""
        later: dict[int, list[tuple[str, bytes]]] = {}
        for name, note in self.kept:
            root = self.roots.get(note.size)
            if root is not None and root != note.root:
                raise Fault(2, f"The kept note {name} of size {note.size} has another root than this log.")
            if root is None and whole and note.size < self.newest.size:
                later.setdefault(note.size, []).append((name, note.root))
            elif root is None:
                self.report.missing.append(_why_kept_is_open(name, note.size, self.newest.size))
        return later


def _why_kept_is_open(name: str, size: int, newest: int) -> str:
    if size > newest:
        return "The kept note {} (size {}) is later than this bundle (size {}): ask for a newer bundle.".format(
            *(name, size, newest),
        )
    return f"The bundle has no proof for the kept note {name} (size {size}): ask for a bundle that has."


def _read_kept(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Unreadable(f"The kept note {name} cannot be read: {error.strerror or error}.") from None


# --- Time stamps (part of rule 6) ----------------------------------------------------------------------------------

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STAMPED = re.compile(
    r"^Time stamp: ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\d* (\d{4}) GMT$", re.M
)
LONGEST_RECEIPT = 1 << 20


class Stamp(NamedTuple):
    size: int
    receipt: bytes
    note: bytes


class Bounds(NamedTuple):
    """Entries before `size` were linked by `before`, those from `size` on not earlier than `after`."""

    size: int
    before: str
    after: str


def read_anchors(package: Package, checkpoints: Checkpoints, report: Report) -> list[Stamp]:
    notes = {base64url(hashlib.sha256(note.raw).digest()): note for note in [*checkpoints.older, checkpoints.newest]}
    stamps = []
    for row in package.rows("anchors.jsonl"):
        note = notes.get(row["note"])
        if note is None or note.size != row["size"]:
            report.add(Fault(6, "An anchor of size {} belongs to no note of this bundle.".format(row["size"])))
        elif row["kind"] == "rfc3161":
            receipt = from_base64(row["receipt"] or "")
            if not receipt or len(receipt) > LONGEST_RECEIPT:
                report.add(
                    Fault(6, "The time stamp of size {} has no receipt, or none of this size.".format(row["size"]))
                )
            else:
                stamps.append(Stamp(row["size"], receipt, note.raw))
    return stamps


def judge_stamps(stamps: list[Stamp], trust: Trust, report: Report) -> list[Bounds]:
    why_not = _why_no_stamps(trust) if stamps else None
    if why_not:
        report.missing.append(f"{len(stamps)} time stamps were not judged: {why_not}")
        return []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        judged = list(pool.map(lambda stamp: judged_stamp(stamp, trust), stamps))
    bounds = []
    for stamp, moment in zip(stamps, judged):
        if isinstance(moment, Fault):
            report.add(moment)
            continue
        bounds.append(Bounds(stamp.size, moved(moment, 5), moved(moment, -60)))
        report.stamps.append(f"{moment} for the first {stamp.size} entries")
    return bounds


def _why_no_stamps(trust: Trust) -> str | None:
    if not trust.tsa:
        return "the trust file names no time-stamping authority."
    found = shutil.which("openssl")
    if found is None:
        return "there is no openssl on this machine. Install OpenSSL 1.1.1 or later."
    version = _openssl("version").stdout
    if not version.startswith(b"OpenSSL ") or version.startswith((b"OpenSSL 0", b"OpenSSL 1.0")):
        return "the openssl here cannot do it. Install OpenSSL 1.1.1 or later."
    return None


def _openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["openssl", *arguments], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess(arguments, 127, b"", b"")


def judged_stamp(stamp: Stamp, trust: Trust) -> Any:
    """The moment it states, as text; or a Fault. The certificates are judged at that moment: they expire later."""
    with tempfile.TemporaryDirectory() as folder:
        receipt, note, roots = (str(Path(folder, name)) for name in ("receipt", "note", "roots"))
        Path(receipt).write_bytes(stamp.receipt)
        Path(note).write_bytes(stamp.note)
        Path(roots).write_text("\n".join(trust.tsa), "ascii")
        moment = stated_time(_openssl("ts", "-reply", "-in", receipt, "-text").stdout)
        if moment is None:
            return Fault(6, f"The time stamp of size {stamp.size} is not an answer of RFC 3161.")
        seconds = str(int(moment.timestamp()))
        done = _openssl("ts", "-verify", "-in", receipt, "-data", note, "-CAfile", roots, "-attime", seconds)
    if done.returncode != 0 or b"Verification: OK" not in done.stdout:
        sentence = f"The time stamp of size {stamp.size} is not of this note, or not by an authority of the trust file."
        return Fault(6, sentence)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def stated_time(printed: bytes) -> datetime | None:
    found = STAMPED.findall(printed.decode("utf-8", "replace"))
    if len(found) != 1 or found[0][0] not in MONTHS:
        return None
    month, day, hour, minute, second, fraction, year = found[0]
    try:
        return datetime(
            *(int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)),
            int(fraction.ljust(6, "0")),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None


# --- The watchers: each follows the entries in their order and knows one rule --------------------------------------


class Entry(NamedTuple):
    n: int
    leaf: bytes
    body: str
    inc_n: int | None
    inc_prev: str | None
    incident: str | None
    seq_at: str
    is_own: bool


Body = dict[str, Any]


class Chain:
    """Rule 5: each incident's entries are numbered without a gap and name the one before; the last is the head."""

    def __init__(self, package: Package, report: Report) -> None:
        self.report, self.about = report, package.about
        self.last: dict[str, tuple[int, bytes]] = {}
        self.newest: Entry | None = None
        self.newest_body: Body | None = None

    def follow(self, entry: Entry, body: Body | None) -> None:
        if entry.incident is None:
            if entry.inc_n is not None or entry.inc_prev is not None:
                self.report.add(Fault(5, f"Entry {entry.n} counts in a case and names none.", entry.n))
            return
        number, leaf = self.last.get(entry.incident, (0, b""))
        before = base64url(leaf) if number else None
        if entry.inc_n != number + 1 or entry.inc_prev != before:
            sentence = (
                f"Entry {entry.n} does not follow number {number} of its case: something was left out, or put in."
            )
            self.report.add(Fault(5, sentence, entry.n))
        self.last[entry.incident] = entry.inc_n or 0, entry.leaf
        if entry.is_own:
            self.newest, self.newest_body = entry, body
            self._check_reference(entry, body)

    def _check_reference(self, entry: Entry, body: Body | None) -> None:
        if body is None or body["type"] != "incident.opened":
            return
        if body["data"].get("reference") != self.about["reference"]:
            sentence = "The case was opened under another reference than bundle.json says."
            self.report.add(Fault(5, sentence, entry.n))

    def finish(self) -> None:
        if self.newest is None:
            return
        if self.about["head"] != self.newest.n:
            sentence = f"bundle.json says that the case's last entry is {self.about['head']}; it is {self.newest.n}."
            self.report.add(Fault(5, sentence, self.newest.n))
        self._check_head(self.newest, self.newest_body)

    def _check_head(self, entry: Entry, body: Body | None) -> None:
        data = body["data"] if body is not None and body["type"] == "incident.head" else {}
        pinned = data.get("inc_n"), data.get("inc_leaf")
        if pinned != ((entry.inc_n or 0) - 1, entry.inc_prev) or type(pinned[0]) is not int:
            sentence = (
                f"The case's last entry, {entry.n}, is not the head that pins its history: entries may be missing."
            )
            self.report.add(Fault(5, sentence, entry.n, absence=body is None))


class Clock:
    """Rule 6: linking times never go back, no event is from the future, and time stamps bracket both."""

    def __init__(self, bounds: Iterable[Bounds], report: Report) -> None:
        self.report = report
        self.stamps = sorted(bounds)
        self.latest = list(self._latest())
        self.passed, self.earliest, self.last = 0, "", ""
        self.ahead: list[tuple[int, str]] = []
        self.reported: list[tuple[int, int]] = []

    def _latest(self) -> Iterator[str]:
        """For each stamp the earliest bound of it and all larger ones: what lies in it lies in them."""
        best, found = "9", []
        for stamp in reversed(self.stamps):
            best = min(best, stamp.before)
            found.append(best)
        return reversed(found)

    def follow(self, entry: Entry, body: Body | None) -> None:
        n, seq_at = entry.n, entry.seq_at
        if seq_at < self.last:
            self.report.add(Fault(6, f"Entry {n} was linked at {seq_at}, before the one above it.", n))
        self.last = seq_at
        while self.passed < len(self.stamps) and self.stamps[self.passed].size <= n:
            self.earliest = max(self.earliest, self.stamps[self.passed].after)
            self.passed += 1
        if seq_at < self.earliest or (self.passed < len(self.latest) and seq_at > self.latest[self.passed]):
            self.report.add(Fault(6, f"Entry {n} says it was linked at {seq_at}; a time stamp denies it.", n))
        if body is not None:
            self._compare(entry, body)

    def _compare(self, entry: Entry, body: Body) -> None:
        if body["type"] == "clock.anomaly":
            data = body["data"]
            if data.get("kind") == "ahead" and is_count(data.get("first")) and is_count(data.get("last")):
                self.reported.append((data["first"], data["last"]))
        elif body["at"] > entry.seq_at and body["at"] > moved(entry.seq_at, 5):
            self.ahead.append((entry.n, body["at"]))

    def finish(self) -> None:
        for n, at in self.ahead:
            if not any(first <= n <= last for first, last in self.reported):
                sentence = (
                    f"Entry {n} holds an event of {at}, later than its linking, and no clock.anomaly speaks of it."
                )
                self.report.add(Fault(6, sentence, n, absence=True))
                return


class Openings:
    """Rule 7: what is said to be a private value is the one committed to; what is not shown was erased."""

    def __init__(self, package: Package, report: Report) -> None:
        self.report, self.is_given = report, package.about["private"]
        self.rows = package.rows("private.jsonl")
        self.next = next(self.rows, None)
        self.absent: list[tuple[int, str]] = []
        self.erased: set[str] = set()
        self.is_key_gone = False

    def follow(self, entry: Entry, body: Body | None) -> None:
        if not self.is_given or body is None:
            return
        for field in sorted(body["priv"]):
            given = self.next
            if given is not None and (given["event"], given["field"]) == (body["id"], field):
                self._check(entry.n, given, body["priv"][field])
                self.next = next(self.rows, None)
            elif entry.is_own:
                self.absent.append((entry.n, "{}/{}".format(body["id"], field)))
        if body["type"] == "privacy.erased" and list_of(is_text)(body["data"].get("erased")):
            self.erased.update(body["data"]["erased"])
        self.is_key_gone |= entry.is_own and body["type"] == "key.destroyed"

    def _check(self, n: int, given: dict[str, Any], expected: str) -> None:
        name, value = given["field"].encode(), given["value"].encode()
        content = b"\x02" + from_base64url(given["salt"]) + struct.pack(">H", len(name)) + name + value
        self.report.openings += 1
        if base64url(hashlib.sha256(content).digest()) != expected:
            sentence = f"The private value {shown(given['field'])} of entry {n} is not the one the log committed to."
            self.report.add(Fault(7, sentence, n))

    def finish(self) -> None:
        if self.next is not None:
            which = "{}/{}".format(self.next["event"], shown(self.next["field"]))
            sentence = f"private.jsonl opens {which}, which is no value of an event here, or not in its place."
            self.report.add(Fault(7, sentence, absence=True))
        for n, which in self.absent:
            if which not in self.erased and not self.is_key_gone:
                sentence = f"The private value {which} of entry {n} is missing, and no event says that it was erased."
                self.report.add(Fault(7, sentence, n, absence=True))
                return


class Rows:
    """Rule 8: the rows of every settled batch are those the log committed to, and nobody was written to twice."""

    def __init__(self, package: Package, report: Report) -> None:
        self.report = report
        self.rows = package.rows("deliveries.jsonl")
        self.next = next(self.rows, None)
        self.handed_over: set[bytes] = set()

    def follow(self, entry: Entry, body: Body | None) -> None:
        if not entry.is_own:
            return
        if body is None:
            list(self._of(entry.n))
        elif body["type"] == "delivery.batch_settled":
            try:
                self._check_batch(entry.n, body["data"])
            except Fault as fault:
                self.report.add(fault)
                list(self._of(entry.n))

    def _of(self, n: int) -> Iterator[dict[str, Any]]:
        while self.next is not None and self.next["n"] == n:
            row = self.next
            self.next = next(self.rows, None)
            self.report.rows += 1
            yield row

    def _check_batch(self, n: int, data: dict[str, Any]) -> None:
        tree, counts, before = Growing(), dict.fromkeys(OUTCOMES, 0), ("", -1, "")
        for row in self._of(n):
            if row["row"] != tree.size or row["batch"] != data.get("batch"):
                raise Fault(8, f"The rows of the batch at entry {n} are not numbered from 0 without a gap.", n)
            content = self._content(row["line"], n)
            key = content["delivery"], content["try"], content["outcome"]
            if content["outcome"] not in counts or key <= before:
                raise Fault(8, f"The rows of the batch at entry {n} are not in order, or tell no outcome.", n)
            tree.add(leaf_of(row["line"].encode()))
            counts[content["outcome"]] += 1
            before = key
            self._check_once(content, n)
        if base64url(tree.root()) != data.get("rows_root"):
            raise Fault(8, f"The rows of the batch at entry {n} are not those that the log committed to.", n)
        if any(type(data.get(key)) is not int or data[key] != count for key, count in counts.items()) or (
            type(data.get("rows")) is not int or data["rows"] != tree.size
        ):
            raise Fault(8, f"The rows of the batch at entry {n} do not add up to its counts.", n)

    @staticmethod
    def _content(line: str, n: int) -> dict[str, Any]:
        try:
            content: dict[str, Any] = parse(line)
            wrong = misshaped(content, ROW)
        except NotCanonical as error:
            wrong = str(error)
        if wrong:
            raise Fault(8, f"A row of the batch at entry {n} {wrong}.", n)
        return content

    def _check_once(self, content: dict[str, Any], n: int) -> None:
        if content["outcome"] == "handed_over":
            delivery = bytes.fromhex(content["delivery"].replace("-", ""))
            if delivery in self.handed_over:
                self.report.add(Fault(8, "The delivery {} was handed over twice.".format(content["delivery"]), n))
            self.handed_over.add(delivery)

    def finish(self) -> None:
        if self.next is not None:
            sentence = f"deliveries.jsonl has rows for entry {self.next['n']}, which is no settled batch of the case."
            self.report.add(Fault(8, sentence, self.next["n"], absence=True))


class EditionState:
    """What the log says of one edition of a notice so far."""

    def __init__(self) -> None:
        self.writers: set[str | None] = set()
        self.submitted: Any = None
        self.approved: set[str] = set()
        self.is_started = False


class States:
    """Rule 9: what was sent had been approved, unchanged, by somebody who wrote none of it; sections as exported."""

    def __init__(self, package: Package, report: Report) -> None:
        self.report, self.digest = report, package.sections_digest()
        self.editions: dict[str, EditionState] = {}
        self.exported: tuple[int, Any] | None = None

    def follow(self, entry: Entry, body: Body | None) -> None:
        if not entry.is_own or body is None:
            return
        kind, data, n = body["type"], body["data"], entry.n
        if kind == "bundle.exported":
            self.exported = n, data.get("sections_digest")
        elif kind == "delivery.batch_settled":
            self._check_started(n, data.get("edition"))
        elif kind.startswith("edition."):
            if body["object"] is None:
                self.report.add(Fault(9, f"Entry {n} speaks of an edition and names none.", n))
            else:
                state = self.editions.setdefault(body["object"]["id"], EditionState())
                self._step(state, kind, data.get("digest"), body["actor"]["id"], n)

    def _step(self, state: EditionState, kind: str, digest: Any, actor: str | None, n: int) -> None:
        if kind in ("edition.created", "edition.saved"):
            state.writers.add(actor)
        if kind in ("edition.saved", "edition.submitted", "edition.withdrawn", "edition.rejected"):
            state.approved.clear()
        if kind == "edition.submitted":
            state.submitted = digest
        elif kind == "edition.approved":
            self._approve(state, digest, actor, n)
        elif kind == "edition.started":
            state.is_started = True
            if not is_hash(digest) or digest not in state.approved:
                sentence = f"Entry {n} starts to send what was not approved as it is."
                self.report.add(Fault(9, sentence, n, absence=True))

    def _approve(self, state: EditionState, digest: Any, actor: str | None, n: int) -> None:
        if actor is None or actor in state.writers:
            self.report.add(Fault(9, f"Entry {n} is an approval by somebody who wrote a part of the text.", n))
        elif not is_hash(digest) or digest != state.submitted:
            sentence = f"Entry {n} approves something else than what was submitted."
            self.report.add(Fault(9, sentence, n, absence=True))
        else:
            state.approved.add(digest)

    def _check_started(self, n: int, edition: Any) -> None:
        state = self.editions.get(edition) if isinstance(edition, str) else None
        if state is None or not state.is_started:
            sentence = f"Entry {n} settles deliveries of an edition that nobody had started."
            self.report.add(Fault(9, sentence, n, absence=True))

    def finish(self) -> None:
        if self.exported is None:
            self.report.add(Fault(9, "No event of the case says that this bundle was exported.", absence=True))
        elif self.exported[1] != self.digest:
            n = self.exported[0]
            self.report.add(Fault(9, f"The files in sections/ are not those that entry {n} exported.", n))


# --- The entries (rules 3 and 4) -----------------------------------------------------------------------------------

ENTRY_KEYS = {"body", "inc_n", "inc_prev", "incident", "log", "n", "seq_at", "v"}
WITHOUT_INCIDENT = ("signing_key.made", "key.rotated", "clock.anomaly")
EVERYWHERE = {"also", "batches"}


def entry_form(origin: str) -> re.Pattern[str]:
    """An entry is exactly this: canonical, with these keys, of this log."""
    parts = (
        f'"body":"({HASH})"',
        f'"inc_n":(null|{NUMBER})',
        f'"inc_prev":(?:null|"({HASH})")',
        f'"incident":(?:null|"({UUID})")',
        f'"log":"{re.escape(origin)}"',
        f'"n":({NUMBER})',
        f'"seq_at":"({TIME})"',
        f'"v":{FORMAT}',
    )
    return re.compile(r"\{" + ",".join(parts) + r"\}")


class Entries:
    """Reads entries.jsonl from the first line to the last, checks rules 3 and 4, and tells each watcher."""

    def __init__(self, package: Package, checkpoints: Checkpoints, bounds: list[Bounds], report: Report) -> None:
        self.package, self.checkpoints, self.report = package, checkpoints, report
        self.whole, self.incident = package.about["whole"], package.about["incident"]
        self.form = entry_form(package.about["origin"])
        self.tree, self.last_n, self.proved_to = Growing(), -1, 0
        self.event_ids: set[bytes] = set()
        self.own = 0
        self.types = {name: type_of(*keys) for name, keys in EVENTS.items()}
        self.watchers = (
            Chain(package, report),
            Clock(bounds, report),
            Openings(package, report),
            Rows(package, report),
            States(package, report),
        )

    def read(self) -> None:
        for line in self.package.rows("entries.jsonl"):
            entry = self._entry(line)
            body = self._body(entry, line["body"])
            for watcher in self.watchers:
                watcher.follow(entry, body)
        if self.last_n < 0 or not self.own:
            self.report.missing.append("The bundle has no entry of the case, so there is nothing to prove.")
        if self.whole:
            self._check_whole()
        if self.own:
            for watcher in self.watchers:
                watcher.finish()
        if self.report.withheld:
            self.report.missing.append(f"The bodies of {self.report.withheld} entries of the case are withheld.")

    # Rule 3

    def _entry(self, line: dict[str, Any]) -> Entry:
        n, text = line["n"], line["entry"]
        found = self.form.fullmatch(text)
        if found is None:
            raise Fault(3, f"Entry {n} {self._why_no_entry(text)}.", n)
        body, inc_n, inc_prev, incident, number, seq_at = found.groups()
        if int(number) != n or n <= self.last_n or n >= self.checkpoints.newest.size:
            raise Fault(3, f"Entry {n} does not stand in its place.", n)
        if not is_time(seq_at):
            raise Fault(3, f"Entry {n} has a time that does not exist.", n)
        leaf = leaf_of(text.encode())
        self._place(n, leaf, line["proof"])
        self.last_n = n
        is_own = incident == self.incident
        self.own += is_own
        return Entry(n, leaf, body, None if inc_n == "null" else int(inc_n), inc_prev, incident, seq_at, is_own)

    def _why_no_entry(self, text: str) -> str:
        try:
            value = parse(text)
        except NotCanonical as error:
            return str(error)
        if type(value) is not dict or value.keys() != ENTRY_KEYS:
            return "has not exactly the keys of an entry"
        if value["log"] != self.package.about["origin"]:
            return "is of the log {}".format(shown(value["log"]))
        return "holds a value that does not belong into an entry"

    def _place(self, n: int, leaf: bytes, proof: list[str] | None) -> None:
        if self.whole:
            self._grow(n, leaf, proof)
            return
        newest = self.checkpoints.newest
        if proof is None:
            raise Fault(3, f"Entry {n} has no proof.", n)
        try:
            root = root_by_inclusion(leaf, n, newest.size, [from_base64url(text) for text in proof])
        except (WrongProof, RecursionError):
            raise Fault(3, f"The proof of entry {n} is too long or too short.", n) from None
        if root != newest.root:
            raise Fault(3, f"Entry {n} is not in the log at this place: its proof leads to another root.", n)

    def _grow(self, n: int, leaf: bytes, proof: list[str] | None) -> None:
        if proof is not None or n != self.last_n + 1:
            raise Fault(3, f"In a whole log entry {n} must follow {self.last_n}, without a proof.", n)
        self.tree.add(leaf)
        size = n + 1
        if size in self.checkpoints.roots:
            self._compare_root(size)
        for name, root in self.checkpoints.unproved.get(size, ()):
            if root != self.tree.root():
                raise Fault(2, f"The kept note {name} of size {size} has another root than this log.")

    def _compare_root(self, size: int) -> None:
        if self.tree.root() != self.checkpoints.roots[size]:
            sentence = (
                f"The log is not the one that was signed: it differs among entries {self.proved_to} to {size - 1}."
            )
            raise Fault(3, sentence)
        self.proved_to = size

    def _check_whole(self) -> None:
        if self.tree.size != self.checkpoints.newest.size:
            sentence = f"A whole log of {self.checkpoints.newest.size} entries has only {self.tree.size} here."
            raise Fault(3, sentence)

    # Rule 4

    def _body(self, entry: Entry, text: str | None) -> Body | None:
        if text is None:
            self.report.withheld += entry.is_own
            if not self.whole and not entry.is_own:
                raise Fault(3, f"Entry {entry.n} is not of the case and shows nothing.", entry.n)
            return None
        if base64url(hashlib.sha256(text.encode()).digest()) != entry.body:
            self.report.add(Fault(4, f"The body of entry {entry.n} is not the one that was linked.", entry.n))
            return self._withheld(entry)
        try:
            body = parse(text)
            wrong = self._wrong_in(body, entry)
        except NotCanonical as error:
            wrong = str(error)
        if wrong:
            self.report.add(Fault(4, f"The body of entry {entry.n} {wrong}.", entry.n))
            return self._withheld(entry)
        if not (self.whole or entry.is_own or (entry.incident is None and body["type"] in WITHOUT_INCIDENT)):
            raise Fault(3, f"Entry {entry.n} does not belong into a bundle of this case.", entry.n)
        return body  # type: ignore[no-any-return]

    @staticmethod
    def _withheld(entry: Entry) -> None:
        """A body that cannot be believed is not read on; rule 4 has spoken and comes before the rules that would."""

    def _wrong_in(self, body: Any, entry: Entry) -> str | None:
        wrong = misshaped(body, BODY)
        if wrong:
            return wrong
        wrong = misshaped(body["actor"], ACTOR) or (body["object"] and misshaped(body["object"], OBJECT))
        if wrong:
            return f"{wrong} in its actor or object"
        if body["object"] == {}:
            return "names an object that is empty"
        if body["incident"] != entry.incident:
            return "is of another incident than the entry"
        event = bytes.fromhex(body["id"].replace("-", ""))
        if event in self.event_ids:
            return "is there twice"
        self.event_ids.add(event)
        return self._wrong_keys(body)

    def _wrong_keys(self, body: Body) -> str | None:
        known = self.types.get(body["type"])
        if known is None:
            return "is of a type this program does not know: {}".format(shown(body["type"]))
        required, allowed, private = known
        data = body["data"].keys()
        if not (required <= data and data <= allowed and body["priv"].keys() <= private):
            return "has keys that an event {} does not have, or lacks one".format(body["type"])
        return None


EventKeys = tuple[set[str], set[str], set[str]]


def type_of(required: str, more: str, private: str) -> EventKeys:
    needed = set(required.split())
    return needed, needed | set(more.split()) | EVERYWHERE, set(private.split())


# --- The answer ----------------------------------------------------------------------------------------------------


def verify(bundle: str, trust: str | None = None, kept: Sequence[str] = ()) -> Report:
    """Never raises: whatever is wrong with the input stands in the report."""
    report = Report()
    try:
        _verify(bundle, trust, kept, report)
    except Fault as fault:
        report.add(fault)
    except Unreadable as error:
        report.missing.append(str(error))
    except OSError as error:
        report.missing.append(f"A file could not be read to its end: {error.strerror or error}.")
    except Exception as error:  # the last resort; a case that gets here is a fault of this program
        report.missing.append(f"The check stopped at something it was not made for: {type(error).__name__}.")
    return report


def _verify(bundle: str, trust_file: str | None, kept: Sequence[str], report: Report) -> None:
    package = Package(open_bundle(Path(bundle)))
    about = package.about
    report.size, report.incident, report.reference = about["size"], about["incident"], about["reference"]
    report.entries, report.whole = about["entries"], about["whole"]
    trust = trust_from(package.object("trust.json"))
    if trust_file is None:
        report.own_trust = True
        report.notes.append("The keys are the bundle's own: compare their fingerprints with ones obtained elsewhere.")
    else:
        trust = read_trust(trust_file)
    report.keys = [fingerprint(public) for public in trust.keys]
    report.authorities = [fingerprint(certificate_bytes(pem) or b"") for pem in trust.tsa]
    checkpoints = Checkpoints(package, trust, kept, report)
    report.root = base64.b64encode(checkpoints.newest.root).decode()
    bounds = judge_stamps(read_anchors(package, checkpoints, report), trust, report)
    Entries(package, checkpoints, bounds, report).read()


def read_trust(path: str) -> Trust:
    """A trust file that somebody brought along. If it is no good, that says nothing of the bundle."""
    try:
        raw = Path(path).read_bytes()
        return trust_from(checked_object(raw[:-1] if raw.endswith(b"\n") else raw, SHAPES["trust.json"], "trust.json"))
    except OSError as error:
        raise Unreadable(f"The trust file {path} cannot be read: {error.strerror or error}.") from None
    except Fault as fault:
        raise Unreadable(f"The trust file {path} is of no use: {fault.sentence}") from None


def as_json(report: Report) -> str:
    fault = report.first_fault()
    content = {
        "verdict": report.verdict,
        "rule": fault.rule if fault else None,
        "n": fault.n if fault else None,
        "sentence": fault.sentence if fault else (report.missing or ["Every rule holds."])[0],
        "missing": report.missing,
        "notes": report.notes,
        "size": report.size,
        "root": report.root,
        "entries": report.entries,
        "incident": report.incident,
        "reference": report.reference,
        "keys": report.keys,
    }
    return json.dumps(content, indent=2)


def as_text(report: Report) -> str:
    lines = [report.verdict, ""]
    fault = report.first_fault()
    if fault:
        lines.append(f"Rule {fault.rule}, {RULES[fault.rule]}. {fault.sentence}")
        lines.append("The rules are checked in order; after a fault nothing else in the bundle is vouched for.")
    lines += [f"Missing: {text}" for text in report.missing]
    if report.verdict == "VALID":
        lines += _what_it_proves(report)
    return "\n".join([*lines, *_fingerprints(report)]) + "\n"


def _what_it_proves(report: Report) -> list[str]:
    entries = f"{'all ' if report.whole else ''}{report.entries} entries"
    checkpoints = f"{report.older} older and {report.kept} kept checkpoints, {len(report.stamps)} time stamps"
    return [
        f"Case      {shown(report.reference)} ({report.incident})",
        f"Log       {report.size} entries, root {report.root}",
        f"Checked   {entries}; {checkpoints}; {report.rows} delivery rows; {report.openings} private values",
        "",
        "What this proves, if the keys below are the organisation's:",
        "- every entry shown is in the log as signed, at its place, with the content shown;",
        "- it is everything that the log holds of this case up to its head, in this order;",
        "- the log extends every older checkpoint named here: nothing was taken out or rewritten since;",
        "- what was sent had been approved before, unchanged, by somebody who had not written it;",
        "- private values shown are the ones recorded then; those not shown were erased by a recorded event.",
        *[f"- times of linking, before and after this time stamp: {text}." for text in report.stamps[-3:]],
        "What it does not prove:",
        "- that what somebody typed was true, or that everything that happened was recorded;",
        "- when, beyond the organisation's own clock, where no time stamp stands above;",
        "- that nobody with the signing key made another log: compare checkpoints kept elsewhere with --note.",
    ]


def _fingerprints(report: Report) -> list[str]:
    lines = [""] if report.keys else []
    lines += [f"Signing key (SHA-256): {text}" for text in report.keys]
    lines += [f"Time-stamping authority (SHA-256 of its certificate): {text}" for text in report.authorities]
    if report.own_trust:
        lines.append(
            "These keys come from the bundle itself. Compare them with ones obtained elsewhere, or use --trust."
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Checks an evidence bundle. Exit 0 VALID, 1 INVALID, 2 INCOMPLETE.")
    parser.add_argument("bundle", help="the ZIP file, or a folder with its files")
    parser.add_argument("--trust", help="a trust.json obtained elsewhere, instead of the bundle's own")
    parser.add_argument("--note", action="append", default=[], help="a checkpoint somebody kept; may be given often")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    given = parser.parse_args(arguments)
    report = verify(given.bundle, given.trust, given.note)
    answer = as_json(report) + "\n" if given.json else as_text(report)
    sys.stdout.buffer.write(answer.encode("ascii", "replace"))
    sys.stdout.flush()
    return {"VALID": 0, "INVALID": 1, "INCOMPLETE": 2}[report.verdict]


# --- The event types: the keys that must stand in data, those that may besides, and the private ones ----------------

# BEGIN EVENTS (made by: python -m breachdesk.audit.verifier)
EVENTS: dict[str, tuple[str, str, str]] = {
    "assessment.made": ("level", "hundredths method number", "inputs note"),
    "backup.made": ("", "bytes digest files keys log_size", ""),
    "backup.restored": ("", "digest log_size made_at", ""),
    "bundle.exported": ("", "sections_digest whole with_private", "recipient"),
    "calendar.made": ("", "", ""),
    "calendar.revoked": ("", "", ""),
    "caller.answered": ("count", "by_code deliveries people", ""),
    "caller.noted": ("said", "", "words"),
    "caller.settled": ("", "", "words"),
    "checkpoint.refused": ("why", "last_size size", ""),
    "clock.anomaly": ("kind seconds", "first last seq_at", ""),
    "deadline.warned": ("asked warnings", "deputies users", ""),
    "decision.asked": ("asked", "kind permission users", ""),
    "decision.deputies_asked": ("asked", "kind permission users", ""),
    "decision.settled": ("", "kind permission", ""),
    "delivery.answered_late": ("count", "batch edition", ""),
    "delivery.batch_settled": (
        "blocked handed_over refused retry_wait unknown",
        "batch edition notice rows rows_root",
        "",
    ),
    "delivery.brought_forward": ("count language", "why", ""),
    "delivery.cancelled": ("count language", "", ""),
    "delivery.decided": ("kind language people", "asked_by moved revision rows_root rule", "reason"),
    "delivery.decision_asked": ("language people", "kind revision rows_root rule", "reason"),
    "delivery.decision_withdrawn": ("language people", "kind revision", ""),
    "delivery.recovered": ("handed_over returned unknown", "batch edition refused retry_wait", ""),
    "delivery.swept": ("returned unknown", "batch edition rows rows_root", ""),
    "destruction.asked": (
        "what",
        "files lapses_at letters matches people receipts rejected signed_pdfs trail",
        "reason",
    ),
    "destruction.confirmed": (
        "what",
        "files letters matches not_before people receipts rejected signed_pdfs trail",
        "",
    ),
    "destruction.lapsed": ("what", "", ""),
    "destruction.refused": ("what", "", "reason"),
    "destruction.withdrawn": ("what", "", ""),
    "duty.met": ("regime told_at", "duty place", "delay_reason how"),
    "edition.amendment_approved": ("added changed language", "digest revision rows_root", ""),
    "edition.amendment_asked": ("added changed language", "digest revision rows_root", ""),
    "edition.amendment_refused": ("added changed language", "digest revision", "reason"),
    "edition.approved": ("language recipients", "digest given needed recipients_root revision", ""),
    "edition.armed": ("language start_at", "late_after revision zone", ""),
    "edition.cancelled": ("language", "cancelled epoch in_air revision", "reason"),
    "edition.comment_settled": ("language", "revision", ""),
    "edition.commented": ("language", "revision", "text"),
    "edition.created": ("language revision", "", ""),
    "edition.disarmed": ("language", "revision", ""),
    "edition.finished": ("handed_over language refused unknown", "blocked cancelled recipients suppressed", ""),
    "edition.glass_broken": ("language needed", "digest given recipients revision", "reason"),
    "edition.opened": ("language", "digest kinds revision shown", ""),
    "edition.overruled": ("checks language", "revision sha256", "reason what"),
    "edition.paused": ("in_air language", "answered epoch number revision thousandths why", "reason"),
    "edition.rate_changed": ("language rate", "approved before epoch in_air revision", "reason"),
    "edition.rejected": ("language", "digest revision", "reason"),
    "edition.reopened": ("language people", "epoch kind revision", ""),
    "edition.resumed": ("language", "epoch revision", "reason"),
    "edition.route_changed": ("language route", "before epoch in_air revision", "reason"),
    "edition.saved": ("language", "revision", "body subject"),
    "edition.schedule_missed": ("language why", "late_after revision start_at", ""),
    "edition.scheduled": (
        "language",
        (
            "at_once calls_per_hour canary late_after per_domain per_minute quiet_from quiet_until revision "
            "start_at thousandths wave_hours wave_size zone"
        ),
        "",
    ),
    "edition.started": ("language recipients", "armed_by digest epoch planned revision", ""),
    "edition.submitted": ("language recipients", "digest recipients_root revision", ""),
    "edition.tested": ("count language", "digest failed revision users", ""),
    "edition.withdrawn": ("language", "revision", "reason"),
    "fact.stated": ("key", "replaces value", "basis"),
    "filing.answered": ("questions", "promised_on", "answers"),
    "filing.exported": ("form number", "authority bytes compared_with digest form_version format state", ""),
    "filing.followed_up": ("form number", "authority form_version", ""),
    "filing.opened": ("form", "authority form_version", ""),
    "filing.sent_back": ("form", "authority form_version", "reason"),
    "filing.signed_off": ("form number", "authority digest form_version", ""),
    "filing.submitted": ("number submitted_at", "authority form form_version way", "authority_reference delay_reason"),
    "filing.submitted_for_review": ("form", "authority form_version", ""),
    "heartbeat": ("", "log_size", ""),
    "incident.closed": ("", "", "reason"),
    "incident.facts_changed": (
        "fields",
        "kinds kinds_uncertain origin our_role people_high people_low",
        "action_taken effects processor reason title what_happened",
    ),
    "incident.head": ("inc_n", "inc_leaf", ""),
    "incident.opened": (
        "reference",
        "kinds kinds_uncertain origin our_role people_high people_low",
        "action_taken effects processor title what_happened",
    ),
    "index.asked": ("answer", "deliveries", "reason"),
    "index_key.destroyed": ("", "people", ""),
    "key.created": ("", "", ""),
    "key.destroyed": ("", "files letters matches people receipts rejected signed_pdfs trail which", "reason"),
    "key.rotated": ("", "key_id old_key_id public_key", ""),
    "key.shared": ("", "", ""),
    "letters.begun": ("language people", "revision rows_root window", ""),
    "letters.failed": ("people", "why", ""),
    "letters.made": ("letters pages", "digest files left_out", ""),
    "letters.posted": ("letters posted_at", "digest pages", "how"),
    "letters.taken": ("letters", "digest file", ""),
    "letters.voided": ("letters", "state", "reason"),
    "mail_event.received": ("count", "applied kinds source", ""),
    "mapping.removed": ("", "", "name"),
    "mapping.saved": ("", "columns", "name"),
    "moment.corrected": ("at kind", "before before_precision before_zone precision replaces zone", "basis reason"),
    "moment.stated": ("at kind", "precision zone", "basis"),
    "notice.audience_changed": ("people", "held languages voided without_email", "sentence"),
    "notice.created": ("", "language", "title"),
    "notification.decided": ("about answer", "assessment facts replaces", "reason"),
    "organisation.changed": (
        "fields",
        "",
        (
            "address allowed_links approvers_needed company_number deputy_after dpo_email dpo_name dpo_phone "
            "hotline ico_registration languages legal_name reply_to sector sender_email sender_name short_name "
            "website zone"
        ),
    ),
    "organisation.mail_tested": ("outcome", "code", "answer"),
    "people.count_stated": ("high low", "basis upload", "source"),
    "people.export_approved": ("people", "fields", ""),
    "people.export_asked": ("people", "fields", "reason"),
    "people.export_expired": ("", "", ""),
    "people.export_made": ("people", "bytes fields sha256", ""),
    "people.export_refused": ("", "", "reason"),
    "people.export_withdrawn": ("", "", ""),
    "people.exported": ("people", "bytes fields sha256", ""),
    "people.held": ("people", "kind placing until", "reason"),
    "people.looking_began": ("", "", "reason"),
    "people.released": ("people", "ended placing", ""),
    "people.revealed": ("count", "fields people", "reason"),
    "people.searched": ("count", "people", ""),
    "person.held": ("", "kind until", "reason"),
    "person.released": ("", "ended", "reason"),
    "position.stated": ("key", "replaces value", "basis"),
    "privacy.erased": ("count", "erased ground", "requester"),
    "proof.exported": ("", "batch delivery digest", ""),
    "register.exported": ("rows", "bytes digest format", ""),
    "rejected.downloaded": ("rows", "upload", ""),
    "report.exported": ("", "bytes digest", ""),
    "retention.held": ("", "", "reason"),
    "retention.released": ("", "", "reason"),
    "retention.set": ("", "delete_on index_until", "reason"),
    "roles.synced": ("changes", "", ""),
    "sending.held_back": ("why", "file_number number", ""),
    "sending.reconciled": ("applied found", "digest lines resumed source unknown_left why", ""),
    "sending.resumed": ("why", "file_number number", "reason"),
    "signing.resumed": ("why", "last_root last_size size", ""),
    "signing_key.made": ("", "key_id public_key", ""),
    "test_send.began": ("language", "count revision users", ""),
    "trail.verified": ("verdict", "idx root rule size", ""),
    "upload.accepted": ("people", "duplicates explained rejected without_email", "explanations"),
    "upload.checked": ("people rejected rows", "duplicates rejected_root seconds signals without_email", ""),
    "upload.discarded": ("", "people rows", "reason"),
    "upload.failed": ("why", "people rows", "detail"),
    "upload.left": ("people", "changed rejected", ""),
    "upload.loaded": ("people rejected rows", "changed duplicates seconds withdrawn without_email", ""),
    "upload.matched": ("columns purpose", "container encoding stored", "reason"),
    "upload.received": ("bytes", "sha256", "filename"),
    "upload.undone": ("people", "duplicates", "reason"),
    "user.changed": ("", "deputy fields", "email name zone"),
    "user.invited": ("roles", "", "email name"),
    "user.joined": ("", "", ""),
    "user.password_changed": ("", "", ""),
    "user.readmitted": ("roles", "", ""),
    "user.removed": ("", "", "reason"),
    "user.reset": ("", "", ""),
    "user.roles_changed": ("roles", "before", ""),
    "user.signed_in": ("", "", ""),
}
# END EVENTS


if __name__ == "__main__":
    sys.exit(main())
