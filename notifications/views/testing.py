"""A test to colleagues: who gets it is chosen by name, and the page says who did."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from breachdesk.accounts.permissions import requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.web import render_page
from notifications.forms import TestSendForm
from notifications.models import Edition
from notifications.test_sends import (
    BEFORE_SENDING,
    MARK,
    MOST_AN_HOUR,
    MOST_AT_ONCE,
    Tested,
    colleagues,
    left_this_hour,
    send_test,
)
from notifications.views import edition_of, user_of


@requires("notifications.test_edition")
def edition_test(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    form = TestSendForm(request.POST or None, known=colleagues(), initial={"version": edition.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            tested = send_test(edition, data["colleagues"], expected_version=data["version"], by=user_of(request))
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            _say(request, tested)
            return redirect("edition-test", reference, pk)
    return render_page(
        request, "notifications/test_send.html", _context(edition, form), status=422 if form.errors else 200
    )


def _context(edition: Edition, form: TestSendForm) -> dict[str, object]:
    return {
        "incident": edition.notice.incident,
        "edition": edition,
        "form": form,
        "mark": MARK,
        "may_be_tested": edition.state in BEFORE_SENDING,
        "left": left_this_hour(edition),
        "most_at_once": MOST_AT_ONCE,
        "most_an_hour": MOST_AN_HOUR,
    }


def _say(request: HttpRequest, tested: Tested) -> None:
    if tested.got:
        messages.success(request, f"Handed to the mail server for {_names(tested)}.")
    for user, why in tested.not_got:
        messages.warning(request, f"{user.name} did not get it. {why}")


def _names(tested: Tested) -> str:
    return ", ".join(user.name for user in tested.got)
