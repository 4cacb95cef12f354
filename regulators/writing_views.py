"""While a draft is written: words are kept as they are typed, one answer saved at a time, and colleagues seen.

Without a script none of this is asked for, and the page's own button saves what was typed.
"""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.incidents.models import Incident
from breachdesk.web import is_htmx, render_page
from regulators import actions
from regulators.forms import AnswerForm, Row
from regulators.models import Filing
from regulators.sheet import Given, Sheet, sheet_of
from regulators.unsaved import Words, colleagues_at, drop_words, keep_words, say_here
from regulators.views import edit_page, filing_of


def _draft_of(request: StaffRequest, reference: str, pk: UUID) -> Filing:
    filing = filing_of(request, reference, pk)
    if not filing.is_draft or filing.incident.status == Incident.Status.CLOSED:
        raise ValidationError("This filing is not being written any more. What you typed now was not kept.")
    return filing


def _given(sheet: Sheet, key: str) -> Given:
    found = next((given for given in sheet if given.key == key), None)
    if found is None:
        raise Http404("This form has no such question.")
    return found


@require_POST
@requires("regulators.write_filing")
def type_words(request: StaffRequest, reference: str, pk: UUID, key: str) -> HttpResponse:
    """A second after the last letter. It is no answer yet."""
    filing, now = _draft_of(request, reference, pk), timezone.now()
    sheet = sheet_of(filing, at=now)
    given = _given(sheet, key)
    form = AnswerForm(given, request.POST)
    words = _keep(filing, given, form, request, now)
    return render_page(request, "regulators/_typed.html", {"row": Row(given, form, words), "filing": filing})


def _keep(filing: Filing, given: Given, form: AnswerForm, request: StaffRequest, now: datetime) -> Words | None:
    """None when what is in the boxes is what the answer says anyway: then there is nothing to keep."""
    if form.says_the_same:
        drop_words(filing, [given.key], by=request.user)
        return None
    typed = {name: request.POST.getlist(name) for name in form.names if name in request.POST}
    keep_words(filing, given.key, typed, by=request.user, at=now)
    return Words(request.POST, now)


@require_POST
@requires("regulators.write_filing")
def save_one(request: StaffRequest, reference: str, pk: UUID, key: str) -> HttpResponse:
    """One answer, when its field was left or nothing came for half a minute. Refused, its words are kept as typed."""
    filing, now = _draft_of(request, reference, pk), timezone.now()
    before = sheet_of(filing, at=now)
    given = _given(before, key)
    form = AnswerForm(given, request.POST)
    refused: list[str] = []
    if form.is_valid() and form.is_changed:
        refused = _save(filing, given, form, request)
    if refused or not form.is_valid():
        _keep(filing, given, form, request, now)
    else:
        drop_words(filing, [key], by=request.user)
    sheet = sheet_of(Filing.objects.with_case().get(pk=filing.pk), at=timezone.now())
    moved = {one.key for one in before.asked} != {one.key for one in sheet.asked}
    return edit_page(request, sheet, saved=key, moved=moved, status=422 if refused or form.errors else 200)


def _save(filing: Filing, given: Given, form: AnswerForm, request: StaffRequest) -> list[str]:
    """Why not, if it is somebody else's answer by now or one that cannot be given."""
    try:
        actions.save_answers(filing, {given.key: form.new_answer()}, by=request.user)
    except ValidationError as refusal:
        if not hasattr(refusal, "error_dict"):
            raise
        return refusal.messages
    return []


@require_POST
@requires("regulators.write_filing")
def forget(request: StaffRequest, reference: str, pk: UUID, key: str) -> HttpResponse:
    """Throws one's own unsaved words away; the answer stays what it is."""
    filing = _draft_of(request, reference, pk)
    drop_words(filing, [key], by=request.user)
    return redirect(f"{filing.get_absolute_url()}#q-{key}")


@require_POST
@requires("regulators.write_filing")
def colleagues(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """Says that this page is open, and hears who else has it open."""
    if not is_htmx(request):
        raise Http404("This is asked by the page of a filing.")
    filing, now = _draft_of(request, reference, pk), timezone.now()
    say_here(filing, by=request.user, at=now)
    context = {"colleagues": colleagues_at(filing, request.user, at=now)}
    return render_page(request, "regulators/_colleagues.html", context)
