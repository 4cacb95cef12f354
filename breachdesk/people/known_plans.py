"""How files were read before: offered for a file with the same headings, and confirmed by the user like any guess."""

from collections.abc import Iterator
from dataclasses import dataclass

from breachdesk.people.models import ColumnMapping, Upload
from breachdesk.people.reading.plan import Plan, plan_of
from breachdesk.people.reading.source import Inspection
from breachdesk.vault.sealing import cipher_for

MOST_FILES = 20


@dataclass(frozen=True)
class KnownPlan:
    name: str  # of the file that was read so, or of the mapping
    plan: Plan  # for the columns of the new file


def known_plan(upload: Upload, inspection: Inspection) -> KnownPlan | None:
    """The newest file of the incident with these headings, or else the first kept mapping that fits.

    Rejected rows that come back corrected have the headings of the file they are from, and so find its plan.
    """
    for name, plan in _known(upload):
        if fitting := plan.onto(inspection.source, inspection.headings):
            return KnownPlan(name, fitting)
    return None


def _known(upload: Upload) -> Iterator[tuple[str, Plan]]:
    cipher = cipher_for(upload.incident_id)
    for earlier in Upload.objects.of(upload.incident).matched().newest_first()[:MOST_FILES]:
        if earlier.pk != upload.pk:
            yield earlier.file_name, plan_of(cipher, earlier)
    for mapping in ColumnMapping.objects.all():
        yield mapping.name, Plan.from_json(mapping.plan)
