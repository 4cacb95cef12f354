"""The demo's caught mail, for everyone who is signed in to it. Production has neither these addresses nor this mail."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from breachdesk.embedded.catcher_store import CaughtMail, CaughtMessage
from breachdesk.web import render_page

LOOPBACK = ("127.0.0.1", "::1")
# A message may style itself and do nothing else: no script, no picture, no form, no way back to our page.
BODY_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@require_safe
def caught_list(request: HttpRequest) -> HttpResponse:
    mail = _mail_of(request)
    page = Paginator(range(len(mail), 0, -1), per_page=50).get_page(request.GET.get("page"))
    messages = mail.messages(page.object_list[-1], page.object_list[0])[::-1] if page.object_list else []
    return render_page(
        request, "embedded/caught_list.html", {"page": page, "messages_caught": messages, "counts": mail.counts()}
    )


@require_safe
def caught_detail(request: HttpRequest, number: int) -> HttpResponse:
    return render_page(request, "embedded/caught_detail.html", {"message": _message_or_404(request, number)})


@require_safe
@xframe_options_sameorigin
def caught_body(request: HttpRequest, number: int) -> HttpResponse:
    """As the customer's mail program would show it, but without anything from outside."""
    message = _message_or_404(request, number)
    html = message.body("html")
    kind = "text/html" if html else "text/plain"
    response = HttpResponse(html or message.body("plain"), content_type=f"{kind}; charset=utf-8")
    response["Content-Security-Policy"] = BODY_POLICY
    response["Cache-Control"] = "no-store"
    return response


def _mail_of(request: HttpRequest) -> CaughtMail:
    folder = settings.BREACHDESK.catcher_dir
    if not settings.BREACHDESK.demo or folder is None or request.META["REMOTE_ADDR"] not in LOOPBACK:
        raise Http404
    return CaughtMail(folder)


def _message_or_404(request: HttpRequest, number: int) -> CaughtMessage:
    message = _mail_of(request).message(number)
    if message is None:
        raise Http404
    return message
