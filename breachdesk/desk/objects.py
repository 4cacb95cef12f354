"""What a case holds, as the trail's filter offers it: the case itself, its notices and its filings."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone

from breachdesk.incidents.models import Assessment, Decision, Incident
from breachdesk.people.models import PeopleExport, Upload
from notifications.models import Edition
from regulators.models import Filing

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@dataclass(frozen=True)
class CaseObject:
    """`ids` are those under which the trail knows it and its parts; the first one stands in the address."""

    name: str
    ids: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.ids[0]


def objects_of(incident: Incident, user: "User") -> list[CaseObject]:
    """Only what this user may see anyway."""
    people = [*_lists(incident, user), *_exports(incident, user)]
    return [*_facts(incident), *people, *_notices(incident, user), *_filings(incident, user)]


def _facts(incident: Incident) -> Iterator[CaseObject]:
    moments = (str(moment.pk) for moment in incident.moments.all())
    yield CaseObject("Facts and clocks", (str(incident.pk), *moments))
    judged = [*Assessment.objects.of(incident), *Decision.objects.of(incident)]
    if judged:
        yield CaseObject("The risk to people", tuple(str(one.pk) for one in judged))


def _lists(incident: Incident, user: "User") -> Iterator[CaseObject]:
    for upload in Upload.objects.visible_to(user).of(incident):
        yield CaseObject(f"List {upload.file_name}", (str(upload.pk),))


def _exports(incident: Incident, user: "User") -> Iterator[CaseObject]:
    for export in PeopleExport.objects.visible_to(user).of(incident).newest_first():
        yield CaseObject(f"Export asked for on {timezone.localtime(export.asked_at):%-d %B %Y}", (str(export.pk),))


def _notices(incident: Incident, user: "User") -> Iterator[CaseObject]:
    editions = Edition.objects.visible_to(user).of(incident).prefetch_related("approvals")
    for edition in editions:
        approvals = (str(approval.pk) for approval in edition.approvals.all())
        name = f"{edition.notice.title}, {edition.language}, revision {edition.revision}"
        yield CaseObject(name, (str(edition.pk), *approvals))


def _filings(incident: Incident, user: "User") -> Iterator[CaseObject]:
    for filing in Filing.objects.visible_to(user).of(incident).prefetch_related("answers", "versions__receipt"):
        parts = [filing, *filing.answers.all(), *filing.versions.all()]
        parts += [version.receipt for version in filing.versions.all() if hasattr(version, "receipt")]
        form = filing.definition
        yield CaseObject(f"{form.title} to the {filing.addressee.short_name}", tuple(str(part.pk) for part in parts))
