"""One message to oneself, and what the relay said to each step: the quickest way to find out why mail does not go."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage as Message
from email.utils import formatdate, make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from breachdesk.accounts.staff_mail import problem_of, readable

PATIENCE = 10  # seconds for each answer: somebody is looking at the page
SUBJECT = "BreachDesk can send mail"
TEXT = "You asked BreachDesk to try its mail set-up. This message came through it. Nothing else needs doing.\n"


@dataclass
class Step:
    said: str
    code: int
    answer: str


@dataclass
class MailCheck:
    relay: str
    sender: str
    to: str
    steps: list[Step] = field(default_factory=list)
    problem: str = ""

    @property
    def taken(self) -> bool:
        return not self.problem

    @property
    def code(self) -> int:
        """The relay's last answer; 0 when there was none."""
        return self.steps[-1].code if self.steps else 0

    @property
    def answer(self) -> str:
        return self.problem or self.steps[-1].answer


def check_mail_setup(*, sender: str, to: str) -> MailCheck:
    """Never raises for what the relay does: the result says it in a sentence."""
    if settings.BREACHDESK.transport != "smtp":
        return _check_provider(sender, to)
    relay = f"{settings.BREACHDESK.smtp_host}, port {settings.BREACHDESK.smtp_port}"
    check = MailCheck(relay, parseaddr(sender)[1], to)
    try:
        _talk(check, sender)
    except (OSError, smtplib.SMTPException) as error:
        check.problem = _sentence(error)
    return check


def _sentence(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The relay's certificate is not one we trust: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return "The relay does not speak TLS on this port. Try another BREACHDESK_SMTP_SECURITY."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The relay does not offer STARTTLS. Use another port, or none if it is on this machine."
    return problem_of(error)


def _talk(check: MailCheck, sender: str) -> None:
    env = settings.BREACHDESK
    trusted = ssl.create_default_context()
    with _connection(trusted) as connection:
        check.steps.append(Step("connect", 220, "The relay greets us."))
        _note(check, "EHLO", connection.ehlo())
        if env.smtp_security == "starttls":
            _note(check, "STARTTLS", connection.starttls(context=trusted))
            _note(check, "EHLO", connection.ehlo())
        if env.smtp_user:
            _note(check, "AUTH", connection.login(env.smtp_user, env.smtp_password))
        _note(check, f"MAIL FROM:<{check.sender}>", connection.mail(check.sender))
        _note(check, f"RCPT TO:<{check.to}>", connection.rcpt(check.to))
        _note(check, "DATA", connection.data(_message(sender, check.to)))


def _connection(trusted: ssl.SSLContext) -> smtplib.SMTP:
    host, port = settings.BREACHDESK.smtp_host, settings.BREACHDESK.smtp_port
    if settings.BREACHDESK.smtp_security == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=PATIENCE, context=trusted)
    return smtplib.SMTP(host, port, timeout=PATIENCE)


def _note(check: MailCheck, said: str, reply: tuple[int, bytes]) -> None:
    code, answer = reply
    check.steps.append(Step(said, code, readable(answer)))
    if not 200 <= code < 400:
        raise smtplib.SMTPResponseException(code, answer)


def _message(sender: str, to: str) -> bytes:
    message = Message()
    message["From"], message["To"], message["Subject"] = sender, to, SUBJECT
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    message.set_content(TEXT)
    return message.as_bytes()


def _check_provider(sender: str, to: str) -> MailCheck:
    name = settings.BREACHDESK.transport.split(".")[-2]
    check = MailCheck(name, parseaddr(sender)[1], to)
    message = EmailMessage(SUBJECT, TEXT, sender, [to], connection=get_connection(settings.BREACHDESK.transport))
    try:
        message.send()
    except Exception as error:  # each provider's library raises its own
        check.problem = f"The provider {name} did not take it: {error}"
        return check
    status = getattr(message, "anymail_status", None)
    states = ", ".join(sorted(status.status or [])) if status else "sent"
    check.steps.append(Step("send", 250, f"{name} answered: {states}"))
    return check
