from hashlib import sha256
from secrets import token_urlsafe
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.accounts.permissions import OWN_ACCOUNT, action
from breachdesk.audit.record import record
from regulators.models import CalendarFeed

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("regulators.view_filing")
def make_calendar_feed(*, by: "User") -> str:
    """Returns the secret of the private address. It is told this once; one that was made before no longer works."""
    _end(by, by=by)
    token = token_urlsafe(32)
    feed = CalendarFeed.objects.create(user=by, token_sha256=sha256(token.encode()).digest(), made_at=timezone.now())
    record("calendar.made", by=by, on=feed)
    return token


@action(OWN_ACCOUNT)
def revoke_calendar_feed(*, by: "User") -> None:
    if not _end(by, by=by):
        raise ValidationError("You have no private address for a calendar. Nothing was changed.")


@action("accounts.manage_staff")
def end_calendar_feed(user: "User", *, by: "User") -> None:
    """Of a colleague who is removed or must choose a new password; nothing where there is none."""
    _end(user, by=by)


def _end(user: "User", *, by: "User") -> bool:
    feed = CalendarFeed.objects.open().of(user).select_for_update().first()
    if feed is None:
        return False
    feed.revoked_at = timezone.now()
    feed.version += 1
    feed.save(update_fields=["revoked_at", "version"])
    record("calendar.revoked", by=by, on=feed)
    return True
