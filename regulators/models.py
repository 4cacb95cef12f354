import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q

from breachdesk.incidents.models import Incident

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class FilingQuerySet(models.QuerySet["Filing"]):
    def visible_to(self, user: "User") -> "FilingQuerySet":
        return self if user.has_perm("regulators.view_filing") else self.none()

    def of(self, incident: Incident) -> "FilingQuerySet":
        return self.filter(incident=incident)

    def among(self, incidents: Iterable[Incident]) -> "FilingQuerySet":
        return self.filter(incident__in=incidents)


class Filing(models.Model):
    """One regulator's form for one incident. It keeps the form version it began with."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        IN_REVIEW = "in_review", "Waiting for sign-off"
        SIGNED_OFF = "signed_off", "Signed off"
        SUBMITTED = "submitted", "Submitted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="filings")
    form = models.CharField(max_length=60)
    form_version = models.PositiveSmallIntegerField()
    authority = models.CharField(max_length=160)
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = FilingQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_filing", "See filings"),
            ("write_filing", "Answer a regulator's form"),
            ("sign_off_filing", "Sign off a filing"),
            ("record_submission", "Record that a filing was submitted"),
        ]
        constraints = [models.UniqueConstraint(fields=["incident", "form"], name="one_filing_per_form")]


class Answer(models.Model):
    """One answer as a person gave it. Without a row, the known facts answer, live, until sign-off."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    promised_on = models.DateField(null=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["filing", "question"], name="one_answer_per_question")]


class FilingVersion(models.Model):
    """What was signed off, to the byte. A trigger refuses every change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    digest = models.BinaryField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["filing", "number"], name="one_version_per_number")]


class Receipt(models.Model):
    """How and when a version reached its authority, and what the authority answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing_version = models.OneToOneField(FilingVersion, on_delete=models.PROTECT, related_name="receipt")
    submitted_at = models.DateTimeField()
    way = models.CharField(max_length=40)
    authority_reference = models.CharField(max_length=80, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(way=""), name="submission_has_a_way")]
