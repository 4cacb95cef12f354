import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Count, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person

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
            ("approve_edition", "Approve a notice"),
            ("send_edition", "Start and resume a send"),
            ("pause_edition", "Pause or cancel a send"),
        ]
        constraints = [models.UniqueConstraint(fields=["incident", "title"], name="one_notice_per_title")]

    def __str__(self) -> str:
        return self.title


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

    def under_way(self) -> "EditionQuerySet":
        """Being sent, or standing still half-way."""
        return self.filter(state__in=[Edition.State.SENDING, Edition.State.PAUSED])

    def in_work(self) -> "EditionQuerySet":
        """Neither finished nor cancelled."""
        return self.exclude(state__in=[Edition.State.FINISHED, Edition.State.CANCELLED])

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
    digest = models.BinaryField(null=True)
    published = models.JSONField(default=dict)  # subject, sender and links as approved: what anybody may be told
    recipients_root = models.BinaryField(null=True)
    recipients_count = models.PositiveIntegerField(null=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField(null=True)
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField(null=True)
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


class EditionAuthor(models.Model):
    """Everyone who changed a character of an edition; none of them may approve it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="authors")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["edition", "author"], name="one_row_per_author")]


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def in_force(self) -> "ApprovalQuerySet":
        return self.filter(voided_at=None)


class Approval(models.Model):
    """One person said yes to exactly one digest. A trigger refuses every author of the edition.

    A change of what was approved voids it for good: approving the same words again is a new row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="approvals")
    digest = models.BinaryField()
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "approver"], condition=Q(voided_at=None), name="one_approval_per_approver"
            )
        ]


class OverrideQuerySet(models.QuerySet["Override"]):
    def in_force(self) -> "OverrideQuerySet":
        return self.filter(voided_at=None)


class Override(models.Model):
    """A failing check that somebody who wrote none of the text took the responsibility for, in writing.

    It holds for exactly these words: a change of the text voids it for good."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="overrides")
    check_key = models.CharField(max_length=200)
    sentence = models.CharField(max_length=600)
    reason = models.TextField(max_length=1000)
    text_sha256 = models.BinaryField()
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = OverrideQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["given_at", "check_key"]
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "check_key"], condition=Q(voided_at=None), name="one_override_per_check"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="an_override_has_a_reason"),
        ]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: "User") -> "DeliveryQuerySet":
        return self if user.has_perm("notifications.view_notice") else self.none()

    def on_the_wire(self) -> "DeliveryQuerySet":
        """Those whose message may be in somebody's inbox."""
        return self.filter(state__in=ON_THE_WIRE)

    def with_code(self, index: bytes) -> "DeliveryQuerySet":
        return self.filter(verification=index)

    def to_people_of(self, incident: Incident, people: Iterable[Person]) -> "DeliveryQuerySet":
        """Their messages with edition and notice, in the order of their notices."""
        notices = list(Notice.objects.of(incident).oldest_first().values_list("pk", flat=True))
        found = self.filter(notice__in=notices, person__in=list(people))
        return found.select_related("edition", "notice").order_by("notice__created_at", "pk")

    def tally(self, editions: Iterable["Edition"]) -> dict[uuid.UUID, dict[str, int]]:
        """How many deliveries of each edition are in each state: one query that reads an index alone."""
        rows = self.filter(edition__in=list(editions)).values_list("edition", "state").annotate(n=Count("*")).order_by()
        counts: dict[uuid.UUID, dict[str, int]] = {}
        for edition, state, number in rows:
            counts.setdefault(edition, {})[state] = number
        return counts


class Delivery(models.Model):
    """One edition to one person. Its state changes only in delivery.py, guarded by a trigger."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        CLAIMED = "claimed", "Claimed by a worker"
        HANDING_OVER = "handing_over", "Being handed over"
        HANDED_OVER = "handed_over", "Handed over"
        UNKNOWN = "unknown", "Unknown"
        RETRY_WAIT = "retry_wait", "Waiting to try again"
        REFUSED = "refused", "Refused"
        BLOCKED = "blocked", "Blocked"
        DELIVERED = "delivered", "Delivered"
        BOUNCED = "bounced", "Bounced"
        COMPLAINED = "complained", "Complained"
        CANCELLED = "cancelled", "Cancelled"
        SUPPRESSED = "suppressed", "Suppressed"
        ASSUMED_SENT = "assumed_sent", "Assumed sent"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+", db_index=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    state = models.CharField(max_length=16, choices=State, default=State.PLANNED)
    token = models.UUIDField(null=True)
    next_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    generation = models.PositiveSmallIntegerField(default=0)
    code = models.PositiveSmallIntegerField(null=True)
    reply_sha256 = models.BinaryField(null=True)
    recipient = models.BinaryField(null=True)  # commitment to the address of the last try: batches.py
    verification = models.BinaryField(null=True)  # blind index of the code in the message: verification_codes.py
    handing_over_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["notice", "person"], name="one_delivery_per_person"),
            models.CheckConstraint(
                condition=Q(next_at__isnull=False, state__in=["planned", "retry_wait"])
                | (Q(next_at=None) & ~Q(state__in=["planned", "retry_wait"])),
                name="only_what_waits_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["claimed", "handing_over", "handed_over", "unknown"]) | Q(token__isnull=False),
                name="what_was_claimed_has_a_token",
            ),
        ]
        # No index speaks of `state`: so the two updates of a hand-over touch no index at all (heap-only tuples).
        indexes = [
            models.Index(fields=["edition", "next_at"], name="delivery_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["token"], name="delivery_by_token", condition=Q(token__isnull=False)),
            models.Index(fields=["person"], name="delivery_by_person"),
            models.Index(fields=["verification"], name="delivery_by_code", condition=Q(verification__isnull=False)),
        ]


ON_THE_WIRE = (
    Delivery.State.HANDING_OVER,
    Delivery.State.HANDED_OVER,
    Delivery.State.UNKNOWN,
    Delivery.State.DELIVERED,
    Delivery.State.BOUNCED,
    Delivery.State.COMPLAINED,
    Delivery.State.ASSUMED_SENT,
)


class Attempt(models.Model):
    """A try that needs more words than its delivery has columns: the second and later ones, and any answer but 2xx."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    batch = models.ForeignKey("Batch", on_delete=models.PROTECT, related_name="attempts")
    n = models.PositiveSmallIntegerField()
    phase = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=12, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    reply_sha256 = models.BinaryField(null=True)
    recipient = models.BinaryField(null=True)
    remote_id = models.CharField(max_length=120, blank=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["delivery", "n", "outcome"], name="one_row_per_answer")]
        indexes = [models.Index(fields=["remote_id"], name="attempt_by_remote_id", condition=~Q(remote_id=""))]


class BatchQuerySet(models.QuerySet["Batch"]):
    def left_behind(self, now: datetime) -> "BatchQuerySet":
        """Taken by a worker whose lease is over: the sweeper has not come by yet."""
        return self.filter(settled_at=None, lease_until__lt=now)

    def of_case_in_hand(self, incident_id: uuid.UUID) -> "BatchQuerySet":
        return self.filter(edition__notice__incident=incident_id, settled_at=None)

    def latest_first(self) -> "BatchQuerySet":
        return self.order_by("-opened_at")


class Batch(models.Model):
    """Deliveries leased to one worker together. Its id is their token; its lease is theirs.

    When the last of them is settled or given back, its root over the rows stands in one event of the trail.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="batches")
    epoch = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    rows = models.PositiveIntegerField(default=0)
    rows_root = models.BinaryField(null=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["lease_until"], name="batch_in_hand", condition=Q(settled_at=None))]


class MailEvent(models.Model):
    """What a provider told us later. It never creates a delivery, resends, or moves a state back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.CharField(max_length=40)
    source_id = models.CharField(max_length=200)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.PROTECT, related_name="mail_events")
    kind = models.CharField(max_length=20)
    at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    raw_sha256 = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="one_row_per_mail_event")]
        indexes = [models.Index(fields=["received_at"], name="mail_event_waiting", condition=Q(applied_at=None))]
