"""The message as one person gets it: alone in its frame, as the bytes that go out, and of somebody real."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.people.models import Person
from breachdesk.people.views.why import asked_why
from breachdesk.web import render_page
from notifications.editions import the_organisation
from notifications.models import Edition
from notifications.previewing import NotShown, Preview, open_real_person, person_of_pass, preview, source
from notifications.recipients import kinds_of
from notifications.views import edition_of, user_of

# A message in its frame: no script, no picture, nothing from anywhere, and nothing that leads out of it.
FRAME_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
SOURCE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'self'"


@requires("notifications.view_notice")
def edition_preview(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """The message itself, alone in its frame. A POST shows text that is not kept yet."""
    edition, organisation, user = edition_of(request, reference, pk), the_organisation(), user_of(request)
    subject, body = edition.subject, edition.body
    if request.method == "POST" and user.has_perm("notifications.write_notice"):
        subject, body = request.POST.get("subject", "")[:500], request.POST.get("body", "")[:60_000]
    person, kinds = _asked(request, edition)
    body = body.replace("\r\n", "\n")
    message = preview(edition, organisation, subject=subject, body=body, person=person, kinds=kinds)
    return in_a_frame(request, message)


@require_GET
@requires("notifications.view_notice")
def edition_source(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Every byte of the message as the sender would write it, for reading."""
    edition = edition_of(request, reference, pk)
    person, kinds = _asked(request, edition)
    try:
        return as_source(source(edition, the_organisation(), person=person, kinds=kinds))
    except NotShown as reason:
        return as_source(f"{reason}\r\n".encode(), status=422)


@require_POST
@requires("people.reveal_person")
def edition_person(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    """Opens one real person's message: of an exact address or number, or of a segment of the list."""
    edition = edition_of(request, reference, pk)
    shown_on = "edition-edit" if request.POST.get("page") == "edit" else "edition-review"
    back = reverse(shown_on, args=[reference, pk])
    asked = {name: request.POST[name] for name in ("find", "segment", "page") if name in request.POST}
    if page := asked_why(request, edition.notice.incident, back, asked):
        return page
    segment = request.POST.get("segment", "")[:500]
    given = open_real_person(edition, request.POST.get("find", "")[:254], segment=segment, by=user_of(request))
    messages.info(request, "You see the message of a real person. That you looked is in the trail.")
    return redirect(f"{back}?as={given}#preview")


def _asked(request: HttpRequest, edition: Edition) -> tuple[Person | None, tuple[str, ...]]:
    """The real person a pass stands for, or the kinds of data of a made-up one."""
    given = request.POST.get("as") or request.GET.get("as") or ""
    person = person_of_pass(edition, given, user_of(request)) if given else None
    return person, kinds_of(request.GET.get("kinds", "").split(","), edition.notice.incident)


def in_a_frame(request: HttpRequest, message: Preview) -> HttpResponse:
    response = render_page(request, "notifications/_frame.html", {"message": message})
    response["Content-Security-Policy"] = FRAME_POLICY
    return response


def as_source(message: bytes, *, status: int = 200) -> HttpResponse:
    """Never kept, and never read as anything but text."""
    response = HttpResponse(message, content_type="text/plain; charset=utf-8", status=status)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SOURCE_POLICY
    return response
