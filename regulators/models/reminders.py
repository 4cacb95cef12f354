import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User

TRY_AGAIN_AFTER = timedelta(minutes=10)


class ReminderQuerySet(models.QuerySet["Reminder"]):
    def of(self, incident: Incident) -> "ReminderQuerySet":
        return self.filter(incident=incident)

    def untold(self, moment: datetime) -> "ReminderQuerySet":
        """Those whose e-mail has not gone out, unless somebody is at it just now."""
        return self.filter(told_at=None).filter(Q(tried_at=None) | Q(tried_at__lte=moment - TRY_AGAIN_AFTER))

    def made_together(self, incident_id: uuid.UUID, made_at: datetime) -> "ReminderQuerySet":
        return self.filter(incident_id=incident_id, made_at=made_at)


class Reminder(models.Model):
    """One warning about one date of one duty, which is made once whatever restarts. A date that moves warns anew.

    Those made together go out in one e-mail, to deputies too where `calls_deputies`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="reminders")
    duty = models.CharField(max_length=140)
    warning = models.CharField(max_length=20)
    due_at = models.DateTimeField()
    calls_deputies = models.BooleanField()
    made_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["incident", "duty", "warning", "due_at"], name="a_warning_is_made_once")
        ]

    def __str__(self) -> str:
        return f"{self.warning} of {self.duty}"


class CalendarFeedQuerySet(models.QuerySet["CalendarFeed"]):
    def open(self) -> "CalendarFeedQuerySet":
        return self.filter(revoked_at=None)

    def of(self, user: "User") -> "CalendarFeedQuerySet":
        return self.filter(user=user)

    def with_token(self, token_sha256: bytes) -> "CalendarFeedQuerySet":
        """Of a colleague who was not removed meanwhile."""
        return self.open().filter(token_sha256=token_sha256, user__is_active=True).select_related("user")


class CalendarFeed(models.Model):
    """A private address under which a colleague's calendar reads our dates. Only the hash of its secret is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calendar_feeds")
    token_sha256 = models.BinaryField(unique=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(revoked_at=None), name="one_open_feed_per_user")
        ]

    def __str__(self) -> str:
        return f"Calendar of {self.user_id}"
