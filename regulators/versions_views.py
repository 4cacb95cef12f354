"""A filing over time: what each version said, what changed between two, and the next one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.audit.canonical import parse
from breachdesk.web import render_page
from regulators import actions
from regulators.changes import changes_between
from regulators.content import content_of, digest_of
from regulators.filing_pdf import laid_out
from regulators.forms import StepForm
from regulators.models import Filing, FilingVersion
from regulators.sheet import sheet_of


def _filing_of(request: StaffRequest, reference: str, pk: UUID) -> Filing:
    found = Filing.objects.visible_to(request.user).with_case()
    return get_object_or_404(found, pk=pk, incident__reference=reference)


@require_POST
@requires("regulators.write_filing")
def begin_follow_up(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = _filing_of(request, reference, pk)
    step = StepForm(request.POST)
    if not step.is_valid():
        raise ValidationError("The page did not say which state it shows. Open it again. Nothing was changed.")
    filing = actions.begin_follow_up(filing, expected_version=step.cleaned_data["version"], by=request.user)
    messages.success(request, f"Version {filing.number} is begun. What the facts say is live again until its sign-off.")
    return redirect(filing)


@requires("regulators.view_filing")
def version(request: StaffRequest, reference: str, pk: UUID, number: int) -> HttpResponse:
    filing = _filing_of(request, reference, pk)
    found = next((one for one in filing.versions.all() if one.number == number), None)
    if found is None:
        raise Http404("This filing has no such version.")
    content = parse(bytes(found.content))
    context = {
        "filing": filing,
        "incident": filing.incident,
        "version": found,
        "receipt": getattr(found, "receipt", None),
        "sections": laid_out(content),
        "digest": digest_of(content).hex(),
    }
    return render_page(request, "regulators/version.html", context)


@requires("regulators.view_filing")
def changes(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """Between any two; without being asked, between the last one and the one before."""
    filing = _filing_of(request, reference, pk)
    said = _said_by(filing)
    if len(said) < 2:
        raise Http404("This filing has one version alone.")
    numbers = sorted(said)
    older, newer = _asked(request, "from", numbers, numbers[-2]), _asked(request, "to", numbers, numbers[-1])
    context = {
        "filing": filing,
        "incident": filing.incident,
        "numbers": numbers,
        "draft": filing.number if not filing.signed else None,
        "older": older,
        "newer": newer,
        "changes": changes_between(said[older], said[newer]),
    }
    return render_page(request, "regulators/changes.html", context)


def _asked(request: StaffRequest, name: str, numbers: list[int], default: int) -> int:
    typed = request.GET.get(name, "")
    return int(typed) if typed.isdecimal() and int(typed) in numbers else default


def _said_by(filing: Filing) -> dict[int, dict[str, Any]]:
    """The content of each version; that of the one being written as it stands now."""
    versions: list[FilingVersion] = list(filing.versions.all())
    said = {one.number: parse(bytes(one.content)) for one in versions}
    if not filing.signed:
        said[filing.number] = content_of(sheet_of(filing, at=timezone.now()))
    return said
