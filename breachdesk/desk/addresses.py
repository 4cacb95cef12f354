"""Where the parts of an incident are looked at."""

from django.urls import reverse

from breachdesk.incidents.models import Incident
from notifications.models import Edition
from regulators.models import Filing


def address_of_filing(incident: Incident, filing: Filing | None) -> str:
    """The list, where one is begun, while there is none."""
    if filing is None:
        return reverse("filing-list", args=[incident.reference])
    return reverse("filing-detail", args=[incident.reference, filing.pk])


def address_of_edition(incident: Incident, edition: Edition) -> str:
    return reverse("edition-detail", args=[incident.reference, edition.pk])
