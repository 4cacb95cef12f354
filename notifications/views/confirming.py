"""The full page before a step that cannot simply be taken back: it says what will happen, with the number."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from breachdesk.web import render_page
from notifications.forms import ConfirmForm
from notifications.models import Edition


@dataclass(frozen=True)
class Question:
    question: str
    text: str
    yes: str
    no: str
    tone: str = ""
    must_match: str = ""
    ask_reason: bool = False
    reason_needed: bool = False
    reason_label: str = "Why?"
    reason_missing: str = ""


def address(name: str, edition: Edition) -> str:
    return reverse(name, args=[edition.notice.incident.reference, edition.pk])


def confirm(
    request: HttpRequest, edition: Edition, asked: Question, act: Callable[[int, str], str], *, back: str
) -> HttpResponse:
    """Asks, or does it: `act` gets the version of the page and the reason, and says where to go on."""
    sent = request.POST if request.method == "POST" else None
    form = ConfirmForm(sent, must_match=asked.must_match, reason_needed=asked.reason_needed)
    if asked.reason_missing:
        form.fields["reason"].error_messages["required"] = asked.reason_missing
    if sent is not None and form.is_valid():
        return redirect(act(form.cleaned_data["version"], form.cleaned_data["reason"]))
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "asked": asked,
        "form": form,
        "reason": form["reason"] if asked.ask_reason or asked.reason_needed else None,
        "back": address(back, edition),
        "seen": sent.get("version", "") if sent is not None else edition.version,
    }
    return render_page(request, "notifications/confirm.html", context, status=422 if sent is not None else 200)
