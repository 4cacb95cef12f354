"""How grave the breach is for people, and what a person decided for that reason. Neither is ever changed."""

import uuid
from collections.abc import Iterable

from django.conf import settings
from django.db import models
from django.db.models import Q

from breachdesk.incidents.models.cases import Incident


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def of(self, incident: Incident) -> "AssessmentQuerySet":
        return self.filter(incident=incident).select_related("made_by").order_by("-number")


class Assessment(models.Model):
    """One scoring with its inputs. It suggests and never decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="assessments")
    number = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=40)
    inputs = models.JSONField()
    score = models.DecimalField(max_digits=4, decimal_places=2)
    level = models.CharField(max_length=20)
    note = models.TextField(max_length=4000, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [
            ("assess_risk", "Assess the risk to people"),
            ("decide_notification", "Decide whether the authority and the people are told"),
        ]
        constraints = [models.UniqueConstraint(fields=["incident", "number"], name="one_assessment_per_number")]

    def __str__(self) -> str:
        return f"Assessment {self.number} of {self.incident_id}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def of(self, incident: Incident) -> "DecisionQuerySet":
        return self.filter(incident=incident).select_related("decided_by", "assessment").order_by("-decided_at")

    def among(self, incidents: Iterable[Incident]) -> "DecisionQuerySet":
        return self.filter(incident__in=list(incidents)).select_related("decided_by")

    def standing(self) -> "DecisionQuerySet":
        return self.filter(superseded_at=None)


class Decision(models.Model):
    """A person's decision, with the reason, whether somebody is told. A later one takes its place and leaves it there.

    `facts` is a digest of what was known then: once the facts differ, the decision is open again.
    """

    class About(models.TextChoices):
        AUTHORITY = "authority", "Tell the authority"
        PEOPLE = "people", "Tell the people"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="decisions")
    about = models.CharField(max_length=20, choices=About)
    tell = models.BooleanField()
    reason = models.TextField(max_length=4000)
    assessment = models.ForeignKey(Assessment, null=True, on_delete=models.PROTECT, related_name="+")
    facts = models.BinaryField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "about"], condition=Q(superseded_at=None), name="one_standing_decision"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_about_display()}: {'yes' if self.tell else 'no'}"
