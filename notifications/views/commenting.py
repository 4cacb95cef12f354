from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import requires
from notifications import actions
from notifications.views import edition_of, user_of


@require_POST
@requires("notifications.comment_edition")
def edition_comment(request: HttpRequest, reference: str, pk: object) -> HttpResponse:
    edition, back = edition_of(request, reference, pk), _back(request, reference, pk)
    quote, text = request.POST.get("quote", "")[:4000], request.POST.get("text", "")[:2000]
    actions.comment_on(edition, quote=quote, text=text, by=user_of(request))
    messages.success(request, "Your comment is kept. It makes you no author.")
    return redirect(back)


@require_POST
@requires("notifications.comment_edition")
def comment_settle(request: HttpRequest, reference: str, pk: object, comment: object) -> HttpResponse:
    edition = edition_of(request, reference, pk)
    actions.settle_comment(get_object_or_404(edition.comments, pk=comment), by=user_of(request))
    messages.success(request, "The comment is settled.")
    return redirect(_back(request, reference, pk))


def _back(request: HttpRequest, reference: str, pk: object) -> str:
    page = "edition-edit" if request.POST.get("page") == "edit" else "edition-review"
    return reverse(page, args=[reference, pk]) + "#words"
