"""A filing over time: what each version said, what changed between two, and the next one."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.audit.canonical import parse
from breachdesk.audit.proof import answers_with_proof
from breachdesk.web import render_page
from regulators import actions
from regulators.changes import changes_between
from regulators.comparison_pdf import comparison_pdf
from regulators.content import digest_of
from regulators.filing_pdf import content_at, laid_out
from regulators.forms import StepForm
from regulators.models import Filing
from regulators.views import download, filing_of


@require_POST
@requires("regulators.write_filing")
def begin_follow_up(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    step = StepForm(request.POST)
    if not step.is_valid():
        raise ValidationError("The page did not say which state it shows. Open it again. Nothing was changed.")
    filing = actions.begin_follow_up(filing, expected_version=step.cleaned_data["version"], by=request.user)
    messages.success(request, f"Version {filing.number} is begun. What the facts say is live again until its sign-off.")
    return redirect(filing)


@requires("regulators.view_filing")
def version(request: StaffRequest, reference: str, pk: UUID, number: int) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    found = filing.version_of(number)
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
    filing = filing_of(request, reference, pk)
    numbers = _numbers_of(filing)
    older, newer = _asked(request.GET, numbers)
    context = {
        "filing": filing,
        "incident": filing.incident,
        "numbers": numbers,
        "draft": filing.number if not filing.signed else None,
        "older": older,
        "newer": newer,
        "changes": changes_between(_said_by(filing, older), _said_by(filing, newer)),
    }
    return render_page(request, "regulators/changes.html", context)


@require_POST
@requires("regulators.view_filing")
@answers_with_proof
def export_changes(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    older, newer = _asked(request.POST, _numbers_of(filing))
    document = comparison_pdf(filing, older, newer, at=timezone.now())
    actions.export_filing(filing, document, by=request.user)
    return download(document.pdf, document.name, "application/pdf")


def _numbers_of(filing: Filing) -> list[int]:
    numbers = sorted({*(one.number for one in filing.versions.all()), filing.number})
    if len(numbers) < 2:
        raise Http404("This filing has one version alone.")
    return numbers


def _asked(words: QueryDict, numbers: list[int]) -> tuple[int, int]:
    def number(name: str, default: int) -> int:
        typed = words.get(name, "")
        return int(typed) if typed.isdecimal() and int(typed) in numbers else default

    return number("from", numbers[-2]), number("to", numbers[-1])


def _said_by(filing: Filing, number: int) -> dict[str, Any]:
    """The content of a version; of the one being written as it stands now."""
    return content_at(filing, filing.version_of(number), timezone.now())
