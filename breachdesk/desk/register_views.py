"""The breach register on screen, and what leaves the product of it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from breachdesk.accounts.models import Organisation
from breachdesk.accounts.permissions import requires
from breachdesk.desk import actions
from breachdesk.desk.forms import RegisterFilter
from breachdesk.desk.register import Register, register_csv, register_of, years_of
from breachdesk.desk.register_pdf import register_pdf
from breachdesk.web import paginate, render_page

PER_PAGE = 50
TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


@requires("incidents.view_incident")
def register(request: HttpRequest) -> HttpResponse:
    form, found = _asked(request)
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {
        "form": form,
        "register": found,
        "query": asked.urlencode(),
        "page": paginate(request, found.rows, PER_PAGE),
    }
    return render_page(request, "desk/register.html", context)


def _asked(request: HttpRequest) -> tuple[RegisterFilter, Register]:
    user: Any = request.user
    form = RegisterFilter(request.GET, years=years_of(user))
    return form, register_of(user, **(form.cleaned_data if form.is_valid() else {}))


@require_POST
@requires("incidents.view_incident")
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """Of what the filters show."""
    if kind not in TYPES:
        raise Http404("The register is exported as CSV or as PDF.")
    _, found = _asked(request)
    now, organisation = timezone.now(), Organisation.current()
    content = register_csv(found) if kind == "csv" else register_pdf(found, organisation, now)
    user: Any = request.user
    actions.export_register(content, rows=len(found.rows), kind=kind, by=user)
    response = HttpResponse(content, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="breach-register-{now:%Y-%m-%d}.{kind}"'
    return response
