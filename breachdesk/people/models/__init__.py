"""Affected people and the files they came in: the only home of their personal data."""

from breachdesk.people.models.counts import CountEntry, CountEntryQuerySet, Tally, TallyQuerySet
from breachdesk.people.models.exports import PeopleExport, PeopleExportQuerySet
from breachdesk.people.models.holds import Hold, HoldQuerySet
from breachdesk.people.models.persons import Person, PersonMatch, PersonQuerySet
from breachdesk.people.models.uploads import (
    ColumnMapping,
    Reading,
    RejectedRow,
    RejectedRowQuerySet,
    Upload,
    UploadQuerySet,
)

__all__ = [
    "ColumnMapping",
    "CountEntry",
    "CountEntryQuerySet",
    "Hold",
    "HoldQuerySet",
    "PeopleExport",
    "PeopleExportQuerySet",
    "Person",
    "PersonMatch",
    "PersonQuerySet",
    "Reading",
    "RejectedRow",
    "RejectedRowQuerySet",
    "Tally",
    "TallyQuerySet",
    "Upload",
    "UploadQuerySet",
]
