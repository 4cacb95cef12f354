import uuid
from collections.abc import Iterable

from django.db import models

from breachdesk.incidents.models import Incident


class OpenDatesQuerySet(models.QuerySet["OpenDates"]):
    def by_case(self, incidents: Iterable[Incident]) -> dict[uuid.UUID, "OpenDates"]:
        """Without the dates themselves, of which a case in forty countries has more than a hundred."""
        return {one.incident_id: one for one in self.filter(incident__in=incidents).defer("dates")}

    def whole(self, incident: Incident) -> "OpenDates | None":
        return self.filter(incident=incident).first()

    def keep(self, rows: Iterable["OpenDates"]) -> None:
        """In place of what stood there. Of two who worked the same case out at once, the later one stays."""
        fields = ["worked_from", "worked_out_at", "first", "ends", "elsewhere", "undated", "dates"]
        in_order = sorted(rows, key=lambda row: row.incident_id)  # or two pages at once would wait for each other
        self.bulk_create(in_order, update_conflicts=True, unique_fields=["incident"], update_fields=fields)


class OpenDates(models.Model):
    """The open dates of a case as they were last worked out, so that a desk with many cases is quick.

    Nothing is decided by it. `worked_from` says what they were worked out from: whoever reads them compares it with
    what the case says now, and works them out again when it differs (see regulators/open_dates.py).
    """

    incident = models.OneToOneField(Incident, primary_key=True, on_delete=models.PROTECT, related_name="+")
    worked_from = models.BinaryField()
    worked_out_at = models.DateTimeField()
    first = models.JSONField(null=True)
    """The nearest of them that is ours to meet, without its working."""
    ends = models.JSONField(default=list)
    """Of each that is ours to meet, the nearest first: [end, whose report it is or nothing, whether it is certain]."""
    elsewhere = models.JSONField(default=list)
    """The ends of those whose law may not reach us at all."""
    undated = models.PositiveIntegerField(default=0)
    """Duties that are open, ours to meet, and without a date."""
    dates = models.JSONField(default=list)

    objects = OpenDatesQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{len(self.ends)} open dates of {self.incident_id}"
