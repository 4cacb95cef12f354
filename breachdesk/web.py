"""What every screen shares: a whole page or its partial, paging, and a clear sentence when an action refuses."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import render

from breachdesk.pdf import PdfError

logger = logging.getLogger(__name__)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def render_page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, partial: str | None = None, status: int = 200
) -> HttpResponse:
    """The whole page, or the partial it includes when htmx asks. Never kept by a browser or a proxy."""
    chosen = partial if partial and is_htmx(request) else template
    response = render(request, chosen, dict(context), status=status)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "HX-Request, Cookie"
    return response


def paginate(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], per_page: int = 50) -> Page[Any]:
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


class Gone(Exception):
    """What was asked for was destroyed for good. The message says when."""


class RefusalMiddleware:
    """Turns an action's refusal into a page that says why; the action's transaction has changed nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            page = render_page(request, "405.html", {}, status=405)
            page["Allow"] = response["Allow"]
            return page
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, ValidationError):
            return _refuse(request, "refused.html", error.messages, status=409)
        if isinstance(error, PdfError):
            return _refuse(request, "refused.html", [str(error)], status=409)
        if isinstance(error, Gone):
            return _refuse(request, "410.html", [str(error)], status=410)
        if isinstance(error, PermissionDenied):
            return _refuse(request, "403.html", [str(error)] if str(error) else [], status=403)
        if isinstance(error, OperationalError | InterfaceError):
            logger.error("The database could not do what was asked.", exc_info=error)
            return _refuse(request, "503.html", [_sentence_of(error)], status=503)
        return None


def _sentence_of(error: Exception) -> str:
    """PostgreSQL's class 53 is a lack of disk, memory or connections (Appendix A of its manual)."""
    match getattr(error.__cause__, "sqlstate", None) or "":
        case "53100":
            return "The disk of the database is full, so nothing can be saved until your administrator makes room."
        case state if state.startswith("53"):
            return "The database has no room for another request just now."
        case _:
            return "The database does not answer just now."


def _refuse(request: HttpRequest, template: str, sentences: list[str], *, status: int) -> HttpResponse:
    context = {"sentences": sentences, "back": request.path if request.method == "GET" else _page_before(request)}
    return render_page(request, template, context, partial="components/_refusal.html", status=status)


def _page_before(request: HttpRequest) -> str:
    """The page the refused form was on, if it was ours."""
    origin = f"{request.scheme}://{request.get_host()}"
    referer = request.headers.get("Referer", "")
    return referer.removeprefix(origin) if referer.startswith(f"{origin}/") else "/"


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
