"""What a person said about facts that laws ask for, and what was done about duties that are no filing."""

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Q

from breachdesk.incidents.models import Incident


class StatedFactQuerySet(models.QuerySet["StatedFact"]):
    def standing(self) -> "StatedFactQuerySet":
        return self.filter(superseded_at=None)

    def of_organisation(self) -> "StatedFactQuerySet":
        return self.filter(incident=None)

    def about(self, incident: Incident | None, key: str) -> "StatedFactQuerySet":
        return self.filter(incident=incident, key=key)

    def of(self, incident: Incident) -> "StatedFactQuerySet":
        return self.filter(incident=incident)

    def ever_for(self, incident: Incident) -> "StatedFactQuerySet":
        """All that was ever said about the case and about the organisation, in order."""
        return self.filter(Q(incident=None) | Q(incident=incident)).order_by("stated_at", "pk")

    def with_author(self) -> "StatedFactQuerySet":
        return self.select_related("stated_by")

    def newest_first(self) -> "StatedFactQuerySet":
        return self.with_author().order_by("-stated_at")

    def for_cases(self, incidents: Iterable[Incident]) -> "StatedFactQuerySet":
        """What stands for these cases: their own facts, and the organisation's."""
        return self.standing().filter(Q(incident=None) | Q(incident__in=incidents)).select_related("stated_by")


class StatedFact(models.Model):
    """What somebody said about a fact that rules test: of one case, or, without one, of the organisation.

    A later statement takes its place and leaves it there. No value: it is not known after all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="stated_facts")
    key = models.CharField(max_length=80)
    value = models.JSONField(null=True)
    basis = models.TextField(max_length=1000, blank=True)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = StatedFactQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("state_fact", "Say what laws ask about a case"),
            ("state_position", "Say what laws ask about the organisation"),
            ("meet_duty", "Record that somebody was told outside a filing"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "key"],
                condition=Q(superseded_at=None),
                nulls_distinct=False,
                name="one_standing_statement_per_fact",
            )
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.value}"


class DutyMetQuerySet(models.QuerySet["DutyMet"]):
    def of(self, incident: Incident) -> "DutyMetQuerySet":
        return self.filter(incident=incident).select_related("recorded_by").order_by("told_at")

    def of_duty(self, regime: str, duty: str, place: str) -> "DutyMetQuerySet":
        return self.filter(regime=regime, duty=duty, place=place)


class DutyMet(models.Model):
    """Somebody was told outside a filing and outside a notice: a credit agency, a contract partner, the police."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="duties_met")
    regime = models.CharField(max_length=60)
    duty = models.CharField(max_length=60)
    place = models.CharField(max_length=8)
    told_at = models.DateTimeField()
    how = models.TextField(max_length=1000)
    delay_reason = models.TextField(max_length=1000, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = DutyMetQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["incident", "regime", "duty", "place"], name="a_duty_is_met_once"),
            models.CheckConstraint(condition=~Q(how=""), name="a_duty_is_met_somehow"),
        ]

    def __str__(self) -> str:
        return f"{self.regime} {self.duty} {self.place}"
