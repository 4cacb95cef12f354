"""The page that anybody can open, without signing in, to ask whether a message is ours."""

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from breachdesk.web import render_page
from notifications.genuine import Answer, all_words, answer_to, language_for, what_was_sent

LONGEST_TYPED = 60


@csrf_exempt  # it changes nothing, and a token would need a cookie
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def genuine(request: HttpRequest, language: str = "") -> HttpResponse:
    """Known and unknown codes go the same way and get the same status: only the words differ."""
    if language and language not in all_words():
        raise Http404
    language = language or language_for(request.headers.get("Accept-Language", ""))
    is_refused = request.method == "POST" and not ratelimit.consume(request, action="message_code")
    answer: Answer | None = None
    if request.method == "POST" and not is_refused:
        answer = answer_to(request.POST.get("code", "")[:LONGEST_TYPED])
    context = {
        "answer": answer,
        "is_refused": is_refused,
        "words": all_words()[language],
        "page_language": language,
        "languages": {tag: words["name"] for tag, words in all_words().items() if tag != language},
        "messages_sent": what_was_sent(),
    }
    return render_page(request, "notifications/genuine.html", context, status=429 if is_refused else 200)
