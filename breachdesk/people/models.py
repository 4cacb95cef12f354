import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, F, Min, Q, Sum
from django.utils import timezone

from breachdesk.incidents.kinds import labels_of
from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


UNDER_WAY = ("received", "reading")


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: "User") -> "UploadQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def of(self, incident: Incident) -> "UploadQuerySet":
        return self.filter(incident=incident)

    def loaded(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.LOADED)

    def people_of(self, incidents: Iterable[Incident]) -> dict[uuid.UUID, int]:
        """How many people the loaded files brought, by incident; without one an incident is missing, not 0."""
        loaded = self.loaded().filter(incident__in=incidents).values("incident")
        return {row["incident"]: row["people"] for row in loaded.annotate(people=Sum("rows_valid"))}

    def newest_first(self) -> "UploadQuerySet":
        return self.order_by("-received_at", "-pk")

    def same_as(self, sha256: bytes) -> "UploadQuerySet":
        """The very same file, unless it failed: then it may come again."""
        return self.filter(sha256=sha256).exclude(state=Upload.State.FAILED)

    def has(self, pk: uuid.UUID) -> bool:
        return self.filter(pk=pk).exists()

    def under_way(self) -> "UploadQuerySet":
        return self.filter(state__in=UNDER_WAY)

    def waiting(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.RECEIVED).order_by("received_at")

    def free_at(self, now: datetime) -> "UploadQuerySet":
        """Waiting for its turn, or left by a worker that has died; nothing of it is loaded."""
        return self.filter(Q(state=Upload.State.RECEIVED) | Q(state=Upload.State.READING, lease_until__lt=now))

    def stalled_at(self, now: datetime) -> "UploadQuerySet":
        """Free for longer than a doorbell takes: the ring was lost, or the worker has died."""
        return self.free_at(now).filter(received_at__lt=now - timedelta(seconds=15))


class Upload(models.Model):
    """One file of affected people: kept sealed until it is loaded, then deleted; its counts stay."""

    class State(models.TextChoices):
        RECEIVED = "received", "Waiting to be read"
        READING = "reading", "Being read"
        LOADED = "loaded", "Loaded"
        FAILED = "failed", "Not loaded"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="uploads")
    state = models.CharField(max_length=20, choices=State, default=State.RECEIVED)
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    bytes_read = models.PositiveBigIntegerField(default=0)
    rows_read = models.PositiveIntegerField(default=0)
    rows_valid = models.PositiveIntegerField(default=0)
    rows_repeated = models.PositiveIntegerField(default=0)
    rows_rejected = models.PositiveIntegerField(default=0)
    without_email = models.PositiveIntegerField(default=0)
    minors = models.PositiveIntegerField(default=0)
    # How many people it added, by country and by language: counting 430,000 rows on each look would be slow.
    countries = models.JSONField(default=dict)
    languages = models.JSONField(default=dict)
    columns = models.JSONField(default=list)  # pairs of heading and what it becomes, empty when it is not stored
    failure = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    starts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = UploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("load_people", "Load affected people")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="loaded") | Q(rows_read=F("rows_valid") + F("rows_repeated") + F("rows_rejected")),
                name="every_row_is_accounted_for",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.size:,} bytes"

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def seconds(self) -> float:
        """How long the reading took, or has taken so far."""
        if self.started_at is None:
            return 0.0
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    @property
    def rows_per_second(self) -> int:
        return round(self.rows_read / self.seconds) if self.seconds >= 1 else 0

    @property
    def seconds_left(self) -> int | None:
        """Told from the bytes that are read; None while it is too early to say."""
        if self.seconds < 2 or not self.bytes_read:
            return None
        return round(self.seconds * (self.size - self.bytes_read) / self.bytes_read)


class RejectedRowQuerySet(models.QuerySet["RejectedRow"]):
    def by_row(self) -> "RejectedRowQuerySet":
        return self.order_by("row_number")

    def by_reason(self) -> list[dict[str, Any]]:
        """Reason, how many rows, and the first of them; the most frequent reason first."""
        counted = self.values("reason").annotate(rows=Count("pk"), first=Min("row_number"))
        return [dict(line) for line in counted.order_by("-rows", "reason")]


class RejectedRow(models.Model):
    """A row that could not be loaded, sealed as it came; `reason` is a key of reading.REASONS."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="rejected")
    row_number = models.PositiveIntegerField()
    column = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=60)
    sealed = models.BinaryField()

    objects = RejectedRowQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["upload", "row_number"], name="one_reason_per_row")]

    def __str__(self) -> str:
        return f"Row {self.row_number:,}: {self.reason}"


class PersonQuerySet(models.QuerySet["Person"]):
    def of(self, incident: Incident) -> "PersonQuerySet":
        return self.filter(incident=incident)

    def visible_to(self, user: "User") -> "PersonQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def reachable_by_email(self) -> "PersonQuerySet":
        return self.filter(has_email=True, held=False)

    def without_email(self) -> "PersonQuerySet":
        return self.filter(has_email=False)

    def without_country(self) -> "PersonQuerySet":
        return self.filter(country="")

    def minors(self) -> "PersonQuerySet":
        return self.filter(minor=True)

    def held_back(self) -> "PersonQuerySet":
        return self.filter(held=True)

    def found_by(self, *, email_index: bytes | None, reference_index: bytes) -> "PersonQuerySet":
        by_reference = Q(reference_index=reference_index)
        return self.filter(by_reference | Q(email_index=email_index) if email_index else by_reference)

    def in_order(self) -> "PersonQuerySet":
        """A stable order that an index gives, and that says nothing about the people."""
        return self.order_by("identity_index")

    def by_country(self) -> list[tuple[str, int]]:
        return self._counted("country")

    def by_language(self) -> list[tuple[str, int]]:
        return self._counted("language")

    def _counted(self, column: str) -> list[tuple[str, int]]:
        counted = self.values_list(column).annotate(number=Count("pk")).order_by("-number", column)
        return [(value, number) for value, number in counted]


class Person(models.Model):
    """An affected customer. Everything personal is in `sealed`; plain columns hold what counting and routing need."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="people", db_index=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="+", db_index=False)
    sealed = models.BinaryField()
    email_index = models.BinaryField(null=True)
    identity_index = models.BinaryField()
    reference_index = models.BinaryField(null=True)
    country = models.CharField(max_length=2, blank=True)
    state = models.CharField(max_length=3, blank=True)
    language = models.CharField(max_length=12, blank=True)
    kinds = ArrayField(models.CharField(max_length=30), default=list)
    minor = models.BooleanField(default=False)
    has_email = models.BooleanField()
    held = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    objects = PersonQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_counts", "See how many people are affected, masked"),
            ("reveal_person", "See one person's data"),
            ("hold_person", "Hold a person back from notices"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["incident", "identity_index"], name="one_row_per_person"),
            models.CheckConstraint(
                condition=Q(has_email=True, email_index__isnull=False) | Q(has_email=False, email_index=None),
                name="has_email_is_true",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "email_index"], name="person_by_email"),
            models.Index(fields=["incident", "reference_index"], name="person_by_reference"),
            models.Index(fields=["incident"], condition=Q(held=True), name="people_on_hold"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def kind_labels(self) -> list[str]:
        return labels_of(self.kinds)


class CountEntry(models.Model):
    """How many people are affected, as stated at one moment: a number, a range or not known."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="counts")
    low = models.PositiveIntegerField(null=True)
    high = models.PositiveIntegerField(null=True)
    basis = models.CharField(max_length=40)
    upload = models.ForeignKey(Upload, null=True, on_delete=models.PROTECT, related_name="+")
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        ordering = ["stated_at"]

    def __str__(self) -> str:
        return f"{self.low} to {self.high} people"
