"""Where mail providers report, guarded before anything is read: size, the secret, and the signature if there is one.

Anymail's views take each provider's report apart; these stand before them. Whatever is forged, garbled or not set up is
refused with 4xx, and nothing of it is kept. An error of ours, such as a database that is down, is a 500: then the
provider comes again.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

from anymail import urls
from anymail.exceptions import AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent
from anymail.webhooks.amazon_ses import AmazonSESBaseWebhookView, AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.resend import ResendTrackingWebhookView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.crypto import constant_time_compare
from requests import RequestException

from notifications import sns
from notifications.checks import SIGNATURES

LARGEST = 1_000_000  # bytes
CLOCKS_APART = 300  # seconds
GARBLED = (AnymailError, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


class Guarded(AnymailBaseWebhookView):  # type: ignore[misc]
    """Stands before one of Anymail's views, which it is mixed into."""

    signed_with: str | None = None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST:
            return HttpResponse("This report is larger than any provider's.\n", "text/plain", 413)
        if not self.basic_auth:
            raise AnymailWebhookValidationFailure("Reports are not taken while ANYMAIL has no WEBHOOK_SECRET.")
        AnymailBaseWebhookView.validate_request(self, request)
        if self.signed_with and not settings.ANYMAIL.get(self.signed_with):
            raise AnymailWebhookValidationFailure(f"Reports are not taken while ANYMAIL has no {self.signed_with}.")
        response: HttpResponseBase = super().post(request, *args, **kwargs)
        return response

    def run_validators(self, request: HttpRequest) -> None:
        try:
            super().run_validators(request)
        except GARBLED as error:
            raise AnymailWebhookValidationFailure("This report cannot be checked.") from error

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        try:
            return list(super().parse_events(request))
        except GARBLED as error:
            raise AnymailWebhookValidationFailure("This report cannot be read.") from error


class ResendReports(Guarded, ResendTrackingWebhookView):  # type: ignore[misc]
    """Signed as Svix signs (Standard Webhooks), which Anymail leaves to a package of its own."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs | {"signing_secret": None})

    def validate_request(self, request: HttpRequest) -> None:
        given = {name: request.headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")}
        if not given["timestamp"].isdigit() or abs(time.time() - int(given["timestamp"])) > CLOCKS_APART:
            raise AnymailWebhookValidationFailure("This report is too old, or does not say when it was sent.")
        secret = str(settings.ANYMAIL["RESEND_SIGNING_SECRET"]).removeprefix("whsec_")
        text = f"{given['id']}.{given['timestamp']}.".encode() + request.body
        try:
            right = hmac.new(base64.b64decode(secret), text, hashlib.sha256).digest()
        except binascii.Error as error:
            raise AnymailWebhookValidationFailure("RESEND_SIGNING_SECRET is no secret of Resend's.") from error
        signature = "v1," + base64.b64encode(right).decode()
        if not any(constant_time_compare(one, signature) for one in given["signature"].split()):
            raise AnymailWebhookValidationFailure("This report is not signed by Resend.")


class AmazonReports(Guarded, AmazonSESTrackingWebhookView):  # type: ignore[misc]
    """Signed by Amazon SNS, and of a topic that was named. Needs no boto3."""

    fetch: sns.Fetch | None = None

    def __init__(self, **kwargs: Any) -> None:
        self.auto_confirm_enabled = False  # Anymail's way, which needs boto3 and an account's keys
        self.session_params: dict[str, Any] = {}
        self.client_params: dict[str, Any] = {}
        super(AmazonSESBaseWebhookView, self).__init__(**kwargs)

    def validate_request(self, request: HttpRequest) -> None:
        message = self._parse_sns_message(request)
        try:
            sns.verify(message, settings.BREACHDESK.sns_topics.split(), self.fetch or sns.fetch_certificate)
            if message["Type"] == "SubscriptionConfirmation":
                sns.confirm_subscription(message, self.fetch or sns.get)
        except sns.Forged as error:
            raise AnymailWebhookValidationFailure(f"This report of Amazon SNS is refused: {error}.") from error

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.META.get("HTTP_AUTHORIZATION"):
            # SNS gives the secret only when it is asked for it.
            return HttpResponse(status=401, headers={"WWW-Authenticate": 'Basic realm="reports"'})
        try:
            return super().post(request, *args, **kwargs)
        except RequestException:
            return HttpResponse("The certificate could not be fetched.\n", "text/plain", 503)

    def parse_events(self, request: HttpRequest) -> list[AnymailTrackingEvent]:
        """A topic's last notice, that it was subscribed, is no JSON and no event."""
        message = self._parse_sns_message(request)
        if message["Type"] == "Notification" and message.get("Message", "").startswith("Successfully validated SNS"):
            return []
        return super().parse_events(request)


OWN = {"amazon_ses": AmazonReports, "resend": ResendReports}


def _doors() -> dict[str, Callable[[HttpRequest], HttpResponseBase]]:
    """One for each provider that reports; what others write to us (inbound mail) is not taken."""
    found = {}
    for pattern in urls.urlpatterns:
        provider, _, rest = str(pattern.pattern).partition("/")
        if rest != "tracking/":
            continue
        view = OWN.get(provider) or type(f"{provider}_reports", (Guarded, pattern.callback.view_class), {})
        found[provider] = _where_set_up(view, provider)
    return found


def _where_set_up(view: type[Guarded], provider: str) -> Callable[[HttpRequest], HttpResponseBase]:
    answer = view.as_view(signed_with=SIGNATURES.get(provider))

    def respond(request: HttpRequest) -> HttpResponseBase:
        try:
            response: HttpResponseBase = answer(request)
            return response
        except ImproperlyConfigured as error:
            raise Http404 from error

    return respond


DOORS = _doors()
