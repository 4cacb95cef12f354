"""What people decide once messages have left: who is tried again, who is written to by post."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Person
from notifications.models.notices import Edition, Notice


class DeliveryDecisionQuerySet(models.QuerySet["DeliveryDecision"]):
    def waiting(self) -> "DeliveryDecisionQuerySet":
        return self.filter(confirmed_at=None, voided_at=None)

    def latest_first(self) -> "DeliveryDecisionQuerySet":
        return self.select_related("asked_by", "confirmed_by").order_by("-asked_at", "pk")


class DeliveryDecision(models.Model):
    """What a person decided about deliveries that no worker may decide about. To send an unknown again takes two."""

    class Kind(models.TextChoices):
        RESEND = "resend", "Send again what may have arrived"
        ASSUME_SENT = "assume_sent", "Take as sent"
        SECOND_ADDRESS = "second_address", "Try the second address"
        TRY_AGAIN = "try_again", "Try again what was stopped"
        GIVE_UP = "give_up", "Not send what was stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="delivery_decisions")
    kind = models.CharField(max_length=20, choices=Kind)
    rule = models.JSONField(default=dict, blank=True)  # which deliveries, as they were chosen on the page
    reason = models.TextField(max_length=1000)
    people = models.PositiveIntegerField()
    rows_root = models.BinaryField()  # over the ids of those deliveries: replanning.py
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = DeliveryDecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="a_delivery_decision_has_a_reason"),
            models.CheckConstraint(
                condition=~Q(kind="resend") | Q(confirmed_by=None) | ~Q(confirmed_by=F("asked_by")),
                name="two_people_for_a_resend",
            ),
        ]

    @property
    def incident_id(self) -> uuid.UUID:
        return self.edition.incident_id

    @property
    def is_waiting(self) -> bool:
        return self.confirmed_at is None and self.voided_at is None


class LetterRunQuerySet(models.QuerySet["LetterRun"]):
    def of_case(self, incident: Incident) -> "LetterRunQuerySet":
        return self.filter(edition__notice__incident=incident)

    def unposted(self) -> "LetterRunQuerySet":
        return self.standing().filter(state__in=[LetterRun.State.MAKING, LetterRun.State.READY])

    def being_made(self) -> "LetterRunQuerySet":
        return self.filter(state=LetterRun.State.MAKING, voided_at=None)

    def with_case(self) -> "LetterRunQuerySet":
        return self.select_related("edition__notice__incident")

    def standing(self) -> "LetterRunQuerySet":
        return self.filter(voided_at=None)

    def latest_first(self) -> "LetterRunQuerySet":
        return self.select_related("made_by", "posted_by").order_by("-made_at", "pk")


class LetterRun(models.Model):
    """Letters of one edition that are printed together: personal pages, merged into files for a printer."""

    class State(models.TextChoices):
        MAKING = "making", "Being made"
        READY = "ready", "Ready to print"
        FAILED = "failed", "Could not be made"
        POSTED = "posted", "Posted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="letter_runs")
    state = models.CharField(max_length=12, choices=State, default=State.MAKING)
    people = models.PositiveIntegerField()
    pages = models.PositiveIntegerField(null=True)
    window = models.CharField(max_length=4, default="uk")  # of the envelope, and with it the paper: letter_pages.py
    files = models.JSONField(default=list, blank=True)  # of each: part, letters, pages, bytes, sha256
    failure = models.CharField(max_length=300, blank=True)  # why there are none, or who was left out and why
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    posted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    posted_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = LetterRunQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    @property
    def incident_id(self) -> uuid.UUID:
        return self.edition.incident_id

    @property
    def letters_made(self) -> int:
        return sum(file["letters"] for file in self.files)

    @property
    def stands(self) -> bool:
        return self.voided_at is None and self.state != self.State.FAILED


class LetterQuerySet(models.QuerySet["Letter"]):
    def standing(self) -> "LetterQuerySet":
        return self.filter(voided_at=None)

    def posted_with_code(self, index: bytes) -> "LetterQuerySet":
        """Those that may be in somebody's hands."""
        return self.standing().filter(verification=index, run__state=LetterRun.State.POSTED)


class Letter(models.Model):
    """One person's letter of a run. A person gets one letter of a notice, as they get one message of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(LetterRun, on_delete=models.PROTECT, related_name="letters")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="+", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="letters")
    number = models.PositiveIntegerField()  # its place in the run
    pages = models.PositiveSmallIntegerField(null=True)
    frozen = models.BinaryField(null=True)  # the person's row when the letters were begun, as of a delivery
    verification = models.BinaryField(null=True)  # blind index of the code on the paper: verification_codes.py
    voided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = LetterQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "person"], condition=Q(voided_at=None), name="one_letter_per_person"
            ),
            models.UniqueConstraint(fields=["run", "number"], name="one_letter_per_place"),
        ]
        indexes = [
            models.Index(fields=["verification"], name="letter_by_code", condition=Q(verification__isnull=False)),
        ]
