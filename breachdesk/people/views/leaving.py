"""Taking a file back: before it is taken in, or after."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.people import actions
from breachdesk.people.files import people
from breachdesk.people.forms.uploads import ReasonForm
from breachdesk.people.models import Upload
from breachdesk.people.undoing import why_not_undone
from breachdesk.people.views.uploads import upload_of
from breachdesk.web import render_page


@dataclass(frozen=True)
class Question:
    name: str
    question: str
    text: str
    yes: str
    no: str
    done: str
    refusal: str = ""  # instead of asking


def _discarding(upload: Upload) -> Question:
    return Question(
        "Discard",
        f"Discard {upload.file_name}?",
        "Nobody of it is taken in, and the sealed file is deleted. What other files brought stays as it is.",
        "Discard the file",
        "Keep it",
        "The file is discarded. Nobody of it was taken in.",
    )


def _undoing(upload: Upload) -> Question:
    return Question(
        "Undo",
        f"Take {people(upload.rows_valid)} out again?",
        f"Who came only with {upload.file_name} leaves the list, and what it changed of others is given back. "
        "The file is deleted already: to take it in again, it must be handed in again.",
        f"Take {people(upload.rows_valid)} out",
        "Leave them on the list",
        "They are being taken out.",
        why_not_undone(upload) if upload.state == Upload.State.LOADED else "",
    )


@requires("people.load_people")
def discard(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    return _decide(request, reference, upload_id, _discarding, actions.discard_upload)


@requires("people.load_people")
def undo(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    return _decide(request, reference, upload_id, _undoing, actions.undo_upload)


def _decide(
    request: StaffRequest,
    reference: str,
    upload_id: UUID,
    ask: Callable[[Upload], Question],
    act: Callable[..., Upload],
) -> HttpResponse:
    incident, upload = upload_of(request, reference, upload_id)
    asked, form = ask(upload), ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            act(upload, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, asked.done)
            return redirect("upload", reference, upload_id)
    context = {"incident": incident, "upload": upload, "asked": asked, "form": form}
    return render_page(request, "people/decide.html", context, status=422 if request.method == "POST" else 200)
