"""Who was reached by a notice, and the steps for those who were not: a second address, letters, the public."""

from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from breachdesk.accounts.permissions import requires
from breachdesk.vault.sealing import cipher_for
from breachdesk.web import is_htmx, render_page
from notifications import actions
from notifications.forms import PostedForm, ReasonForm, WindowForm
from notifications.ladder import letters_of, rungs_of, second_of
from notifications.letter_files import open_pdf, parts_made, parts_of
from notifications.letter_index import index_of_run, sample_letter
from notifications.letter_pages import WINDOWS, foreign_frame
from notifications.models import Edition, LetterRun, Notice
from notifications.reach import reach_of
from notifications.views import edition_of, incident_of, user_of
from notifications.views.confirming import Question, confirm


@require_GET
@requires("notifications.view_notice")
def notice_reach(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    incident = incident_of(request, reference)
    notice = get_object_or_404(Notice.objects.visible_to(user_of(request)).of(incident), pk=pk)
    notice.incident = incident
    context = {
        "incident": incident,
        "notice": notice,
        "reach": reach_of(notice),
        "rungs": rungs_of(notice),
        "others": Notice.objects.of(incident).exclude(pk=pk).oldest_first(),
    }
    return render_page(request, "notifications/reach.html", context)


@requires("notifications.send_edition")
def edition_second_address(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    number = second_of(edition)
    asked = Question(
        question=f"Try the second address of {number:,} {'person' if number == 1 else 'people'}?",
        text="Their first address refused the message or it came back. They get the same words, under the same "
        "Message-ID, at the second address that their list gave. Nobody else is sent anything.",
        yes="Try the second addresses",
        no="Leave it",
        ask_reason=True,
        reason_needed=True,
        reason_missing="Say why their second address is tried. It stands in the trail.",
    )

    def act(version: int, reason: str) -> str:
        decision = actions.try_second_address(edition, reason=reason, expected_version=version, by=user_of(request))
        messages.success(request, f"{decision.people:,} people are sent to at their second address now.")
        return _reach_of(edition)

    return confirm(request, edition, asked, act, back="send")


@require_http_methods(["GET", "POST"])
@requires("notifications.print_letters")
def letters_begin(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    form = WindowForm(request.POST or None, initial={"version": edition.version, "window": "uk"})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        run = actions.begin_letters(
            edition, window=chosen["window"], expected_version=chosen["version"], by=user_of(request)
        )
        messages.success(request, f"Letters to {run.people:,} people are being made.")
        return redirect("letters", reference, run.pk)
    context = {
        "incident": edition.notice.incident,
        "edition": edition,
        "form": form,
        "waiting": letters_of(edition),
        "second": second_of(edition),
        "foreign_frame": foreign_frame(edition.language),
    }
    return render_page(request, "notifications/letters_begin.html", context, status=422 if form.errors else 200)


@require_GET
@requires("notifications.print_letters")
def letters_sample(request: HttpRequest, reference: str, pk: UUID, window: str) -> HttpResponse:
    """The letter of an invented person, before any is made."""
    edition = edition_of(request, reference, pk)
    return _pdf(sample_letter(edition, window if window in WINDOWS else "uk"), f"{reference}-sample-letter.pdf")


@require_GET
@requires("notifications.view_notice")
def letters(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    """While letters are made the page asks for itself; the first answer after that has it loaded anew, whole."""
    run = _run(request, reference, pk)
    answer = _run_page(request, run)
    if is_htmx(request) and (run.state != LetterRun.State.MAKING or run.voided_at):
        answer["HX-Refresh"] = "true"
    return answer


@require_GET
@requires("notifications.print_letters")
def letters_index(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    """For whoever prints and posts: counts, sheets and digests of the files. It names nobody."""
    run = _run(request, reference, pk)
    return _pdf(index_of_run(run), f"{reference}-letters-index.pdf")


@require_POST
@requires("notifications.print_letters")
def letters_take(request: HttpRequest, reference: str, pk: UUID, part: int) -> HttpResponseBase:
    run = _run(request, reference, pk)
    taken = actions.take_letters(run, part, by=user_of(request))
    _, file = open_pdf(taken, part, cipher_for(taken.incident_id))
    answer = FileResponse(file, as_attachment=True, filename=f"{reference}-letters-{part}.pdf")
    answer["Content-Length"] = str(next(one["bytes"] for one in taken.files if one["part"] == part))
    answer["Content-Type"] = "application/pdf"
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@requires("notifications.print_letters")
def letters_post(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    run, form = _run(request, reference, pk), PostedForm(request.POST)
    if not form.is_valid():
        return _run_page(request, run, posted=form)
    said = form.cleaned_data
    done = actions.post_letters(
        run, on=said["on"], how=said["how"], expected_version=said["version"], by=user_of(request)
    )
    messages.success(request, f"{done.letters_made:,} letters are posted. These people count as reached.")
    return redirect("letters", reference, pk)


@require_POST
@requires("notifications.print_letters")
def letters_void(request: HttpRequest, reference: str, pk: UUID) -> HttpResponse:
    run, form = _run(request, reference, pk), ReasonForm(request.POST, prefix="void")
    if not form.is_valid():
        return _run_page(request, run, void=form)
    said = form.cleaned_data
    actions.void_letters(run, reason=said["reason"], expected_version=said["version"], by=user_of(request))
    messages.success(request, "These letters are given up, and their files are deleted. Others can be made.")
    return redirect("letters", reference, pk)


def _run_page(
    request: HttpRequest, run: LetterRun, *, posted: PostedForm | None = None, void: ReasonForm | None = None
) -> HttpResponse:
    parts, made = len(parts_of(run)), parts_made(run)
    context = {
        "incident": run.edition.notice.incident,
        "edition": run.edition,
        "run": run,
        "window": WINDOWS[run.window],
        "foreign_frame": foreign_frame(run.edition.language),
        "is_made_now": run.state == LetterRun.State.MAKING and run.voided_at is None,
        "parts": parts,
        "made": made,
        "bar": [("delivered", "Files made", made), ("queued", "To be made", parts - made)],
        "posted_form": posted or PostedForm(initial={"version": run.version}),
        "void_form": void or ReasonForm(prefix="void", initial={"version": run.version}),
    }
    return render_page(request, "notifications/letters.html", context, status=422 if posted or void else 200)


def _run(request: HttpRequest, reference: str, pk: UUID) -> LetterRun:
    incident = incident_of(request, reference)
    known = LetterRun.objects.with_case().filter(edition__in=Edition.objects.visible_to(user_of(request)).of(incident))
    run: LetterRun = get_object_or_404(known.select_related("made_by", "posted_by"), pk=pk)
    run.edition.notice.incident = incident
    return run


def _reach_of(edition: Edition) -> str:
    return reverse("notice-reach", args=[edition.notice.incident.reference, edition.notice_id])


def _pdf(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
