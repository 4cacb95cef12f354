"""What the columns of a file are: shown as they were guessed, on real rows, and confirmed."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.forms import show_refusal
from breachdesk.people import actions
from breachdesk.people.matching import Matching
from breachdesk.people.models import Upload
from breachdesk.people.views.uploads import upload_of
from breachdesk.web import render_page


@requires("people.load_people")
def match(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponse:
    """Shows real rows under what the columns were guessed to be; reads the file once somebody confirms it."""
    incident, upload = upload_of(request, reference, upload_id)
    if upload.state != Upload.State.RECEIVED:
        return redirect("upload", reference, upload_id)
    context = {"incident": incident, "upload": upload}
    try:
        matching = Matching(upload, request.POST)
    except ValidationError as refusal:
        return render_page(request, "people/match.html", context | {"refusal": refusal.messages[0]}, status=422)
    if matching.is_confirmed() and _match(request, upload, matching):
        messages.success(request, "It is read now. You can leave the page; it goes on without you.")
        return redirect("upload", reference, upload_id)
    status = 422 if matching.form.errors or matching.warning else 200
    return render_page(
        request, "people/match.html", context | {"matching": matching}, partial="people/_matching.html", status=status
    )


def _match(request: StaffRequest, upload: Upload, matching: Matching) -> bool:
    given = matching.form.cleaned_data
    try:
        if given["keep_as"]:
            actions.save_mapping(given["keep_as"], matching.plan, by=request.user)
        actions.match_columns(
            upload,
            matching.plan,
            purpose=given["purpose"],
            reason=given["reason"],
            expected_version=given["version"],
            by=request.user,
        )
    except ValidationError as refusal:
        show_refusal(matching.form, refusal)
        return False
    return True
