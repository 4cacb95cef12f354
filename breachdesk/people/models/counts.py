"""How many people are affected: as somebody stated it at one moment, and as the rows say it now."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from breachdesk.audit.estimates import estimate_in_words
from breachdesk.incidents.models import Incident
from breachdesk.people.models.uploads import Upload


@dataclass(frozen=True)
class Count:
    """A number, a range, or both None: not known."""

    low: int | None
    high: int | None

    @classmethod
    def exactly(cls, number: int) -> "Count":
        return cls(number, number)

    @property
    def one_number(self) -> int | None:
        """What a form with room for one number is answered with: how many it can be at most."""
        return self.high if self.high is not None else self.low

    def lies_within(self, wider: "Count") -> bool:
        """Whether an estimate was right. What is not known lies within what is not known alone."""
        if self.one_number is None or wider.one_number is None:
            return self == wider
        low = self.low if self.low is not None else self.one_number
        return (wider.low or 0) <= low and (wider.high is None or self.one_number <= wider.high)

    def __str__(self) -> str:
        return estimate_in_words(self.low, self.high)


class CountEntryQuerySet(models.QuerySet["CountEntry"]):
    def of(self, incident: Incident) -> "CountEntryQuerySet":
        return self.filter(incident=incident).select_related("stated_by", "upload")

    def newest_first(self) -> "CountEntryQuerySet":
        return self.order_by("-stated_at", "-pk")

    def oldest_first(self) -> "CountEntryQuerySet":
        return self.order_by("stated_at", "pk")

    def newest_of(self, incidents: Iterable[Incident]) -> dict[uuid.UUID, "CountEntry"]:
        """What was stated last, by incident; without any an incident is missing."""
        newest = self.filter(incident__in=incidents).order_by("incident", "-stated_at", "-pk").distinct("incident")
        return {entry.incident_id: entry for entry in newest}


class CountEntry(models.Model):
    """How many people are affected, as stated at one moment: a number, a range or not known. Never changed."""

    class Basis(models.TextChoices):
        LIST = "list", "The lists that were taken in"
        PROCESSOR = "processor", "The company that works for us says so"
        SYSTEM = "system", "Counted in our own systems"
        ESTIMATE = "estimate", "Our estimate"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="counts")
    low = models.PositiveIntegerField(null=True)
    high = models.PositiveIntegerField(null=True)
    basis = models.CharField(max_length=40, choices=Basis)
    source = models.CharField(max_length=300, blank=True)
    upload = models.ForeignKey(Upload, null=True, on_delete=models.PROTECT, related_name="+")
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = CountEntryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("state_count", "State how many people are affected")]
        ordering = ["stated_at"]
        indexes = [models.Index(fields=["incident", "-stated_at"], name="newest_count")]
        constraints = [
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")), name="count_range_in_order"
            ),
            models.CheckConstraint(
                condition=Q(basis="list") | (~Q(low=0) & ~Q(high=0)), name="an_unknown_count_is_never_zero"
            ),
            models.CheckConstraint(condition=Q(basis="list") | ~Q(source=""), name="a_stated_count_has_a_source"),
        ]

    def __str__(self) -> str:
        return str(self.count)

    @property
    def count(self) -> "Count":
        return Count(self.low, self.high)

    @property
    def is_by_hand(self) -> bool:
        """Somebody stated it; the lists' own are the count itself."""
        return self.basis != self.Basis.LIST


class TallyQuerySet(models.QuerySet["Tally"]):
    def of(self, incident: Incident) -> "Tally":
        """Zeros without a file: then `people` says nothing, and `files` says why."""
        return self.filter(incident=incident).first() or Tally(incident=incident)

    def read_once(self, incident: Incident) -> "Tally":
        """As of(), for a page that shows it in several places: the incident remembers it."""
        found: Tally | None = getattr(incident, "tally", None)
        return found or Tally(incident=incident)

    def moment_of(self, incident: Incident) -> datetime | None:
        """Of its last count; None without a file."""
        return self.filter(incident=incident).values_list("counted_at", flat=True).first()

    def people_of(self, incidents: Iterable[Incident]) -> dict[uuid.UUID, int]:
        """How many people are affected, by incident; without a list taken in an incident is missing, not 0."""
        return dict(self.filter(incident__in=incidents, files__gt=0).values_list("incident", "people"))


class Tally(models.Model):
    """An incident's people in numbers, so that no page counts 430,000 rows. Worked out from the rows by counting.py.

    Counts of `people` leave out who is no longer affected; each one excluded stands under one reason alone (see
    waterfall.py). The keys of the breakdowns are what the rows say, "" where they say nothing.
    """

    incident = models.OneToOneField(Incident, primary_key=True, on_delete=models.PROTECT, related_name="tally")
    files = models.PositiveIntegerField(default=0)
    rows_read = models.PositiveBigIntegerField(default=0)
    rows_rejected = models.PositiveBigIntegerField(default=0)
    rows_repeated = models.PositiveBigIntegerField(default=0)
    known = models.PositiveBigIntegerField(default=0)
    people = models.PositiveBigIntegerField(default=0)
    minors = models.PositiveBigIntegerField(default=0)
    vulnerable = models.PositiveBigIntegerField(default=0)
    deceased = models.PositiveBigIntegerField(default=0)
    without_email = models.PositiveBigIntegerField(default=0)
    without_contact = models.PositiveBigIntegerField(default=0)
    without_country = models.PositiveBigIntegerField(default=0)
    by_post_only = models.PositiveBigIntegerField(default=0)
    held = models.PositiveBigIntegerField(default=0)
    excluded = models.JSONField(default=dict)
    countries = models.JSONField(default=dict)
    states = models.JSONField(default=dict)
    languages = models.JSONField(default=dict)
    kinds = models.JSONField(default=dict)
    counted_at = models.DateTimeField(null=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(rows_read=F("rows_rejected") + F("rows_repeated") + F("known")),
                name="every_row_taken_in_is_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.people:,} people"

    @property
    def withdrawn(self) -> int:
        return self.known - self.people

    @property
    def to_be_told(self) -> int:
        excluded: int = sum(self.excluded.values())
        return self.known - excluded
