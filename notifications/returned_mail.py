"""Mail that comes back to the return paths of our messages: read, matched with its delivery, and kept as an event.

- Delivery status notifications (RFC 3464) by the standard library, which keeps what decides: action and status. Bounces
  in forms of their own (qmail's, old Exchange's and the like) by flufl.bounce, Mailman's collection of them, which
  tells that a message failed and for how long, but neither status nor message.
- Complaints (RFC 5965) and automatic replies (RFC 3834).

It belongs to the delivery that its return path names by our code; without one, to that of the Message-ID in what came
back. What is neither is for people to read: it is never thrown away. Nothing of the text is kept.
"""

import email
import email.errors
import email.header
import email.policy
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from notifications.mail_events import Kind, Report, keep
from notifications.provider_events import delivery_in, enhanced_in
from notifications.verp import ForgedReturnPath, Sending, read_return_path

logger = logging.getLogger(__name__)
SOURCE = "returned_mail"
LARGEST = 1_000_000  # bytes of a message that are looked at: ours have 30,000
LOOKED_THROUGH = 200_000  # of them for words and addresses
AT_ONCE = 500
WORKS_FOR = 5.0  # seconds, then the sweeper's other work has its turn
PEOPLE = ".people"  # folder of a Maildir (Maildir++) with what is left to people
WRITTEN_TO = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
MACHINES = {"mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon", "bounce", "bounces", ""}
_ANSWERS_BY_ITSELF = re.compile(
    r"\s*(\[?auto(matic|mated)?[ -]?(re(ply|sponse)|antwort)|out of (the )?office|abwesen|r.ponse automatique|"
    r"automatische (antwort|r.ckmeldung)|absence|respuesta autom|risposta automatica|automatisch antwoord)",
    re.IGNORECASE,
)
_FIELD = re.compile(r"^(action|status|diagnostic-code)\s*:\s*(\S.{0,499})$", re.IGNORECASE | re.MULTILINE)
_OUR_ID = re.compile(r"^(?:message-id|in-reply-to)\s*:\s*(<[^<>\s]{1,200}>)", re.IGNORECASE | re.MULTILINE)
KIND_OF_ACTION = {
    "failed": Kind.BOUNCED,
    "delayed": Kind.DELAYED,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.ACCEPTED,
    "expanded": Kind.ACCEPTED,
}
KIND_OF_CLASS = {"5": Kind.BOUNCED, "4": Kind.DELAYED, "2": Kind.DELIVERED}


class Taken(StrEnum):
    """What was done with one message."""

    KEPT = "kept"
    FORGED = "forged"
    FOR_PEOPLE = "left to people"


def take(raw: bytes, *, recipient: str = "") -> Taken:
    """Read one message. Taking it twice adds nothing. `recipient` is its envelope's, where that is known."""
    try:
        report = _report_of(raw, recipient)
    except ForgedReturnPath:
        return Taken.FORGED
    except Exception as problem:  # anybody may write to us, and whatever they write must not stop the sweeper
        logger.info("A message that came back cannot be read (%s): it is left to people.", type(problem).__name__)
        return Taken.FOR_PEOPLE
    if report is None:
        return Taken.FOR_PEOPLE
    keep(report)
    return Taken.KEPT


def _report_of(raw: bytes, recipient: str) -> Report | None:
    message = email.message_from_bytes(raw[:LARGEST], policy=email.policy.compat32)
    found = kind_of(message, raw)
    about = _sending_of(message, raw, recipient, found is not None)
    if found is None or about is None:
        return None
    return Report(SOURCE, _id_of(message, raw), found[0], about, found[1], _date_of(message), sha256(raw).digest())


def _id_of(message: Message, raw: bytes) -> str:
    """The same for a message that came by two ways, which differ in their trace headers."""
    body = raw.partition(b"\r\n\r\n" if b"\r\n\r\n" in raw[:LOOKED_THROUGH] else b"\n\n")[2]
    return sha256(str(message.get("Message-ID", "")).encode(errors="replace") + b"\n" + body).hexdigest()


def _date_of(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def kind_of(message: Message, raw: bytes) -> tuple[Kind, str] | None:
    """What a message says became of ours, with the status code; None for what somebody wrote."""
    if status := _status(message):
        return status
    if (complaint := _part(message, "message/feedback-report")) is not None:
        is_praise = str(_headers_in(complaint).get("Feedback-Type", "")).strip().lower() == "not-spam"
        return None if is_praise else (Kind.COMPLAINED, "")
    if _is_from_a_machine(message):
        text = raw[:LOOKED_THROUGH].decode("latin-1")
        if fields := _fields(_FIELD.findall(text)):
            return fields
        from flufl.bounce import all_failures

        for_now, for_good = all_failures(message)
        if for_now or for_good:
            return Kind.BOUNCED if for_good else Kind.DELAYED, enhanced_in(text)
    return (Kind.AUTO_REPLIED, "") if _answers_by_itself(message) else None


def _status(message: Message) -> tuple[Kind, str] | None:
    """RFC 3464: one group of fields for the message, then one for each recipient."""
    part = _part(message, "message/delivery-status")
    if part is None:
        return None
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _fields(_FIELD.findall(_text(part)))
    return _fields([(name, str(value)) for group in payload for name, value in group.items()])  # type: ignore[union-attr]


def _fields(found: list[tuple[str, str]]) -> tuple[Kind, str] | None:
    """Ours had one recipient; a forwarder may list several. It came back only if it did for all of them."""
    told = [(name.lower(), value.strip()) for name, value in found]
    statuses = [value for name, value in told if name == "status"]
    actions = [value.split()[0].lower() for name, value in told if name == "action" and value]
    kinds = {kind for action in actions if (kind := KIND_OF_ACTION.get(action))}
    kinds = kinds or {kind for status in statuses if (kind := KIND_OF_CLASS.get(status[:1]))}
    if not kinds:
        return None
    ranked = (Kind.DELIVERED, Kind.DELAYED, Kind.ACCEPTED, Kind.BOUNCED)
    kind = next(one for one in ranked if one in kinds)
    said = [*statuses, *(value for name, value in told if name == "diagnostic-code")]
    codes = [code for words in said if (code := enhanced_in(words))]
    return kind, next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else "")


def _part(message: Message, kind: str) -> Message | None:
    return next((part for part in message.walk() if part.get_content_type() == kind), None)


def _headers_in(part: Message) -> Message:
    """Fields that the parser took for those of a message inside."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload[0] if payload and isinstance(payload[0], Message) else part
    return email.message_from_string(_text(part))


def _text(part: Message) -> str:
    body = part.get_payload(decode=True)
    return body[:LOOKED_THROUGH].decode("latin-1") if isinstance(body, bytes) else ""


def _is_from_a_machine(message: Message) -> bool:
    """Words like those of a bounce also stand in what people quote."""
    sender = parseaddr(str(message.get("From", "")))[1].partition("@")[0].lower()
    return (
        sender in MACHINES
        or str(message.get("Return-Path", "?")).strip() in ("<>", "")
        or "X-Failed-Recipients" in message
    )


def _answers_by_itself(message: Message) -> bool:
    submitted = re.split(r"[;\s(]", str(message.get("Auto-Submitted", "")).strip().lower())[0]
    if submitted not in ("", "no"):
        return True
    if any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply", "X-Auto-Response-Suppress")):
        return True
    precedence = str(message.get("Precedence", "")).strip().lower()
    return precedence in ("auto_reply", "bulk", "junk") or bool(_ANSWERS_BY_ITSELF.match(_subject(message)))


def _subject(message: Message) -> str:
    try:
        return str(email.header.make_header(email.header.decode_header(str(message.get("Subject", "")))))
    except (ValueError, LookupError, email.errors.MessageError):
        return ""


def _sending_of(message: Message, raw: bytes, recipient: str, is_machine: bool) -> Sending | None:
    """Raises ForgedReturnPath where an address has our form and not our code."""
    for address in (recipient, *_addresses(message)):
        if sending := read_return_path(address):
            return sending
    if not is_machine:
        return None
    for part in message.walk():
        for name in ("Original-Mail-From", "Return-Path"):
            if part is not message and (sending := read_return_path(str(_headers_of(part).get(name, "")))):
                return sending
    for named in _ids_in(message, raw):
        if delivery := delivery_in(named):
            return Sending(delivery, None)
    return None


def _headers_of(part: Message) -> Message:
    is_report = part.get_content_type() in ("message/feedback-report", "text/rfc822-headers", "message/rfc822")
    return _headers_in(part) if is_report else part


def _addresses(message: Message) -> Iterator[str]:
    for name in WRITTEN_TO:
        yield from (str(value)[:1000] for value in message.get_all(name, [])[:10])


def _ids_in(message: Message, raw: bytes) -> Iterator[str]:
    for name in ("In-Reply-To", "References"):
        yield from str(message.get(name, ""))[:5000].split()
    for part in message.walk():
        if part is not message:
            yield str(_headers_of(part).get("Message-ID", ""))
    yield from _OUR_ID.findall(raw[:LOOKED_THROUGH].decode("latin-1"))


def take_new() -> int:
    """What the mail server put into the folder of this installation, if it has one. A folder that cannot be read is
    told in the log, and stops nothing else."""
    folder = settings.BREACHDESK.returned_mail_dir
    if folder is None:
        return 0
    try:
        return sum(take_folder(folder).values())
    except OSError as problem:
        logger.error("Returned mail in %s cannot be taken: %s", folder, problem.strerror)
        return 0


def take_folder(folder: Path) -> "Counter[Taken]":
    """What is new in a Maildir. Taken messages go to its `cur`, those for people to its folder `.people`; where one
    cannot be moved, or the database is away, it stays and is taken again."""
    done: Counter[Taken] = Counter()
    names = sorted(entry.name for entry in os.scandir(folder / "new") if entry.is_file(follow_symlinks=False))
    until = time.monotonic() + WORKS_FOR
    for name in names[:AT_ONCE]:
        if done and time.monotonic() > until:
            break
        path = folder / "new" / name
        try:
            with path.open("rb") as file:
                raw = file.read(10 * LARGEST)
        except FileNotFoundError:
            continue  # another process took it
        taken = take(raw)
        _move(path, folder, taken)
        done[taken] += 1
    return done


def _move(path: Path, folder: Path, taken: Taken) -> None:
    if taken is Taken.FOR_PEOPLE:
        for inner in ("new", "cur", "tmp"):
            (folder / PEOPLE / inner).mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder / PEOPLE / "new" / path.name
    else:
        target = folder / "cur" / f"{path.name.partition(':')[0]}:2,S"
    try:
        path.rename(target)
    except FileNotFoundError:
        logger.info("%s was taken by another process.", path.name)


def put_aside(raw: bytes, folder: Path) -> None:
    """A whole message into a Maildir: written beside it first, so that nobody reads half of it."""
    for inner in ("new", "cur", "tmp"):
        (folder / inner).mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{int(time.time())}.{os.getpid()}.{sha256(raw).hexdigest()[:16]}"
    written = folder / "tmp" / name
    written.write_bytes(raw)
    written.rename(folder / "new" / name)


def left_to_people() -> int:
    """Messages that nobody has looked at yet, as far as they can be counted from here."""
    folder = settings.BREACHDESK.returned_mail_dir
    try:
        return len(list((folder / PEOPLE / "new").iterdir())) if folder else 0
    except OSError:
        return 0
