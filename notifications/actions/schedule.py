"""When and how fast an edition goes out: bound by its approval like its words."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from breachdesk.accounts.permissions import action
from breachdesk.audit.record import record
from notifications.delivery import now_of_database
from notifications.models import Edition, EditionAuthor
from notifications.schedule import Schedule

if TYPE_CHECKING:
    from breachdesk.accounts.models import User
from notifications.locked import STILL_WRITABLE, back_to_draft, lock, save, which


@action("notifications.write_notice")
def set_schedule(edition: Edition, *, schedule: Schedule, by: "User", expected_version: int | None = None) -> Edition:
    """Whoever sets it is an author. What waits for approval or is approved becomes a draft again."""
    locked = lock(edition, STILL_WRITABLE, "scheduled anew", expected_version)
    stored = schedule.to_json()
    if stored == locked.schedule:
        return locked
    if schedule.start_at and schedule.start_at != _start_of(locked) and schedule.start_at <= now_of_database():
        raise ValidationError({"start_date": "That moment has passed. Give one in the future, or none."})
    if locked.state != Edition.State.DRAFT:
        record("edition.withdrawn", by=by, on=locked, **back_to_draft(locked), **which(locked))
    EditionAuthor.objects.get_or_create(edition=locked, author=by)
    locked.schedule = stored
    save(locked)
    record("edition.scheduled", by=by, on=locked, **which(locked), **_said(schedule))
    return locked


def _start_of(locked: Edition) -> object:
    return Schedule.from_json(locked.schedule).start_at


def _said(schedule: Schedule) -> dict[str, Any]:
    """As an event carries it: what is not set is left out."""
    said = {
        "start_at": schedule.start_at,
        "zone": schedule.zone or None,
        "late_after": schedule.late_after if schedule.start_at else None,
        "quiet_from": f"{schedule.quiet[0]:%H:%M}" if schedule.quiet else None,
        "quiet_until": f"{schedule.quiet[1]:%H:%M}" if schedule.quiet else None,
        "per_minute": schedule.per_minute,
        "per_domain": schedule.per_domain,
        "at_once": schedule.at_once,
        "wave_size": schedule.wave_size,
        "wave_hours": schedule.wave_hours,
        "calls_per_hour": schedule.hotline.calls_per_hour if schedule.hotline else None,
        "thousandths": schedule.hotline.thousandths if schedule.hotline else None,
        "canary": schedule.canary or None,
    }
    return {key: value for key, value in said.items() if value is not None}
