"""A file of affected people on its way in, its rows that were not accepted, and the mappings kept for the next file."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.utils import timezone

from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: "User") -> "UploadQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def of(self, incident: Incident) -> "UploadQuerySet":
        return self.filter(incident=incident)

    def loaded(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.LOADED)

    def matched(self) -> "UploadQuerySet":
        """Somebody has said how they are to be read."""
        return self.filter(sealed_plan__isnull=False)

    def newest_first(self) -> "UploadQuerySet":
        return self.order_by("-received_at", "-pk")

    def same_as(self, sha256: bytes) -> "UploadQuerySet":
        """The very same file, unless nothing came of it: then it may come again."""
        return self.filter(sha256=sha256).exclude(state__in=[Upload.State.FAILED, Upload.State.GONE])

    def has(self, pk: uuid.UUID) -> bool:
        return self.filter(pk=pk).exists()

    def with_file(self) -> "UploadQuerySet":
        """Whose sealed file is still needed."""
        return self.filter(state__in=KEEPS_ITS_FILE)

    def under_way(self) -> "UploadQuerySet":
        return self.filter(state__in=UNDER_WAY)

    def undecided(self) -> "UploadQuerySet":
        """Their rows lie beside the people and do not count; no other file of the incident is read meanwhile."""
        return self.filter(state__in=UNDECIDED)

    def before(self, upload: "Upload") -> "UploadQuerySet":
        """What a waiting file waits for: a file of its incident that is read, or waits for a decision."""
        return self.filter(incident=upload.incident_id, state__in=[Upload.State.READING, *UNDECIDED])

    def with_colleagues(self) -> "UploadQuerySet":
        """With who handed it in, who decided over it and how far it is, in the same query."""
        return self.select_related("uploaded_by", "decided_by", "reading")

    def waiting(self) -> "UploadQuerySet":
        return self.filter(state=Upload.State.QUEUED).order_by("received_at")

    def free_at(self, now: datetime) -> "UploadQuerySet":
        """Waiting for a worker and next in turn, or left by one that has died; nothing of it is done."""
        before = Upload.objects.filter(incident=OuterRef("incident"), state__in=[Upload.State.READING, *UNDECIDED])
        due = Q(state__in=[Upload.State.ACCEPTED, Upload.State.LEAVING])
        due |= Q(~Exists(before), state=Upload.State.QUEUED)
        return self.filter(due | Q(state=Upload.State.READING, reading__lease_until__lt=now))

    def stalled_at(self, now: datetime) -> "UploadQuerySet":
        """Free for longer than a doorbell takes: the ring was lost, or the worker has died."""
        return self.free_at(now).filter(rung_at__lt=now - timedelta(seconds=15))


class Upload(models.Model):
    """One file of affected people: kept sealed until it is taken in, then deleted; its counts stay."""

    class State(models.TextChoices):
        RECEIVED = "received", "Match its columns"
        QUEUED = "queued", "Waiting to be read"
        READING = "reading", "Being read"
        CHECKED = "checked", "Waiting for your decision"
        ACCEPTED = "accepted", "Being taken in"
        LOADED = "loaded", "Taken in"
        LEAVING = "leaving", "Being taken out"
        GONE = "gone", "Taken out"
        FAILED = "failed", "Not loaded"

    class Purpose(models.TextChoices):
        ADD = "add", "Adds people; those we know stay as they are"
        UPDATE = "update", "Brings newer data of people we know, and adds the others"
        WITHDRAW = "withdraw", "Lists people who are no longer affected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="uploads")
    state = models.CharField(max_length=20, choices=State, default=State.RECEIVED)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.ADD)
    file_name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    # How it is to be read, as somebody confirmed it (reading.Plan): sealed, for headings may turn out to be names.
    sealed_plan = models.BinaryField(null=True)
    rows_read = models.PositiveIntegerField(default=0)
    rows_valid = models.PositiveIntegerField(default=0)  # each one a person who was not known before
    rows_repeated = models.PositiveIntegerField(default=0)  # about somebody known: see PersonMatch
    rows_rejected = models.PositiveIntegerField(default=0)
    # Its own people counted while they were read (reading.Summary), and what looks wrong with them (gate.Signal).
    summary = models.JSONField(default=dict)
    signals = models.JSONField(default=list)
    failure = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    starts = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    taken_in_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = UploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("load_people", "Load affected people")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["checked", "accepted", "loaded"])
                | Q(rows_read=F("rows_valid") + F("rows_repeated") + F("rows_rejected")),
                name="every_row_is_accounted_for",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["queued", "reading", "checked"]) | Q(sealed_plan__isnull=False),
                name="read_only_as_confirmed",
            ),
            models.CheckConstraint(
                condition=~Q(state="loaded") | Q(taken_in_at__isnull=False), name="taken_in_is_dated"
            ),
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


UNDER_WAY = (Upload.State.QUEUED, Upload.State.READING, Upload.State.ACCEPTED, Upload.State.LEAVING)
UNDECIDED = (Upload.State.CHECKED, Upload.State.ACCEPTED, Upload.State.LEAVING)
KEEPS_ITS_FILE = (
    Upload.State.RECEIVED,
    Upload.State.QUEUED,
    Upload.State.READING,
    Upload.State.CHECKED,
    Upload.State.ACCEPTED,
)


class Reading(models.Model):
    """How far a worker is with a file, and until when it is believed to be alive.

    Not in the file's own row: each person that is added looks at that row as a foreign key, and would walk through all
    its versions of the last minutes. At 4,300,000 people there were 645, and half of the time went into that walk.
    """

    upload = models.OneToOneField(Upload, primary_key=True, on_delete=models.CASCADE, related_name="reading")
    starts = models.PositiveSmallIntegerField()
    lease_until = models.DateTimeField()
    bytes_read = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.rows:,} rows"

    @property
    def share(self) -> int:
        return 100 * self.bytes_read // self.upload.size

    @property
    def rows_per_second(self) -> int:
        return round(self.rows / self.upload.seconds) if self.upload.seconds >= 1 else 0

    @property
    def seconds_left(self) -> int | None:
        """Told from the bytes that are read; None while it is too early to say."""
        if self.upload.seconds < 2 or not self.bytes_read:
            return None
        return round(self.upload.seconds * (self.upload.size - self.bytes_read) / self.bytes_read)


class ColumnMappingQuerySet(models.QuerySet["ColumnMapping"]):
    def locked(self, name: str) -> "ColumnMapping | None":
        return self.select_for_update(of=("self",)).filter(name=name).first()

    def chosen(self, typed: str) -> "ColumnMapping | None":
        """The one whose id was chosen on a page; None for anything else."""
        try:
            return self.filter(pk=uuid.UUID(typed)).first()
        except ValueError:
            return None


class ColumnMapping(models.Model):
    """How the columns of one source's files are read, kept under a name for the next file; no heading is a person's."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    plan = models.JSONField()
    saved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    saved_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = ColumnMappingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class RejectedRowQuerySet(models.QuerySet["RejectedRow"]):
    def by_row(self) -> "RejectedRowQuerySet":
        return self.order_by("row_number")

    def after_row(self, number: int) -> "RejectedRowQuerySet":
        return self.filter(row_number__gt=number).by_row()

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
