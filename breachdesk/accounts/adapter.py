import logging
import smtplib
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from breachdesk.accounts import actions
from breachdesk.accounts.models import Organisation, User
from breachdesk.accounts.staff_mail import absolute

log = logging.getLogger(__name__)

# Of everything allauth would say after an action, only what a page does not show anyway.
SAID = {"account/messages/password_changed.txt": "Your password is changed. Sign in with the new one."}


class InvitedOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up: an administrator invites. Signing in and choosing a password are actions like all others."""

    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "That address and password do not belong together. Check both, or get a new one.",
        "too_many_login_attempts": "Too many tries. Wait five minutes, or get a new password by e-mail.",
        "enter_current_password": "That is not your current password.",
        "incorrect_password": "That is not your password.",
        "invalid_password_reset": "This link was used already, or it is too old.",
        "account_inactive": "This account was removed by an administrator.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def login(self, request: HttpRequest, user: User) -> None:
        with transaction.atomic():
            super().login(request, user)
            actions.note_sign_in(user, by=user)

    def set_password(self, user: User, password: str) -> None:
        choose = actions.change_password if user.joined_at else actions.join
        choose(user, password=password, by=user)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Whoever may say who works here is asked first, as long as nobody has."""
        asked = request.user.has_perm("accounts.change_organisation") and not Organisation.current().is_known
        return reverse("organisation") if asked else str(super().get_login_redirect_url(request))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Never from the request's own host name: a link in an e-mail leads to the configured address."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return absolute(path.replace("UID-KEY", key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A relay that is down neither breaks the page nor tells a stranger which addresses are known."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, smtplib.SMTPException) as error:
            log.warning("The relay did not take an e-mail to a colleague: %s", type(error).__name__)

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        if sentence := message or SAID.get(message_template or ""):
            messages.add_message(request, level, sentence, extra_tags=extra_tags)
