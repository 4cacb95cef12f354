"""Beginning a notice and writing its editions."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import lock_open, refuse_closed
from breachdesk.incidents.models import Incident
from breachdesk.people.languages import language_name, language_tag
from notifications.audience import suggested_audience
from notifications.models import Edition, EditionAuthor, Notice, NoticeAuthor
from notifications.starters import STARTERS, starter_for, usual_starter

if TYPE_CHECKING:
    from breachdesk.accounts.models import User
from notifications.locked import STILL_WRITABLE, back_to_draft, lock, save, void, which

State = Edition.State


@action("notifications.write_notice")
def create_notice(
    incident: Incident, *, title: str, default_language: str = "en", starter: str = "", by: "User"
) -> Notice:
    """A notice with the first draft of its default edition, so that nobody begins with an empty page."""
    incident = lock_open(incident)
    if not title.strip():
        raise ValidationError({"title": "Give the notice a short name. Only colleagues see it."})
    language = _known_language(default_language)
    starter = starter if starter in STARTERS else usual_starter(incident)
    notice = Notice(
        incident=incident,
        title=title.strip(),
        default_language=language,
        fallback=[language],
        audience=suggested_audience(starter, incident).to_json(),
        starter=starter,
        created_by=by,
        created_at=timezone.now(),
    )
    if incident.notices.filter(title=notice.title).exists():
        raise ValidationError(
            {"title": f"{incident.reference} has a notice of this name already. Nothing was changed."}
        )
    notice.full_clean(exclude=["incident", "created_by"])
    notice.save(force_insert=True)
    NoticeAuthor.objects.create(notice=notice, author=by)
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
    locked = lock(edition, STILL_WRITABLE, "changed", expected_version)
    subject, body = " ".join(subject.split()), body.replace("\r\n", "\n").replace("\r", "\n")
    if (subject, body) == (locked.subject, locked.body):
        return locked
    if locked.state != State.DRAFT:
        record("edition.withdrawn", by=by, on=locked, **back_to_draft(locked), **which(locked))
    voided = void(locked.overrides.in_force())
    EditionAuthor.objects.get_or_create(edition=locked, author=by)
    locked.subject, locked.body, locked.saved_by, locked.saved_at = subject, body, by, timezone.now()
    locked.clean_fields(exclude=[field.name for field in Edition._meta.fields if field.name not in ("subject", "body")])
    save(locked)
    private = {"subject": subject, "body": body}
    record("edition.saved", by=by, on=locked, also=voided, private=private, **which(locked))
    return locked


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
    record("edition.created", by=by, on=edition, **which(edition))
    return edition


def _first_draft(notice: Notice, language: str) -> tuple[str, str]:
    key = notice.starter or usual_starter(notice.incident)
    return starter_for(language, notice.incident, key, timezone.localdate())


def _known_language(language: str) -> str:
    tag = language_tag(language)
    if tag is None:
        raise ValidationError({"language": f"“{language}” is not a language we know. Choose one from the list."})
    return tag
