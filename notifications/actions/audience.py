"""Saying whom a notice is for, and in which order languages are tried."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from breachdesk.incidents.locking import refuse_closed
from breachdesk.people.languages import language_name, language_tag
from breachdesk.people.models import Upload
from notifications.audience import Audience
from notifications.audience_words import sentence_of
from notifications.locked import STILL_WRITABLE, back_to_draft, void, which
from notifications.models import Edition, Notice, NoticeAuthor, Override
from notifications.readership import counted, names_in

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

State = Edition.State


@action("notifications.write_notice")
def define_audience(
    notice: Notice,
    *,
    audience: Audience,
    fallback: Sequence[str] | None = None,
    by: "User",
    expected_version: int | None = None,
) -> Notice:
    """Whom it is for, and the languages tried in turn. What waits or is approved becomes a draft, its approvals void.

    Refused once a message of the notice may have gone out: telling others then is a new notice.
    """
    locked = _lock(notice, expected_version)
    order = list(locked.fallback if fallback is None else fallback)
    if (audience.to_json(), order) == (locked.audience, locked.fallback):
        return locked
    editions = list(locked.editions.select_for_update().order_by("pk"))
    _refuse_begun(editions)
    _refuse_strange(locked, audience, order)
    voided = _back_to_drafts(editions, by=by)
    locked.audience, locked.fallback, locked.version = audience.to_json(), order, locked.version + 1
    locked.save(update_fields=["audience", "fallback", "version"])
    NoticeAuthor.objects.get_or_create(notice=locked, author=by)
    found = counted(locked.incident, audience)
    record(
        "notice.audience_changed",
        by=by,
        on=locked,
        also=voided,
        private={"sentence": sentence_of(audience, names_in(audience, locked.incident))},
        people=found.people,
        held=found.held,
        without_email=found.without_email,
        languages=order,
        voided=len(voided),
    )
    return locked


def _lock(notice: Notice, expected_version: int | None) -> Notice:
    locked = Notice.objects.select_related("incident").select_for_update(of=("self",)).get(pk=notice.pk)
    refuse_closed(locked.incident)
    if expected_version is not None and locked.version != expected_version:
        raise ValidationError(
            f"“{locked.title}” was changed by somebody else since you opened it. Nothing was changed: read it again."
        )
    return locked


def _refuse_begun(editions: Sequence[Edition]) -> None:
    for edition in editions:
        if edition.started_at is not None or edition.state not in {*STILL_WRITABLE, State.CANCELLED}:
            raise ValidationError(
                f"Messages of the {language_name(edition.language)} edition went out already, so whom this notice is "
                "for stays as it is. To tell others, or to tell people again, begin another notice."
            )


def _refuse_strange(notice: Notice, audience: Audience, order: Sequence[str]) -> None:
    """What the audience names must be of this case: an earlier notice, lists that count, languages we know."""
    before = Notice.objects.of(notice.incident).begun_before(notice)
    if audience.earlier and not before.filter(pk=audience.earlier.notice).exists():
        raise ValidationError("That notice is not an earlier one of this incident. Choose one from the list.")
    lists = Upload.objects.of(notice.incident).loaded().filter(pk__in=audience.lists)
    if lists.count() < len(audience.lists):
        raise ValidationError("One of these lists is not taken in any more. Choose among those on the page.")
    for tag in order:
        if language_tag(tag) != tag:
            raise ValidationError(f"“{tag}” is not a language we know. Choose one from the list.")
    if len(set(order)) < len(order):
        raise ValidationError("A language stands twice in the order in which they are tried. Leave one of them out.")


def _back_to_drafts(editions: Sequence[Edition], *, by: "User") -> list[Override]:
    """Whoever said yes, or took a failing check on themselves, said it of other people."""
    voided: list[Override] = []
    for edition in editions:
        if edition.state in {State.IN_REVIEW, State.APPROVED}:
            record("edition.withdrawn", by=by, on=edition, **back_to_draft(edition), **which(edition))
        voided += void(edition.overrides.in_force())
    return voided
