"""Where mail providers report. What takes their reports apart is loaded with the first: it has a library of each."""

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
@login_not_required
def report(request: HttpRequest, provider: str) -> HttpResponseBase:
    from notifications.webhooks import DOORS

    if provider not in DOORS:
        raise Http404
    return DOORS[provider](request)


urlpatterns = [path("<slug:provider>/tracking/", report, name="webhook")]
