from django.http import HttpResponse

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.models import Incident
from breachdesk.incidents.views import incident_of
from breachdesk.people.forms.persons import SearchForm
from breachdesk.people.forms.uploads import UploadForm
from breachdesk.people.models import Person
from breachdesk.people.overview import CountedPaginator, Overview, masked_people
from breachdesk.web import is_htmx, render_page


@requires("people.view_counts")
def people(request: StaffRequest, reference: str) -> HttpResponse:
    return people_page(request, incident_of(request, reference), UploadForm())


def people_page(request: StaffRequest, incident: Incident, form: UploadForm, status: int = 200) -> HttpResponse:
    overview = Overview(incident)
    context = {"incident": incident, "overview": overview, "form": form, "search": SearchForm()}
    response = render_page(request, "people/people.html", context, partial="people/_under_way.html", status=status)
    if is_htmx(request) and not overview.under_way:
        response["HX-Refresh"] = "true"  # the file is read: the whole page says something new
    return response


@requires("people.view_counts")
def people_list(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    people = Person.objects.visible_to(request.user).of(incident).in_order()
    page = CountedPaginator(people, 50, count=Overview(incident).people).get_page(request.GET.get("page"))
    context = {
        "incident": incident,
        "page": page,
        "people": masked_people(incident, list(page)),
        "search": SearchForm(),
    }
    return render_page(request, "people/list.html", context)
