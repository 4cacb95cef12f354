"""E-mail to our own staff: a sentence and a link, no customer's data, and never a reason for an action to fail."""

import logging
import smtplib
from functools import partial
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

from breachdesk.accounts.models import User

log = logging.getLogger(__name__)


def absolute(path: str) -> str:
    return f"{settings.BREACHDESK.base_url}{path}"


def password_link(user: User) -> str:
    """Lets its reader choose this user's password: once, and for three days."""
    key = default_token_generator.make_token(user)
    return absolute(reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), key]))


def letter_to(user: User, template: str, context: dict[str, Any]) -> EmailMessage:
    """The template's first line is the subject, the rest the text."""
    text = render_to_string(f"accounts/email/{template}.txt", {"user": user, **context})
    subject, _, body = text.strip().partition("\n")
    return EmailMessage(subject.strip(), body.strip() + "\n", to=[user.email])


def send(letter: EmailMessage) -> str:
    """Returns nothing, or a sentence that says why the relay did not take it. Never raises for what the relay does."""
    try:
        letter.send()
    except (OSError, smtplib.SMTPException) as error:
        log.warning("The relay did not take an e-mail to a colleague: %s", type(error).__name__)
        return problem_of(error)
    return ""


def problem_of(error: Exception) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, answer = next(iter(error.recipients.values()))
            return f"The relay refused the address: {code} {readable(answer)}"
        case smtplib.SMTPResponseException():
            return f"The relay answered {error.smtp_code} {readable(error.smtp_error)}"
        case TimeoutError():
            return "The relay did not answer in time."
        case ConnectionRefusedError():
            host, port = settings.EMAIL_HOST, settings.EMAIL_PORT
            return f"Nothing takes connections at {host}, port {port}: the relay is down, or its port is another one."
        case _:
            return f"The relay could not be used: {error}."


def readable(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def post_on_commit(user: User, template: str, context: dict[str, Any]) -> None:
    """Sends after the commit; if the relay does not take it, `user.mail_problem` says why."""
    transaction.on_commit(partial(_post, user, template, context))


def _post(user: User, template: str, context: dict[str, Any]) -> None:
    user.mail_problem = send(letter_to(user, template, context))
