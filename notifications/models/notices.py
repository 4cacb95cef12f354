"""Notices, their editions, and who said yes to what."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: "User") -> "NoticeQuerySet":
        return self if user.has_perm("notifications.view_notice") else self.none()

    def of(self, incident: Incident) -> "NoticeQuerySet":
        return self.filter(incident=incident)

    def of_case(self, incident_id: uuid.UUID) -> "NoticeQuerySet":
        return self.filter(incident=incident_id)

    def oldest_first(self) -> "NoticeQuerySet":
        return self.order_by("created_at", "pk")

    def begun_before(self, notice: "Notice") -> "NoticeQuerySet":
        """Those that an audience of this one may speak of: so no two can ask for each other."""
        return self.filter(created_at__lt=notice.created_at).oldest_first()

    def with_editions(self) -> "NoticeQuerySet":
        return self.prefetch_related(models.Prefetch("editions", Edition.objects.in_order().with_people()))

    def newest_first(self) -> "NoticeQuerySet":
        return self.order_by("-created_at")


class Notice(models.Model):
    """One message to many people. A person gets it at most once, whatever the edition."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notices")
    title = models.CharField(max_length=160)
    default_language = models.CharField(max_length=12, default="en")
    fallback = ArrayField(models.CharField(max_length=12), default=list)  # languages tried in turn: recipients.py
    audience = models.JSONField(default=dict, blank=True)  # all people of the case, or some of them: audience.py
    starter = models.CharField(max_length=40, blank=True)  # of starters/, for its further languages
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_notice", "See notices"),
            ("write_notice", "Write notices"),
            ("comment_edition", "Comment on a notice"),
            ("approve_edition", "Approve a notice"),
            ("break_glass", "Let one approval of two be enough"),
            ("send_edition", "Start and resume a send"),
            ("pause_edition", "Pause or cancel a send"),
            ("test_edition", "Send a test to colleagues"),
            ("answer_callers", "Answer people who call about a notice"),
            ("resend_unknown", "Send again what may have arrived, with a second person"),
            ("close_unknown", "Take an unknown as sent"),
            ("unblock_delivery", "Decide about messages that were stopped"),
            ("print_letters", "Make and post letters"),
        ]
        constraints = [models.UniqueConstraint(fields=["incident", "title"], name="one_notice_per_title")]

    def __str__(self) -> str:
        return self.title


UNDER_WAY = ("sending", "paused")


class EditionQuerySet(models.QuerySet["Edition"]):
    def visible_to(self, user: "User") -> "EditionQuerySet":
        return self if user.has_perm("notifications.view_notice") else self.none()

    def of(self, incident: Incident) -> "EditionQuerySet":
        return self.filter(notice__incident=incident)

    def of_case(self, incident_id: uuid.UUID) -> "EditionQuerySet":
        return self.filter(notice__incident=incident_id)

    def still_to_end(self) -> "EditionQuerySet":
        return self.exclude(state__in=[Edition.State.FINISHED, Edition.State.CANCELLED])

    def finished_of(self, incidents: Iterable[Incident]) -> dict[uuid.UUID, datetime]:
        """When the first notice that went to its end was through, by incident."""
        ended = self.filter(notice__incident__in=list(incidents), finished_at__isnull=False)
        rows = ended.order_by().values_list("notice__incident").annotate(first=models.Min("finished_at"))
        return dict(rows)

    def first_start_of(self, incident: Incident) -> datetime | None:
        """When the first notice began to go out."""
        begun: datetime | None = self.of(incident).aggregate(first=models.Min("started_at"))["first"]
        return begun

    def with_approvals(self) -> "EditionQuerySet":
        return self.prefetch_related("approvals")

    def sending(self) -> "EditionQuerySet":
        return self.filter(state=Edition.State.SENDING)

    def sending_in(self, epoch: int | None) -> "EditionQuerySet":
        """Being sent, and in this epoch if one is named."""
        return self.sending() if epoch is None else self.sending().filter(epoch=epoch)

    def armed(self) -> "EditionQuerySet":
        """Approved, and to begin by themselves at the time of their schedule."""
        return self.filter(state=Edition.State.APPROVED, armed_at__isnull=False)

    def cancelled_with_waiting(self) -> "EditionQuerySet":
        """Cancelled on the way, with people who came back from a worker since."""
        cancelled = self.with_incident().filter(state=Edition.State.CANCELLED)
        return cancelled.filter(deliveries__next_at__isnull=False).distinct()

    def under_way(self) -> "EditionQuerySet":
        """Being sent, or standing still half-way."""
        return self.filter(state__in=UNDER_WAY)

    def to_look_after(self) -> "EditionQuerySet":
        """Under way, or ended in an open case: what became of some people's message may still be open."""
        ended = Q(state__in=[Edition.State.FINISHED, Edition.State.CANCELLED], started_at__isnull=False)
        return self.filter(Q(state__in=UNDER_WAY) | ended & Q(notice__incident__status=Incident.Status.OPEN))

    def in_work(self) -> "EditionQuerySet":
        """Neither finished nor cancelled."""
        return self.exclude(state__in=[Edition.State.FINISHED, Edition.State.CANCELLED])

    def frozen(self) -> "EditionQuerySet":
        """Waiting for a yes, or approved: a change of anything that is bound makes them drafts."""
        return self.filter(state__in=[Edition.State.IN_REVIEW, Edition.State.APPROVED])

    def with_incident(self) -> "EditionQuerySet":
        return self.select_related("notice__incident")

    def with_people(self) -> "EditionQuerySet":
        """With the colleagues whose names a list shows."""
        return self.select_related("saved_by", "submitted_by", "started_by", "stopped_by")

    def begun(self) -> "EditionQuerySet":
        """Whose messages went out, or began to."""
        return self.filter(started_at__isnull=False)

    def latest_begun_first(self) -> "EditionQuerySet":
        return self.order_by("-started_at", "pk")

    def in_order(self) -> "EditionQuerySet":
        return self.order_by("language", "revision")


class Edition(models.Model):
    """A notice in one language and revision: what is written, approved and sent."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "Waiting for approval"
        APPROVED = "approved", "Approved, not started"
        SENDING = "sending", "Sending"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="editions")
    language = models.CharField(max_length=12)
    revision = models.PositiveSmallIntegerField(default=1)
    subject = models.CharField(max_length=160, blank=True)
    body = models.TextField(max_length=20_000, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    epoch = models.PositiveIntegerField(default=0)
    schedule = models.JSONField(default=dict, blank=True)  # when and how fast: schedule.py
    rate = models.JSONField(null=True, blank=True)  # how fast, where somebody changed it while it is sent: schedule.py
    route = models.PositiveSmallIntegerField(default=1)  # the way out, chosen by a person: routes.py
    approvers_needed = models.PositiveSmallIntegerField(null=True)
    renderings = models.JSONField(default=list, blank=True)  # keys of those an approver opens first: renderings.py
    digest = models.BinaryField(null=True)
    published = models.JSONField(default=dict)  # subject, sender and links as approved: what anybody may be told
    recipients_root = models.BinaryField(null=True)
    recipients_count = models.PositiveIntegerField(null=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(null=True)
    armed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    armed_at = models.DateTimeField(null=True)  # approved, and begins by itself at the time of its schedule
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    stopped_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = EditionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["notice", "language", "revision"], name="one_edition_per_revision"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "cancelled"])
                | Q(digest__isnull=False, recipients_root__isnull=False, recipients_count__isnull=False),
                name="what_is_reviewed_is_frozen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice.title} ({self.language})"

    @property
    def incident_id(self) -> uuid.UUID:
        return self.notice.incident_id
