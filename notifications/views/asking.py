"""Did we write to this address? The page a data protection officer opens when somebody asks."""

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.incidents.retention import keeping_of
from breachdesk.web import render_page
from notifications.index_question import Answer, ask_index
from notifications.views import incident_of


class AddressForm(forms.Form):
    address = forms.CharField(
        max_length=320,
        label="E-mail address",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "email"}),
        error_messages={"required": "Give the address that is asked about."},
    )
    reason = forms.CharField(
        max_length=1000,
        label="Who asks, and why?",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say who asks, and why. The question is in the trail."},
    )


@requires("incidents.ask_index")
def index_ask(request: StaffRequest, reference: str) -> HttpResponse:
    """Answers the form itself: the address stands in no link and in no history of a browser."""
    incident = incident_of(request, reference)
    form = AddressForm(request.POST or None)
    answer: Answer | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer = ask_index(incident, **form.cleaned_data, by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
    context = {"incident": incident, "form": form, "answer": answer, "keeping": keeping_of(incident)}
    refused = request.method == "POST" and answer is None
    return render_page(request, "notifications/index_question.html", context, status=422 if refused else 200)
