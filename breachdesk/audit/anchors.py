"""Checkpoints left with somebody outside: stamped by authorities (RFC 3161) every hour, mailed every day, and both soon
after a filing or an export. Whoever rewrites the log later would have to rewrite what they hold as well.

Every try leaves a row with its receipt or with what was answered; a place that fails is tried again after a minute,
then after two, four, and so on up to an hour. Nothing waits for any of this but the task that does it, and no
transaction is open while it talks.
"""

import smtplib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import takewhile

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone

from breachdesk.audit.canonical import parse, time_of, time_text
from breachdesk.audit.checkpoints import latest_checkpoint, public_keys
from breachdesk.audit.locks import process_lock
from breachdesk.audit.models import Anchor, Checkpoint, Entry
from breachdesk.audit.note import parse_note
from breachdesk.audit.stamps import TIMEOUT, Stamp, StampRefused, ask_all, read_roots

STAMP_LOCK, MAIL_LOCK = 0x6264616E6368, 0x62646D61696C  # "bdanch", "bdmail"
STAMP, MAIL = "rfc3161", "mail"
# What is anchored without waiting for the hour or the day.
AT_ONCE = ("filing.signed_off", "filing.submitted", "bundle.exported")
# A stamp may be this much later than the linking of the first entry that it does not cover. Verifiers allow 60 s.
LATEST = timedelta(seconds=50)
# An authority's clock may be this much behind ours. Verifiers allow no more.
BEHIND = timedelta(seconds=5)
FIRST_PAUSE, LONGEST_PAUSE, REMEMBERED = timedelta(minutes=1), timedelta(hours=1), 8
LARGEST_KEPT = 16 << 10  # bytes of an answer that does not count
NOTE_NAME = "checkpoint.note"


@dataclass(frozen=True)
class Target:
    """Somebody outside. `name` is what the row says; `address` is where the note goes."""

    kind: str
    name: str
    address: str

    @property
    def every(self) -> timedelta:
        return timedelta(hours=1) if self.kind == STAMP else timedelta(days=1)

    def tries(self) -> list[Anchor]:
        """The latest tries, newest first."""
        return list(Anchor.objects.of(self.kind, self.name).newest_first()[:REMEMBERED])

    def last_good(self) -> Anchor | None:
        return Anchor.objects.of(self.kind, self.name).filter(ok=True).newest_first().first()


def authorities() -> list[Target]:
    return [Target(STAMP, url, url) for url in _listed(settings.BREACHDESK.tsa_urls)]


def addresses(dpo: str = "") -> list[Target]:
    """The data protection officer, whom only a higher app knows, and whoever keeps the notes outside."""
    outside = _listed(settings.BREACHDESK.anchor_mail)
    named = [Target(MAIL, f"outside-{number}", address) for number, address in enumerate(outside, 1)]
    return [Target(MAIL, "dpo", dpo), *named] if dpo else named


def _listed(setting: str) -> list[str]:
    return [part.strip() for part in setting.split(",") if part.strip()]


# When


def is_due(target: Target, checkpoint: Checkpoint, now: datetime) -> bool:
    failures = list(takewhile(lambda anchor: not anchor.ok, target.tries()))
    if failures and now < failures[0].at + pause_after(len(failures)):
        return False
    last = target.last_good()
    if last is None:
        return True
    return checkpoint.size > last.size and (
        now - last.at >= target.every or _was_urgent(last.size, checkpoint.size, target)
    )


def pause_after(failures: int) -> timedelta:
    return min(FIRST_PAUSE * (1 << failures - 1), LONGEST_PAUSE)


def _was_urgent(start: int, end: int, target: Target) -> bool:
    """Whether a filing, or for stamps an export, was linked at one of these positions."""
    types = AT_ONCE if target.kind == STAMP else AT_ONCE[:2]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM audit_event JOIN audit_entry USING (event_id)
                              WHERE type = ANY (%s) AND idx >= %s AND idx < %s)""",
            [list(types), start, end],
        )
        return bool(cursor.fetchone()[0])


# Time stamps


def stamp_if_due(now: datetime) -> list[Anchor]:
    """Asks every authority that is due to stamp the newest checkpoint, all at once. Does nothing when another does."""
    with process_lock(STAMP_LOCK) as held:
        checkpoint = latest_checkpoint() if held else None
        due = [target for target in authorities() if checkpoint and is_due(target, checkpoint, now)]
        if checkpoint is None or not due or not _is_fresh(checkpoint):
            return []
        answers = _ask(due, checkpoint)
        return [_keep_stamp(checkpoint, target, answers[target.name]) for target in due]


def _is_fresh(checkpoint: Checkpoint) -> bool:
    """Whether a stamp of it could still count. If not, the next checkpoint is less than a minute away."""
    following = _linked_at(checkpoint.size)
    return following is None or _clock() + timedelta(seconds=TIMEOUT) < following + LATEST


def _ask(due: Sequence[Target], checkpoint: Checkpoint) -> dict[str, Stamp | StampRefused]:
    try:
        roots = read_roots(settings.BREACHDESK.tsa_roots_file)
    except StampRefused as refusal:
        return {target.name: refusal for target in due}
    return ask_all([target.name for target in due], checkpoint.note.encode(), roots)


def _keep_stamp(checkpoint: Checkpoint, target: Target, answer: Stamp | StampRefused) -> Anchor:
    receipt = answer.receipt
    if isinstance(answer, StampRefused):
        kept = receipt if receipt and len(receipt) <= LARGEST_KEPT else None
        return _keep(checkpoint, target, kept, ok=False, answer=str(answer))
    fault = _out_of_time(checkpoint, answer.stated_at)
    said = fault or f"It states {time_text(answer.stated_at)}."
    return _keep(checkpoint, target, receipt, ok=not fault, answer=said)


def _out_of_time(checkpoint: Checkpoint, stated: datetime) -> str:
    """A stamp that a verifier would hold against the log, because clocks differ or it came late, does not count."""
    last, following = _linked_at(checkpoint.size - 1), _linked_at(checkpoint.size)
    if last and stated < last - BEHIND:
        return f"It states {time_text(stated)}, before the last entry was linked. Set both clocks right."
    if stated > (following or _clock()) + LATEST:
        return f"It states {time_text(stated)}, too long after the checkpoint. A newer one is tried."
    return ""


def _linked_at(idx: int) -> datetime | None:
    entry = Entry.objects.filter(idx=idx).values_list("entry", flat=True).first()
    return None if entry is None else time_of(parse(bytes(entry))["seq_at"])


def _clock() -> datetime:
    """The database's, by which entries are linked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def _keep(checkpoint: Checkpoint, target: Target, receipt: bytes | None, *, ok: bool, answer: str) -> Anchor:
    return Anchor.objects.create(
        size=checkpoint.size,
        kind=target.kind,
        target=target.name,
        receipt=receipt,
        ok=ok,
        at=timezone.now(),
        answer=answer,
    )


# Mail


def mail_if_due(now: datetime, *, dpo: str = "") -> list[Anchor]:
    """Sends the newest note to everybody who is due, each in a letter of their own."""
    with process_lock(MAIL_LOCK) as held:
        checkpoint = latest_checkpoint() if held else None
        if checkpoint is None:
            return []
        due = [target for target in addresses(dpo) if is_due(target, checkpoint, now)]
        return [_mail(checkpoint, target) for target in due]


def _mail(checkpoint: Checkpoint, target: Target) -> Anchor:
    letter = letter_with(checkpoint, target.address)
    try:
        letter.send()
    except (OSError, smtplib.SMTPException) as error:
        return _keep(checkpoint, target, None, ok=False, answer=_refusal_of(error))
    return _keep(checkpoint, target, None, ok=True, answer=_accepted(letter))


def letter_with(checkpoint: Checkpoint, address: str) -> EmailMessage:
    """The note is attached as plain bytes: a mail program may rewrite the line ends of text, and one is enough."""
    context = {
        "note": parse_note(checkpoint.note),
        "made_at": checkpoint.made_at,
        "keys": signed_by(checkpoint.note),
        "sha256": sha256(checkpoint.note.encode()).hexdigest(),
    }
    subject, _, body = render_to_string("audit/email/checkpoint.txt", context).strip().partition("\n")
    letter = EmailMessage(subject.strip(), body.strip() + "\n", to=[address])
    letter.attach(NOTE_NAME, checkpoint.note.encode(), "application/octet-stream")
    return letter


def signed_by(note: str) -> list[str]:
    """The fingerprints of the keys that signed it, as far as the log knows them."""
    return fingerprints(line.key_id for line in parse_note(note).signatures)


def fingerprints(key_ids: Iterable[bytes]) -> list[str]:
    known = {key.key_id: key.fingerprint for key in public_keys()}
    return [known[key_id] for key_id in key_ids if key_id in known]


def _accepted(letter: EmailMessage) -> str:
    """Django's own way over SMTP says no more than that it was taken; a provider's gives its number for the message."""
    number = getattr(getattr(letter, "anymail_status", None), "message_id", None)
    return f"The mail host took it as {number}." if number else "The mail host took it."


def _refusal_of(error: Exception) -> str:
    """Without what the host says in words, which quotes addresses."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, _ = next(iter(error.recipients.values()))
            return f"The mail host refused the address with {code}."
        case smtplib.SMTPResponseException():
            return f"The mail host answered with {error.smtp_code}."
        case _:
            return f"The mail host could not be reached: {type(error).__name__}."
