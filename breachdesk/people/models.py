import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

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

    def newest_first(self) -> "UploadQuerySet":
        return self.order_by("-received_at")


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
    failure = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
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


class RejectedRow(models.Model):
    """A row that could not be loaded, sealed as it came, with the reason in words a person can act on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="rejected")
    row_number = models.PositiveIntegerField()
    column = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=60)
    sealed = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["upload", "row_number"], name="one_reason_per_row")]


class PersonQuerySet(models.QuerySet["Person"]):
    def of(self, incident: Incident) -> "PersonQuerySet":
        return self.filter(incident=incident)

    def visible_to(self, user: "User") -> "PersonQuerySet":
        return self if user.has_perm("people.view_counts") else self.none()

    def reachable_by_email(self) -> "PersonQuerySet":
        return self.filter(has_email=True, held=False)


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
        ]


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
