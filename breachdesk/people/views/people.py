from django.http import HttpResponse

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people.forms.persons import SearchForm
from breachdesk.people.forms.uploads import UploadForm
from breachdesk.people.holds import HoldSummary
from breachdesk.people.overview import Overview
from breachdesk.web import render_page


@requires("people.view_counts")
def people(request: StaffRequest, reference: str) -> HttpResponse:
    return people_page(request, incident_of(request, reference), UploadForm())


def people_page(request: StaffRequest, incident: Incident, form: UploadForm, status: int = 200) -> HttpResponse:
    overview = Overview(incident)
    context = {
        "incident": incident,
        "overview": overview,
        "holds": HoldSummary(incident, overview.tally),
        "form": form,
        "search": SearchForm(),
    }
    return render_page(request, "people/people.html", context, status=status)


@requires("people.view_counts")
def watch(request: StaffRequest, reference: str) -> HttpResponse:
    """The files on their way, asked for each second; once people joined or left, the whole page says something new."""
    incident = incident_of(request, reference)
    overview = Overview(incident)
    if request.GET.get("done") != str(len(overview.done)):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"incident": incident, "overview": overview, "said": request.GET.get("said", ""), "is_update": True}
    return render_page(request, "people/_in_hand.html", context)
