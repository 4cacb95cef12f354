"""What of the affected people is sealed under the incident's data key, and what must end before it is destroyed."""

from uuid import UUID

from django.db.models import F

from breachdesk.audit.erasure import goes_with_the_key
from breachdesk.incidents.models import Incident
from breachdesk.incidents.sealed_parts import Part, sealed_part, stands_in_the_way
from breachdesk.people.models import PeopleExport, Person, RejectedRow, Upload

NAME_GONE = "name destroyed"


@sealed_part
def people_part(incident: Incident) -> Part:
    return Part(
        key="people",
        label="Affected people",
        number=Person.objects.filter(incident=incident).count(),
        loss="Names, addresses and everything else personal. How many they are, and where, stays.",
    )


@sealed_part
def rejected_part(incident: Incident) -> Part:
    return Part(
        key="rejected",
        label="Rejected rows",
        number=RejectedRow.objects.filter(upload__incident=incident).count(),
        loss="The rows as they came. How many were rejected, and why, stays.",
    )


@sealed_part
def files_part(incident: Incident) -> Part:
    return Part(
        key="files",
        label="Sealed files",
        number=Upload.objects.of(incident).with_file().count(),
        loss="Files of people that were handed in and never taken in; and the name of every file.",
    )


@goes_with_the_key
def names_of_files(scope: UUID) -> list[Upload]:
    """A supplier can have put a customer's name into the name of a file."""
    named = Upload.objects.filter(incident=scope).exclude(file_name=NAME_GONE)
    changed = list(named.select_for_update(no_key=True).values_list("pk", flat=True))
    named.update(file_name=NAME_GONE, version=F("version") + 1)
    return list(Upload.objects.filter(pk__in=changed).order_by("received_at", "pk"))


@stands_in_the_way
def files_under_way(incident: Incident) -> str:
    uploads = Upload.objects.of(incident)
    if uploads.under_way().exists() or uploads.undecided().exists():
        return "A file of people is being read, or waits for a decision: decide it first."
    return ""


@stands_in_the_way
def exports_under_way(incident: Incident) -> str:
    """The file of an export is sealed with a passphrase, which the death of our key does not reach."""
    if PeopleExport.objects.of(incident).not_ended().exists():
        return "An export of people is asked for or waits to be downloaded: withdraw it, or let it run out."
    return ""
