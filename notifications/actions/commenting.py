"""Saying something of one paragraph, and settling what was said. Whoever comments becomes no author."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from notifications.commenting import quotable
from notifications.locked import STILL_WRITABLE, lock, which
from notifications.models import Comment, Edition

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("notifications.comment_edition")
def comment_on(edition: Edition, *, quote: str, text: str, by: "User") -> Comment:
    locked = lock(edition, STILL_WRITABLE, "commented on", None)
    text, quote = text.strip(), quote.replace("\r\n", "\n")
    if not text:
        raise ValidationError({"text": "Write what you want to say of this paragraph."})
    if quote not in quotable(locked):
        raise ValidationError(
            "This paragraph was changed since you opened the page. Nothing was kept: read it again, then comment."
        )
    comment = Comment(edition=locked, quote=quote, text=text, made_by=by, made_at=timezone.now())
    comment.clean_fields(exclude=["edition", "made_by", "settled_by", "settled_at"])
    comment.save(force_insert=True)
    record("edition.commented", by=by, on=locked, also=[comment], private={"text": text}, **which(locked))
    return comment


@action("notifications.comment_edition")
def settle_comment(comment: Comment, *, by: "User") -> Comment:
    locked = (
        Comment.objects.select_for_update(of=("self",)).select_related("edition__notice__incident").get(pk=comment.pk)
    )
    if locked.settled_at is not None:
        raise ValidationError("This comment is settled already. Nothing was changed.")
    locked.settled_by, locked.settled_at = by, timezone.now()
    locked.version += 1
    locked.save(update_fields=["settled_by", "settled_at", "version"])
    record("edition.comment_settled", by=by, on=locked.edition, also=[locked], **which(locked.edition))
    return locked
