from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open, refuse_closed
from breachdesk.incidents.models import Incident
from breachdesk.vault.sealing import seal
from regulators.addressees import NAME_LENGTH, Addressee, addressee_of
from regulators.addressees import named as addressee_named
from regulators.catalogue import get_form
from regulators.catalogue.schema import Form
from regulators.content import bytes_of, content_of, digest_of
from regulators.filing_pdf import FilingDocument
from regulators.models import Answer, Filing, FilingVersion, Receipt
from regulators.pdf_signing import keep_signed
from regulators.receipts import RECEIPT_BYTES, TOO_LARGE
from regulators.sheet import Given, Sheet, sheet_of
from regulators.standing import due_of_filing
from regulators.unsaved import drop_all_words, drop_words
from regulators.wording import text_of

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class NewAnswer:
    """What a person answers, over version `expected` of that answer: 0 where nobody has answered by hand yet."""

    expected: int
    value: Any = None
    promised_on: date | None = None
    so_far: str = ""
    follows_facts: bool = False


@dataclass(frozen=True)
class ReceiptFile:
    name: str
    content: bytes


@action("regulators.write_filing")
def open_filing(incident: Incident, form: str, *, by: "User", authority: str = "", named: str = "") -> Filing:
    """Begins the newest version of the form; from then on the filing keeps that version and its authority.

    `authority` is a key of the catalogue, and can be left out where the form has one alone. A common form goes also to
    one that the catalogue does not have, `named` by hand.
    """
    incident = lock_open(incident)
    definition = get_form(form)
    addressee = _addressee(definition, authority, " ".join(named.split()))
    if Filing.objects.of(incident).to(addressee.key).filter(form=form).exists():
        raise ValidationError(
            f"{incident.reference} already has this form for the {addressee.short_name}. "
            "It was not opened a second time."
        )
    filing = Filing.objects.create(
        incident=incident,
        form=form,
        form_version=definition.version,
        authority_key=addressee.key,
        authority=addressee.name,
        opened_by=by,
        opened_at=timezone.now(),
    )
    record("filing.opened", by=by, on=filing, **_said_of(filing))
    return filing


def _said_of(filing: Filing) -> dict[str, Any]:
    """What every event of a filing says about it."""
    return {"form": filing.form, "form_version": filing.form_version, "authority": filing.authority_key}


def _addressee(form: Form, key: str, name: str) -> Addressee:
    if name and form.is_common:
        if len(name) > NAME_LENGTH:
            raise ValidationError(f"The name of the authority is longer than {NAME_LENGTH} characters. Shorten it.")
        return addressee_named(name)
    key = key or (form.authority.id if form.authority else "")
    if not name and (found := addressee_of(form, key)):
        return found
    raise ValidationError("This form does not go to that authority. Choose one that takes it. Nothing was opened.")


@action("regulators.write_filing")
def save_answers(filing: Filing, answers: Mapping[str, NewAnswer], *, by: "User") -> Filing:
    """All of them or none. A ValidationError names, by question, whose words stand in the way.

    What an answer says already is not given again, whatever the page was that sent it: a page whose own saving is
    still on its way when “Save” is pressed sends the same words twice.
    """
    filing = _lock(filing)
    if not filing.is_draft:
        raise ValidationError(f"This filing is {filing.get_state_display().lower()}; its answers stand as they are.")
    written = {answer.question: answer for answer in filing.answers.select_related("answered_by").all()}
    to_write = {key: new for key, new in answers.items() if not _says_so_already(written.get(key), new)}
    refused: dict[str, str] = {}
    for key, new in to_write.items():
        old = written.get(key)
        if (old.version if old else 0) != new.expected:
            refused[key] = _overtaken(filing, old)
        elif reason := _unfit(filing, key, new):
            refused[key] = reason
    if refused:
        raise ValidationError({key: [reason] for key, reason in refused.items()})
    for key, new in to_write.items():
        _write(filing, key, new, written.get(key), by)
    drop_words(filing, list(answers), by=by)
    return filing


def _says_so_already(old: Answer | None, new: NewAnswer) -> bool:
    if old is None or old.version <= new.expected:
        return False
    said = (old.value, old.promised_on, old.so_far, old.follows_facts)
    return said == (new.value, new.promised_on, new.so_far.strip(), new.follows_facts)


def _overtaken(filing: Filing, answer: Answer | None) -> str:
    if answer is None:
        return "This answer went back to the facts while you were typing. Your words are kept here; save again."
    question = filing.definition.question(answer.question)
    theirs = "" if answer.value is None else f" Theirs: “{text_of(question, answer.value)[:300]}”"
    return (
        f"{answer.answered_by.name} changed this answer while you were typing, and nothing was overwritten.{theirs} "
        "Your words are kept here. Save again to put them in place of theirs."
    )


def _unfit(filing: Filing, key: str, new: NewAnswer) -> str:
    question = filing.definition.question(key)
    if new.promised_on is None:
        return ""
    if question.not_known is None:
        return "“Not yet known” is not open for this question: the authority needs an answer now."
    if new.promised_on < timezone.now().date():
        return "The promised date has passed. Give the day by which you will send this answer."
    return ""


def _write(filing: Filing, key: str, new: NewAnswer, old: Answer | None, by: "User") -> None:
    answer = old or Answer(filing=filing, question=key, version=0)
    answer.value, answer.promised_on, answer.so_far = new.value, new.promised_on, new.so_far.strip()
    answer.follows_facts = new.follows_facts
    answer.answered_by, answer.answered_at = by, timezone.now()
    answer.version += 1
    answer.save(force_insert=old is None)
    text = text_of(filing.definition.question(key), answer.value) or answer.so_far
    promised = answer.promised_on.isoformat() if answer.promised_on else None
    private = {"answers": text} if text else {}
    record("filing.answered", by=by, on=answer, private=private, questions=[key], promised_on=promised)


@action("regulators.write_filing")
def submit_for_sign_off(filing: Filing, *, expected_version: int, by: "User") -> Filing:
    filing = _lock(filing, expected_version)
    _demand_state(filing, Filing.State.DRAFT, "asked for sign-off")
    _refuse_gaps(sheet_of(filing, at=timezone.now()))
    filing.review_asked_by, filing.review_asked_at = by, timezone.now()
    _move(filing, Filing.State.IN_REVIEW)
    record("filing.submitted_for_review", by=by, on=filing, **_said_of(filing))
    ask_for_decision(
        "regulators.sign_off_filing",
        on=filing,
        url=filing.get_absolute_url(),
        sentence=f"The {filing.addressee.short_name} report of {filing.incident.reference} needs sign-off.",
        by=by,
    )
    return filing


@action("regulators.write_filing")
def send_back(filing: Filing, *, reason: str, expected_version: int, by: "User") -> Filing:
    """Back to a draft, by whoever is asked to sign or by whoever wants to change an answer."""
    filing = _lock(filing, expected_version)
    _demand_state(filing, Filing.State.IN_REVIEW, "sent back")
    if not reason.strip():
        raise ValidationError("Say what has to change before it can be signed off.")
    _move(filing, Filing.State.DRAFT)
    record(
        "filing.sent_back",
        by=by,
        on=filing,
        private={"reason": reason.strip()},
        **_said_of(filing),
    )
    settle_decisions(on=filing, by=by)
    return filing


@action("regulators.sign_off_filing")
def sign_off_filing(filing: Filing, *, digest: bytes, expected_version: int, by: "User") -> FilingVersion:
    """Fixes the content whose digest the signer saw, to the byte; anything else is refused."""
    filing = _lock(filing, expected_version)
    _demand_state(filing, Filing.State.IN_REVIEW, "signed off")
    now = timezone.now()
    sheet = sheet_of(filing, at=now)
    _refuse_gaps(sheet)
    content = content_of(sheet)
    if digest_of(content) != digest:
        raise ValidationError("The report changed since you opened it. Nothing was signed: read it once more.")
    version = FilingVersion(id=uuid4(), filing=filing, number=content["number"], content=bytes_of(content))
    version.digest, version.signed_by, version.signed_at = digest, by, now
    _set_state(filing, Filing.State.SIGNED_OFF)
    event = record(
        "filing.signed_off",
        by=by,
        on=version,
        also=[filing],
        sha256=digest,
        number=version.number,
        **_said_of(filing),
        digest=digest,
    )
    version.sign_event = event.event_id
    version.save(force_insert=True)
    _save_state(filing)
    drop_all_words(filing)
    settle_decisions(on=filing, by=by)
    return version


@action("regulators.record_submission")
def record_submission(
    filing: Filing,
    *,
    submitted_at: datetime,
    way: str,
    expected_version: int,
    by: "User",
    authority_reference: str = "",
    delay_reason: str = "",
    file: ReceiptFile | None = None,
) -> Receipt:
    """Says that the signed-off version reached its authority. This stops the clock."""
    filing = _lock(filing, expected_version, closed_too=True)
    _demand_state(filing, Filing.State.SIGNED_OFF, "submitted")
    version = filing.signed
    assert version is not None, "the database holds a version for every signed-off filing"
    _check_submission(version, submitted_at, way, file)
    _demand_delay_reason(filing, version, submitted_at, delay_reason)
    receipt = Receipt(id=uuid4(), filing_version=version, submitted_at=submitted_at, way=way, recorded_by=by)
    receipt.recorded_at, receipt.delay_reason = timezone.now(), delay_reason.strip()
    receipt.authority_reference = authority_reference.strip()
    _save_receipt(receipt, file)
    _move(filing, Filing.State.SUBMITTED)
    record(
        "filing.submitted",
        by=by,
        on=receipt,
        also=[filing],
        sha256=sha256(file.content).digest() if file else None,
        private=_typed_of(receipt),
        number=version.number,
        submitted_at=submitted_at,
        way=receipt.way,
        **_said_of(filing),
    )
    return receipt


def _check_submission(version: FilingVersion, submitted_at: datetime, way: str, file: ReceiptFile | None) -> None:
    if submitted_at > timezone.now():
        raise ValidationError({"submitted_at": "That is in the future. Record a submission after it was made."})
    if submitted_at < version.signed_at.replace(second=0, microsecond=0):
        raise ValidationError({"submitted_at": "That is before the sign-off. What was submitted must be this version."})
    if way not in Receipt.Way.values:
        raise ValidationError({"way": "Choose how it was submitted."})
    if file and len(file.content) > RECEIPT_BYTES:
        raise ValidationError({"file": TOO_LARGE})


def _demand_delay_reason(filing: Filing, version: FilingVersion, submitted_at: datetime, reason: str) -> None:
    """What was signed off after its time says why by itself; what was signed off in time and sent late could not."""
    due = due_of_filing(filing)
    if due and due.at and version.signed_at <= due.at < submitted_at and not reason.strip():
        raise ValidationError(
            {"delay_reason": "It was sent after the end of the period. Say why: the law asks for the reasons."}
        )


def _typed_of(receipt: Receipt) -> dict[str, str]:
    typed = {"authority_reference": receipt.authority_reference, "delay_reason": receipt.delay_reason}
    return {name: text for name, text in typed.items() if text}


def _save_receipt(receipt: Receipt, file: ReceiptFile | None) -> None:
    if file:
        receipt.file_name = file.name[:120]
        receipt.file_sha256 = sha256(file.content).digest()
        receipt.file_sealed = seal(
            receipt.incident_id, file.content, table="regulators_receipt", column="file_sealed", row=receipt.pk
        )
    receipt.save(force_insert=True)


@action("regulators.write_filing")
def begin_follow_up(filing: Filing, *, expected_version: int, by: "User") -> Filing:
    """The next version, starting from the last: what a person wrote stays, what the facts say is live again."""
    filing = _lock(filing, expected_version)
    _demand_state(filing, Filing.State.SUBMITTED, "followed up")
    filing.review_asked_by = filing.review_asked_at = None
    _move(filing, Filing.State.DRAFT)
    record("filing.followed_up", by=by, on=filing, number=filing.number, **_said_of(filing))
    return filing


@action("regulators.view_filing")
def export_filing(filing: Filing, document: FilingDocument, *, by: "User") -> FilingDocument:
    """Records that this document left the product. It is rendered before, outside any transaction.

    A signed one is kept with the first export, and of two first ones the same leaves twice.
    """
    filing = Filing.objects.select_for_update(of=("self",)).get(pk=filing.pk)
    document, kept = keep_signed(document, by=by)
    compared: dict[str, Any] = {"compared_with": document.compared_with} if document.compared_with else {}
    record(
        "filing.exported",
        by=by,
        on=filing,
        also=[kept] if kept else [],
        sha256=sha256(document.content).digest(),
        number=document.number,
        **_said_of(filing),
        state=filing.state_of(document.number),
        digest=document.digest,
        format=document.format,
        bytes=len(document.content),
        **compared,
    )
    return document


def _lock(filing: Filing, expected_version: int | None = None, *, closed_too: bool = False) -> Filing:
    """The filing as it is in this moment, with nobody else changing it until commit."""
    locked = Filing.objects.select_for_update(of=("self",)).select_related("incident").get(pk=filing.pk)
    if not closed_too:
        refuse_closed(locked.incident)
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError(
            f"Somebody moved this filing on while you were looking: it is {locked.get_state_display().lower()} now. "
            "Nothing was changed."
        )
    return locked


def _demand_state(filing: Filing, state: Filing.State, done: str) -> None:
    if filing.state != state:
        raise ValidationError(
            f"Only a filing that is {state.label.lower()} can be {done}; this one is "
            f"{filing.get_state_display().lower()}. Nothing was changed."
        )


def _refuse_gaps(sheet: Sheet) -> None:
    sentences = [f"{_named(given)}: an answer is missing." for given in sheet.missing]
    sentences += [f"{_named(given)}: {given.over_limit:,} characters too many." for given in sheet.too_long]
    if sentences:
        raise ValidationError(["Nothing was changed. These answers need another look first:", *sentences])


def _named(given: Given) -> str:
    return f"{given.number} {given.question.label}"


def _move(filing: Filing, state: Filing.State) -> None:
    _set_state(filing, state)
    _save_state(filing)


def _set_state(filing: Filing, state: Filing.State) -> None:
    filing.state = state
    filing.version += 1


def _save_state(filing: Filing) -> None:
    filing.save(update_fields=["state", "version", "review_asked_by", "review_asked_at"])
