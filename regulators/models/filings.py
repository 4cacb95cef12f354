import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from breachdesk.audit.canonical import parse
from breachdesk.audit.models import Entry
from breachdesk.incidents.models import Incident
from regulators.addressees import Addressee, addressee_as_begun
from regulators.catalogue import get_form
from regulators.catalogue.schema import Form
from regulators.due_dates import HOME_AUTHORITY, home_form, law_answered

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


class FilingQuerySet(models.QuerySet["Filing"]):
    def visible_to(self, user: "User") -> "FilingQuerySet":
        return self if user.has_perm("regulators.view_filing") else self.none()

    def of(self, incident: Incident) -> "FilingQuerySet":
        return self.filter(incident=incident)

    def to(self, authority_key: str) -> "FilingQuerySet":
        return self.filter(authority_key=authority_key)

    def home(self) -> "FilingQuerySet":
        """The report to our own authority, which the desk counts down to."""
        return self.to(HOME_AUTHORITY).filter(form=home_form())

    def reported(self) -> "FilingQuerySet":
        """Of which a version reached its authority."""
        return self.filter(versions__receipt__isnull=False).distinct()

    def among(self, incidents: Iterable[Incident]) -> "FilingQuerySet":
        return self.filter(incident__in=incidents)

    def with_versions(self) -> "FilingQuerySet":
        return self.prefetch_related("versions__receipt")

    def with_case(self) -> "FilingQuerySet":
        """With what its pages read: incident, moments, answers and versions."""
        return self.select_related("incident", "opened_by", "review_asked_by").prefetch_related(
            "incident__moments", "answers__answered_by", "versions__signed_by", "versions__receipt__recorded_by"
        )


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
    authority_key = models.CharField(max_length=60)
    authority = models.CharField(max_length=160)
    """As it was called when the filing was begun."""
    state = models.CharField(max_length=20, choices=State, default=State.DRAFT)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    review_asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    review_asked_at = models.DateTimeField(null=True)
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
        constraints = [
            models.UniqueConstraint(fields=["incident", "form", "authority_key"], name="one_filing_per_authority")
        ]

    def __str__(self) -> str:
        return f"{self.definition.title} to the {self.addressee.short_name}, {self.incident.reference}"

    def get_absolute_url(self) -> str:
        return reverse("filing-detail", args=[self.incident.reference, self.pk])

    @property
    def definition(self) -> Form:
        """The form in the version this filing began with."""
        return get_form(self.form, self.form_version)

    @property
    def addressee(self) -> Addressee:
        return addressee_as_begun(self.definition, self.authority_key, self.authority)

    @property
    def is_home(self) -> bool:
        return self.authority_key == HOME_AUTHORITY and self.form == home_form()

    @property
    def law(self) -> str | None:
        """The id of the law it answers; None when the catalogue cannot tell."""
        return law_answered(self.definition, self.authority_key)

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_fixed(self) -> bool:
        """Signed off: from here on nothing that was said changes."""
        return self.state in {self.State.SIGNED_OFF, self.State.SUBMITTED}

    @property
    def newest(self) -> "FilingVersion | None":
        """The last that was signed off, whatever is being written since."""
        return max(self.versions.all(), key=lambda version: version.number, default=None)

    @property
    def signed(self) -> "FilingVersion | None":
        """What the filing says; None while its next version is being written."""
        return self.newest if self.is_fixed else None

    @property
    def number(self) -> int:
        """Of the version that is being written, or that stands."""
        written = self.newest.number if self.newest else 0
        return written if self.is_fixed else written + 1

    @property
    def previous(self) -> "FilingVersion | None":
        """What this version follows up; None for a first report."""
        return self.version_of(self.number - 1)

    def version_of(self, number: int) -> "FilingVersion | None":
        """What was signed off under this number; None for the one that is being written."""
        return next((one for one in self.versions.all() if one.number == number), None)

    def state_of(self, number: int) -> str:
        """Of any of its versions: one that another followed was submitted, for nothing else is followed up."""
        return str(self.state if number == self.number else self.State.SUBMITTED)

    @property
    def is_reported(self) -> bool:
        """Its authority got a version of it."""
        return self.reported_at is not None

    @property
    def reported_at(self) -> datetime | None:
        """When the first version reached its authority."""
        receipts = (version.receipt for version in self.versions.all() if hasattr(version, "receipt"))
        return min((receipt.submitted_at for receipt in receipts), default=None)


class AnswerQuerySet(models.QuerySet["Answer"]):
    def in_other_filings(self, filing: Filing) -> "AnswerQuerySet":
        """What people answered by hand in other reports of the incident, the earliest first."""
        others = self.filter(filing__incident=filing.incident_id, value__isnull=False).exclude(filing=filing.pk)
        return others.select_related("filing__incident").order_by("answered_at", "pk")


class Answer(models.Model):
    """One answer as a person gave it. Without a row, or while it follows the facts, they answer, live, until sign-off.

    With a promised date it is *not yet known*, and `so_far` says what is known and who is finding out.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    promised_on = models.DateField(null=True)
    so_far = models.TextField(max_length=1000, blank=True)
    follows_facts = models.BooleanField(default=False)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["filing", "question"], name="one_answer_per_question"),
            models.CheckConstraint(
                condition=Q(promised_on=None) | Q(value__isnull=True), name="not_known_has_no_value"
            ),
            models.CheckConstraint(
                condition=Q(follows_facts=False) | Q(promised_on=None, value__isnull=True, so_far=""),
                name="facts_alone_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question} of {self.filing_id}"

    @property
    def incident_id(self) -> uuid.UUID:
        return self.filing.incident_id


class FilingVersionQuerySet(models.QuerySet["FilingVersion"]):
    def submitted_of(self, incidents: Iterable[Incident]) -> "FilingVersionQuerySet":
        """What authorities have got, in the order they got it."""
        got = self.filter(filing__incident__in=incidents, receipt__isnull=False)
        return got.select_related("filing__incident", "receipt").order_by("receipt__submitted_at", "number")


class FilingVersion(models.Model):
    """What was signed off, to the byte: canonical JSON, whose digest the event of the sign-off carries.

    A trigger refuses every change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing = models.ForeignKey(Filing, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    content = models.BinaryField()
    digest = models.BinaryField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField()
    sign_event = models.UUIDField()

    objects = FilingVersionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["filing", "number"], name="one_version_per_number")]

    def __str__(self) -> str:
        return f"Version {self.number} of {self.filing_id}"

    @property
    def incident_id(self) -> uuid.UUID:
        return self.filing.incident_id

    @property
    def has_promises(self) -> bool:
        """Whether it left an answer open and said by when it follows."""
        sections = parse(bytes(self.content))["sections"]
        return any("not_known" in question for section in sections for question in section["questions"])

    @property
    def trail_position(self) -> int | None:
        """Where the log holds the sign-off; None until the sequencer has linked it."""
        return Entry.objects.filter(event_id=self.sign_event).values_list("idx", flat=True).first()


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def with_file_of(self, filing: Filing, number: int) -> "ReceiptQuerySet":
        """Of one version: each follow-up has a receipt of its own."""
        return self.filter(filing_version__filing=filing, filing_version__number=number, file_sealed__isnull=False)

    def with_file_of_case(self, incident_id: uuid.UUID) -> "ReceiptQuerySet":
        return self.filter(filing_version__filing__incident=incident_id, file_sealed__isnull=False)


class Receipt(models.Model):
    """How and when a version reached its authority, and what the authority answered."""

    class Way(models.TextChoices):
        ONLINE = "online", "Online form"
        EMAIL = "email", "Email"
        POST = "post", "Post"
        PHONE = "phone", "Telephone"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    filing_version = models.OneToOneField(FilingVersion, on_delete=models.PROTECT, related_name="receipt")
    submitted_at = models.DateTimeField()
    way = models.CharField(max_length=40, choices=Way)
    authority_reference = models.CharField(max_length=80, blank=True)
    delay_reason = models.CharField(max_length=1000, blank=True)  # where the report itself could not say it yet
    file_name = models.CharField(max_length=120, blank=True)
    file_sealed = models.BinaryField(null=True)
    file_sha256 = models.BinaryField(null=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=~Q(way=""), name="submission_has_a_way")]

    def __str__(self) -> str:
        return f"Receipt of {self.filing_version_id}"

    @property
    def incident_id(self) -> uuid.UUID:
        return self.filing_version.incident_id
