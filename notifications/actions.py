"""Everything that changes a notice or an edition. What changes a single delivery is in delivery.py."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils import timezone

from breachdesk.accounts.decisions import ask_for_decision, settle_decisions
from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open, refuse_closed
from breachdesk.incidents.models import Incident
from breachdesk.people.languages import language_name, language_tag
from notifications import delivery, tasks
from notifications.checking import NOBODY, check, refuse_what_cannot_be_sent
from notifications.editions import skeleton_of, the_organisation
from notifications.freezing import digest_of, recipients_of_plan
from notifications.genuine import published_of
from notifications.lint import Finding
from notifications.models import Approval, Edition, EditionAuthor, Notice, Override
from notifications.starters import STARTERS, starter_for, usual_starter
from notifications.wording import text_digest

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

Given = TypeVar("Given", Approval, Override)
State = Edition.State
STILL_WRITABLE = {State.DRAFT, State.IN_REVIEW, State.APPROVED}
STARTED = {State.SENDING, State.PAUSED}


@action("notifications.write_notice")
def create_notice(
    incident: Incident, *, title: str, default_language: str = "en", starter: str = "", by: "User"
) -> Notice:
    """A notice with the first draft of its default edition, so that nobody begins with an empty page."""
    incident = lock_open(incident)
    if not title.strip():
        raise ValidationError({"title": "Give the notice a short name. Only colleagues see it."})
    notice = Notice(
        incident=incident,
        title=title.strip(),
        default_language=_known_language(default_language),
        starter=starter if starter in STARTERS else usual_starter(incident),
        created_by=by,
        created_at=timezone.now(),
    )
    if incident.notices.filter(title=notice.title).exists():
        raise ValidationError(
            {"title": f"{incident.reference} has a notice of this name already. Nothing was changed."}
        )
    notice.full_clean(exclude=["incident", "created_by"])
    notice.save(force_insert=True)
    record("notice.created", by=by, on=notice, private={"title": notice.title}, language=notice.default_language)
    _begin_edition(notice, notice.default_language, by=by)
    return notice


@action("notifications.write_notice")
def add_edition(notice: Notice, *, language: str, by: "User") -> Edition:
    """The notice in one more language, or the next revision in one whose edition is finished or cancelled."""
    notice = Notice.objects.select_for_update().get(pk=notice.pk)
    refuse_closed(notice.incident)
    language = _known_language(language)
    if notice.editions.in_work().filter(language=language).exists():
        raise ValidationError(f"There is an edition in {language_name(language)} already. Open that one.")
    return _begin_edition(notice, language, by=by)


@action("notifications.write_notice")
def save_draft(
    edition: Edition, *, subject: str, body: str, by: "User", expected_version: int | None = None
) -> Edition:
    """Keeps the text, faults and all: only submission refuses them. What waits or is approved becomes a draft again."""
    locked = _lock(edition, STILL_WRITABLE, "changed", expected_version)
    subject, body = " ".join(subject.split()), body.replace("\r\n", "\n").replace("\r", "\n")
    if (subject, body) == (locked.subject, locked.body):
        return locked
    if locked.state != State.DRAFT:
        record("edition.withdrawn", by=by, on=locked, **_back_to_draft(locked), **_which(locked))
    voided = _void(locked.overrides.in_force())
    EditionAuthor.objects.get_or_create(edition=locked, author=by)
    locked.subject, locked.body, locked.saved_by, locked.saved_at = subject, body, by, timezone.now()
    locked.clean_fields(exclude=[field.name for field in Edition._meta.fields if field.name not in ("subject", "body")])
    _save(locked)
    private = {"subject": subject, "body": body}
    record("edition.saved", by=by, on=locked, also=voided, private=private, **_which(locked))
    return locked


@action("notifications.approve_edition")
def overrule_checks(
    edition: Edition, *, checks: Iterable[str], reason: str, by: "User", expected_version: int | None = None
) -> list[Override]:
    """A second person takes the responsibility for failing checks of exactly these words, by the keys of the checks."""
    locked = _lock(edition, {State.DRAFT}, "overruled", expected_version)
    if locked.authors.filter(author=by).exists():
        raise ValidationError("You wrote a part of this edition, so somebody else must take the responsibility.")
    if not reason.strip():
        raise ValidationError(
            {"reason": "Say why it may go out all the same. It stands in the trail and in the bundle."}
        )
    found = check(locked, the_organisation(), subject=locked.subject, body=locked.body, fresh=True)
    wanted = set(checks)
    chosen = [fault for fault in found.faults if fault.key in wanted]
    if not chosen:
        raise ValidationError("Choose what you take the responsibility for. None of what was chosen is failing now.")
    given = [_override(locked, fault, reason.strip(), by) for fault in {fault.key: fault for fault in chosen}.values()]
    record(
        "edition.overruled",
        by=by,
        on=locked,
        also=given,
        private={"reason": reason.strip(), "what": " ".join(fault.sentence for fault in chosen)},
        checks=len(given),
        sha256=bytes(given[0].text_sha256),
        **_which(locked),
    )
    return given


@action("notifications.write_notice")
def submit_for_review(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    """Freezes text and list, and asks somebody who wrote none of it. Refused while one message could not be made."""
    locked = _lock(edition, {State.DRAFT}, "submitted", expected_version)
    organisation = the_organisation()
    refuse_what_cannot_be_sent(locked, organisation)
    delivery.plan_deliveries(locked)
    locked.recipients_root, locked.recipients_count = recipients_of_plan(locked)
    if not locked.recipients_count:
        raise ValidationError(NOBODY)
    locked.digest = digest_of(locked, organisation, locked.recipients_root, locked.recipients_count)
    locked.published = published_of(skeleton_of(locked, organisation))
    locked.state, locked.submitted_by, locked.submitted_at = State.IN_REVIEW, by, timezone.now()
    _save(locked)
    record(
        "edition.submitted",
        by=by,
        on=locked,
        batches=[delivery.plan_of(locked)],
        sha256=_digest(locked),
        **_which(locked),
        **_frozen(locked),
    )
    ask_for_decision(
        "notifications.approve_edition",
        on=locked,
        url=reverse("edition-review", args=[locked.notice.incident.reference, locked.pk]),
        sentence=_asked_sentence(locked),
        excluding=[row.author for row in locked.authors.select_related("author")],
        by=by,
    )
    return locked


@action("notifications.write_notice")
def withdraw(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> Edition:
    """An author takes the edition back to go on writing; an approval it had is void."""
    locked = _lock(edition, {State.IN_REVIEW, State.APPROVED}, "taken back", expected_version)
    names = _back_to_draft(locked)
    record("edition.withdrawn", by=by, on=locked, private=_typed(reason), **names, **_which(locked))
    return locked


@action("notifications.approve_edition")
def reject_edition(edition: Edition, *, reason: str, by: "User", expected_version: int | None = None) -> Edition:
    locked = _lock(edition, {State.IN_REVIEW}, "sent back", expected_version)
    if not reason.strip():
        raise ValidationError({"reason": "Say what must change. The author reads this first."})
    digest = _digest(locked)
    names = _back_to_draft(locked)
    record("edition.rejected", by=by, on=locked, private=_typed(reason), digest=digest, **names, **_which(locked))
    return locked


@action("notifications.approve_edition")
def approve_edition(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    """Binds this person's yes to exactly what is recomputed now; an author is refused here and by the database."""
    locked = _lock(edition, {State.IN_REVIEW}, "approved", expected_version)
    if locked.authors.filter(author=by).exists():
        raise ValidationError("You wrote a part of this edition, so somebody else must approve it.")
    _refuse_difference(locked, "approved")
    given = Approval.objects.create(edition=locked, digest=locked.digest, approver=by, approved_at=timezone.now())
    locked.state = State.APPROVED
    _save(locked)
    digest = _digest(locked)
    record("edition.approved", by=by, on=locked, also=[given], sha256=digest, **_which(locked), **_frozen(locked))
    settle_decisions(on=locked, by=by)
    return locked


@action("notifications.send_edition")
def start_edition(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    """Checks the approved digest once more and rings the workers. A lost ring only costs time: the sweeper rings."""
    locked = _lock(edition, {State.APPROVED}, "started", expected_version)
    _refuse_difference(locked, "sent")
    locked.started_by, locked.started_at = by, timezone.now()
    _open_the_gate(locked)
    record(
        "edition.started",
        by=by,
        on=locked,
        sha256=_digest(locked),
        recipients=locked.recipients_count,
        digest=_digest(locked),
        epoch=locked.epoch,
        **_which(locked),
    )
    return locked


@action("notifications.pause_edition")
def pause_edition(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> int:
    """How many messages were already on their way when the gate closed; none follows them."""
    delivery.hold_back_hand_overs(edition.pk)
    locked = _lock(edition, {State.SENDING}, "paused", expected_version, even_closed=True)
    in_air = delivery.in_the_air(locked)
    locked.state, locked.stopped_by, locked.stopped_at = State.PAUSED, by, timezone.now()
    _save(locked)
    record(
        "edition.paused", by=by, on=locked, private=_typed(reason), in_air=in_air, epoch=locked.epoch, **_which(locked)
    )
    return in_air


@action("notifications.send_edition")
def resume_edition(edition: Edition, *, by: "User", expected_version: int | None = None) -> Edition:
    locked = _lock(edition, {State.PAUSED}, "resumed", expected_version)
    _refuse_difference(locked, "sent")
    _open_the_gate(locked)
    record("edition.resumed", by=by, on=locked, epoch=locked.epoch, **_which(locked))
    return locked


@action("notifications.pause_edition")
def cancel_edition(edition: Edition, *, by: "User", reason: str = "", expected_version: int | None = None) -> int:
    """Stops an edition for good. Returns how many messages were already on their way."""
    delivery.hold_back_hand_overs(edition.pk)
    locked = _lock(edition, STILL_WRITABLE | STARTED, "cancelled", expected_version, even_closed=True)
    in_air, cancelled = delivery.in_the_air(locked), 0
    if locked.state in STARTED:
        cancelled = delivery.cancel_deliveries(locked)
    else:
        delivery.forget_plan(locked)
    locked.state, locked.stopped_by, locked.stopped_at = State.CANCELLED, by, timezone.now()
    _save(locked)
    record(
        "edition.cancelled",
        by=by,
        on=locked,
        batches=[delivery.plan_of(locked)],
        private=_typed(reason),
        epoch=locked.epoch,
        in_air=in_air,
        cancelled=cancelled,
        **_which(locked),
    )
    settle_decisions(on=locked, by=by)
    return in_air


def _lock(
    edition: Edition, states: set[State], done: str, expected_version: int | None, *, even_closed: bool = False
) -> Edition:
    locked = Edition.objects.select_related("notice__incident").select_for_update(of=("self",)).get(pk=edition.pk)
    name = f"The {language_name(locked.language)} edition"
    if locked.state not in states:
        state = locked.get_state_display().lower()
        raise ValidationError(f"{name} cannot be {done}: it is “{state}” now. Nothing was changed.")
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError(
            f"{name} was changed by somebody else since you opened it. Nothing was changed: read it again, then decide."
        )
    if not even_closed:
        refuse_closed(locked.notice.incident)
    return locked


def _save(locked: Edition) -> None:
    locked.version += 1
    locked.save()


def _void(given: "QuerySet[Given]") -> "list[Given]":
    """Approvals or overrides of words that are no more."""
    voided = list(given)
    for one in voided:
        one.voided_at, one.version = timezone.now(), one.version + 1
        one.save(update_fields=["voided_at", "version"])
    return voided


def _override(locked: Edition, fault: Finding, reason: str, by: "User") -> Override:
    digest = text_digest(locked.subject, locked.body)
    said = {"check_key": fault.key, "sentence": fault.sentence[:600], "reason": reason, "text_sha256": digest}
    return Override.objects.create(edition=locked, given_by=by, given_at=timezone.now(), **said)


def _back_to_draft(locked: Edition) -> dict[str, Any]:
    """Whoever said yes said it to something else: approvals are void, the list is free again. What the event names."""
    voided = _void(locked.approvals.in_force())
    delivery.forget_plan(locked)
    locked.state = State.DRAFT
    locked.digest = locked.recipients_root = locked.recipients_count = None
    _save(locked)
    settle_decisions(on=locked, by=None)
    return {"also": voided, "batches": [delivery.plan_of(locked)]}


def _open_the_gate(locked: Edition) -> None:
    locked.state = State.SENDING
    locked.epoch += 1
    _save(locked)
    transaction.on_commit(partial(tasks.ring, locked.pk), robust=True)


def _refuse_difference(locked: Edition, done: str) -> None:
    """The digest is computed again from what stands in the database now, never taken from the row."""
    root, count = recipients_of_plan(locked)
    if digest_of(locked, the_organisation(), root, count) != _digest(locked):
        raise ValidationError(
            "This is not what was submitted any more: the organisation's page, a fact of the incident or the list of "
            f"people has changed. Nothing was {done}. An author takes it back and submits it again."
        )


def _begin_edition(notice: Notice, language: str, *, by: "User") -> Edition:
    earlier = notice.editions.filter(language=language).order_by("-revision").first()
    subject, body = (earlier.subject, earlier.body) if earlier else _first_draft(notice, language)
    revision = (notice.editions.filter(language=language).aggregate(last=Max("revision"))["last"] or 0) + 1
    edition = Edition.objects.create(
        notice=notice,
        language=language,
        revision=revision,
        subject=subject,
        body=body,
        saved_by=by,
        saved_at=timezone.now(),
    )
    authors = {by.pk, *(earlier.authors.values_list("author", flat=True) if earlier else ())}
    EditionAuthor.objects.bulk_create(EditionAuthor(edition=edition, author_id=author) for author in authors)
    record("edition.created", by=by, on=edition, **_which(edition))
    return edition


def _first_draft(notice: Notice, language: str) -> tuple[str, str]:
    key = notice.starter or usual_starter(notice.incident)
    return starter_for(language, notice.incident, key, timezone.localdate())


def _asked_sentence(edition: Edition) -> str:
    reference, language = edition.notice.incident.reference, language_name(edition.language)
    return f"{reference}: a notice in {language} to {edition.recipients_count:,} people waits for approval."


def _known_language(language: str) -> str:
    tag = language_tag(language)
    if tag is None:
        raise ValidationError({"language": f"“{language}” is not a language we know. Choose one from the list."})
    return tag


def _which(edition: Edition) -> dict[str, Any]:
    return {"language": edition.language, "revision": edition.revision}


def _frozen(edition: Edition) -> dict[str, Any]:
    return {
        "recipients": edition.recipients_count,
        "recipients_root": bytes(edition.recipients_root or b""),
        "digest": _digest(edition),
    }


def _digest(edition: Edition) -> bytes:
    return bytes(edition.digest or b"")


def _typed(reason: str) -> dict[str, str]:
    return {"reason": reason.strip()} if reason.strip() else {}
