"""Every setting of an installation: its name, its default and its reason. `.env.example` is printed from this file."""

import json
import os
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Json, ValidationError
from pydantic.fields import FieldInfo

from breachdesk.limits import ALARM_LIMITS, GATE_LIMITS, with_the_other_alarms, with_the_others

PREFIX = "BREACHDESK_"
SHARED_NAMES = ("DATABASE_URL", "REDIS_URL")
READ_FROM_FILES = (
    "DATABASE_URL",
    "REDIS_URL",
    "BREACHDESK_SECRET_KEY",
    "BREACHDESK_SECRET_KEYS_BEFORE",
    "BREACHDESK_SMTP_PASSWORD",
    "BREACHDESK_SECOND_SMTP_PASSWORD",
)

# What `.env.example` shows for a setting without a default; made up. A start with it unchanged is refused.
EXAMPLES = {
    "database_url": "postgresql://breachdesk:change-me@localhost/breachdesk",
    "redis_url": "redis://localhost:6379/0",
    "secret_key": "change-me",
    "master_key_file": "/run/secrets/master_key",
    "state_dir": "/var/lib/breachdesk",
    "base_url": "https://breachdesk.example.com",
}

Port = Annotated[int, Field(ge=1, le=65535)]
Share = Annotated[float, Field(ge=0, le=1)]


class Environment(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: str = Field(
        alias="DATABASE_URL",
        description="PostgreSQL 15 or newer: postgresql://user:password@host/name. The only database there is.",
    )
    redis_url: str = Field(
        alias="REDIS_URL",
        description="Redis or Valkey, for Celery's doorbells only. It may be emptied at any time without harm.",
    )
    secret_key: str = Field(
        min_length=50,
        description="Signs sessions, links and return paths. At least 50 random characters; changing it signs all "
        "people out and has bounces of mail that left before taken for forged, unless it is kept below.",
    )
    secret_keys_before: str = Field(
        default="",
        description="Earlier keys, separated by commas. What they signed is still believed: remove them after a month.",
    )
    master_key_file: Path = Field(
        description="32 random bytes in base64, mode 0600, backed up apart from the database: it opens every data key."
    )
    state_dir: Path = Field(
        description="Folder for sealed uploads. Every web and worker process must see the same one."
    )
    base_url: str = Field(
        pattern=r"^https?://[^/]+$",
        description="Where colleagues reach this installation, without a slash at the end. Used in e-mailed links.",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^/]+)?$",
        description="Where anybody asks whether a message is ours, if under another name. Only /genuine/ need be open.",
    )
    hosts: str = Field(default="", description="More host names to answer to, separated by commas.")
    demo: bool = Field(
        default=False, description="1 allows plain http on this machine and shows caught mail. Never in production."
    )
    trusted_proxy: bool = Field(
        default=False, description="1 when a reverse proxy in front sets X-Forwarded-Proto, and nobody can go round it."
    )
    smtp_host: str = Field(default="localhost", description="The relay that takes our mail. A local Postfix is best.")
    smtp_port: Port = Field(default=25, description="The relay's port.")
    smtp_user: str = Field(default="", description="User name at the relay, if it asks for one.")
    smtp_password: str = Field(default="", description="Password at the relay, if it asks for one.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="starttls",
        description="How the way to the relay is protected. Use none only for a relay on this machine.",
    )
    smtp_timeout: int = Field(
        default=60, ge=5, le=900, description="Seconds to wait for the relay's last answer: 60 if local, 600 if far."
    )
    lease_margin: int = Field(
        default=60,
        ge=2,
        le=3600,
        description="Seconds beyond the time-out above for which a worker may hold people it has not answered for. "
        "After a crash they are free again, or called unknown, about this much later.",
    )
    silence_hours: int = Field(
        default=24,
        ge=1,
        le=720,
        description="Hours for which nobody may ask to send again what may have arrived: time for a relay's log, a "
        "bounce or a provider's word to come.",
    )
    smtp_connections: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Connections of each sending process; a worker is two of them. When a process is killed, at most "
        "one person per connection is in doubt: the one whose message was on the wire. The journal settles the others. "
        "While a mail host keeps messages waiting, others take the place of those connections: at most as many again.",
    )
    send_window: int = Field(
        default=8,
        ge=1,
        le=50,
        description="Messages a connection commits to before sending them. Larger is faster. If a process dies and its "
        "journal with it, as when the machine is lost, at most one window per connection is in doubt.",
    )
    transport: str = Field(
        default="smtp",
        description="smtp, or the dotted name of an Anymail backend such as anymail.backends.postmark.EmailBackend.",
    )
    anymail: Json[dict[str, Any]] = Field(
        default_factory=dict, description='Anymail\'s settings as JSON, for example {"POSTMARK_SERVER_TOKEN": "..."}.'
    )
    sns_topics: str = Field(
        default="",
        pattern=r"^(arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]+( +|$))*$",
        description="ARNs of the Amazon SNS topics by which Amazon SES reports, separated by spaces. Subscription to "
        "them is confirmed by itself; a message of any other topic is refused, however well it is signed.",
    )
    second_transport: str = Field(
        default="",
        description="A second way out, which a person may let a notice take when the first fails: smtp or an Anymail "
        "backend, as above; its settings stand in the same JSON. Empty: there is none. Nothing changes over by itself.",
    )
    second_smtp_host: str = Field(default="", description="The relay of the second way, if it is smtp.")
    second_smtp_port: Port = Field(default=587, description="Its port.")
    second_smtp_user: str = Field(default="", description="User name at that relay, if it asks for one.")
    second_smtp_password: str = Field(default="", description="Password at that relay, if it asks for one.")
    second_smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="How the way to that relay is protected."
    )
    returned_mail_dir: Path | None = Field(
        default=None,
        description="Maildir into which the mail server puts what comes back to the return paths of our messages "
        "(b+...@ the sender's domain). The sweeper takes it from there. See docs/operating.md.",
    )
    alarm_limits: Annotated[Json[dict[str, Share]], AfterValidator(with_the_other_alarms)] = Field(
        default_factory=lambda: dict(ALARM_LIMITS),
        description="Above which share of the messages answered since the start, or since a person let it go on, a "
        "send pauses by itself, as JSON: 1 never, 0 at the first. The first few of a canary wave have their own.",
    )
    alarm_least: int = Field(
        default=50,
        ge=1,
        le=100_000,
        description="Answers before which those shares say nothing: one refusal among the first three is no alarm. The "
        "first few of a canary wave count from the first.",
    )
    mail_from: str = Field(
        default="BreachDesk <breachdesk@localhost>", description="Sender of mail to our own staff, not to customers."
    )
    log_origin: str = Field(
        default="breachdesk.invalid/log",
        pattern=r"^[a-z0-9.-]+/[a-z0-9./-]+$",
        description="Name of this trail in every entry and checkpoint. Choose it once and keep it for ever.",
    )
    signing_key_file: Path | None = Field(
        default=None,
        description="The key that signs the trail, for the signer alone: a file of mode 0400 that no other process and "
        "nobody who can change the database may read. make_signing_key makes it.",
    )
    signer_dir: Path | None = Field(
        default=None,
        description="Folder where the signer keeps the last note it signed, outside the database and never in its "
        "backups: that is how it notices that the trail was cut off or rewritten.",
    )
    tsa_urls: str = Field(
        default="",
        pattern=r"^(https?://[^\s,@]+(,\s*https?://[^\s,@]+)*)?$",
        description="Time-stamping authorities (RFC 3161), separated by commas; two are better. Each stamps the state "
        "of the trail every hour and at every filing, so that nobody can back-date it, not even who runs this place.",
    )
    tsa_roots_file: Path | None = Field(
        default=None,
        description="The certificates, in PEM, that a time stamp must lead back to. Fetch them from the authorities by "
        "another way than their stamps.",
    )
    anchor_mail: str = Field(
        default="",
        pattern=r"^([^@\s,]+@[^@\s,]+(,\s*[^@\s,]+@[^@\s,]+)*)?$",
        description="Addresses outside the organisation, separated by commas, that get the state of the trail by "
        "e-mail every day and at every filing, and keep it: your lawyers, for example.",
    )
    anchor_hours: int = Field(
        default=3, ge=2, le=168, description="Hours without a new time stamp after which every page carries a warning."
    )
    proof_wait: int = Field(
        default=10,
        ge=0,
        le=60,
        description="Seconds that an approval, a start or a filing waits for the signed state of the trail that proves "
        "it. What takes longer is recorded all the same, and says so.",
    )
    gate_limits: Annotated[Json[dict[str, Share]], AfterValidator(with_the_others)] = Field(
        default_factory=lambda: dict(GATE_LIMITS),
        description="Above which share of its rows something about a list of people must be explained before the list "
        "is taken in, as JSON: 0 lets nothing pass, 1 everything. What is not named keeps its default.",
    )
    deadline_warnings: str = Field(
        default="50% 75% 24h 6h 1h",
        pattern=r"^([1-9]\d?%|[1-9]\d{0,3}h)( +([1-9]\d?%|[1-9]\d{0,3}h))*$",
        description="When colleagues are reminded of a deadline: at a share of its period (50%), or hours before its "
        "end (24h). Once it has passed they are reminded in any case.",
    )
    pdf_signing_key_file: Path | None = Field(
        default=None,
        description="The private key, PEM without a password, that signs the PDF of a signed-off filing: a file that "
        "the web server alone may read. Without it PDFs carry their hashes and no signature.",
    )
    pdf_certificate_file: Path | None = Field(
        default=None,
        description="The certificate of that key, PEM, followed by those between it and its root.",
    )
    pdf_tsa_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s,@]+)?$",
        description="A time-stamping authority (RFC 3161) that states when each of those PDFs was signed.",
    )
    retention_days: int = Field(
        default=365,
        ge=1,
        le=18_300,
        description="Days after a case is closed for which its personal data is kept, unless somebody chooses another "
        "day for that case. The day destroys nothing by itself: two people do.",
    )
    index_days: int = Field(
        default=2192,
        ge=1,
        le=18_300,
        description="Days after a case is closed for which the index still answers whether an address was written to: "
        "until nobody can go to court any more. Six years are the period of limitation in England.",
    )
    destruction_wait: int = Field(
        default=24,
        ge=0,
        le=168,
        description="Hours between the second person's word and the destruction of a case's key, in which it can still "
        "be taken back.",
    )
    own_rules_dir: Path | None = Field(
        default=None,
        description="Folder of the organisation's own rules and contract clauses: regimes/ and authorities/ in the "
        "shape of regulators/catalogue. They add to the catalogue and never change it; check_catalogue reads both.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is logged. No level logs names or addresses."
    )
    catcher_dir: Path | None = Field(default=None, description="Where the demo's mail catcher keeps what it caught.")
    failpoint: str = Field(
        default="",
        pattern=r"^(G(\d|10)(:[1-9]\d*)?(:(kill|stop|raise))?)?$",
        description="Where a sending process is to die, for tests of crashes: see notifications/failpoints.py. Refused "
        "unless this is a demo.",
    )


def field_name(variable: str) -> str:
    return variable if variable in SHARED_NAMES else variable.removeprefix(PREFIX).lower()


def variable_name(field: str) -> str:
    alias = Environment.model_fields[field].alias
    return alias or PREFIX + field.upper()


def _secret_from_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ValueError(f"{variable}_FILE names {path}, which cannot be read: {error.strerror}.") from error


def read_environment(source: Mapping[str, str]) -> Environment:
    """Raises ValueError with one sentence per setting that is missing, unknown or wrong."""
    given = {name: value for name, value in source.items() if name in SHARED_NAMES or name.startswith(PREFIX)}
    for variable in READ_FROM_FILES:
        if path := source.get(f"{variable}_FILE"):
            given[variable] = _secret_from_file(variable, path)
            given.pop(f"{variable}_FILE", None)
    try:
        return _safe(Environment.model_validate({field_name(name): value for name, value in given.items() if value}))
    except ValidationError as error:
        raise ValueError(" ".join(_sentence(dict(fault)) for fault in error.errors())) from None


def _safe(environment: Environment) -> Environment:
    if environment.base_url.startswith("http://") and not environment.demo:
        raise ValueError(
            "BREACHDESK_BASE_URL is plain http: passwords and personal data could be read on the network. Use https."
        )
    if environment.failpoint and not environment.demo:
        raise ValueError("BREACHDESK_FAILPOINT lets processes die on purpose, and this is no demo. Remove it.")
    if environment.tsa_urls and environment.tsa_roots_file is None:
        raise ValueError(
            "BREACHDESK_TSA_URLS is set and BREACHDESK_TSA_ROOTS_FILE is not: no time stamp could be checked. Name the "
            "file of certificates that the authorities' stamps lead back to."
        )
    if (environment.pdf_signing_key_file is None) != (environment.pdf_certificate_file is None):
        raise ValueError(
            "BREACHDESK_PDF_SIGNING_KEY_FILE and BREACHDESK_PDF_CERTIFICATE_FILE belong together: name both or neither."
        )
    if environment.pdf_tsa_url and environment.pdf_signing_key_file is None:
        raise ValueError("BREACHDESK_PDF_TSA_URL is set, and no key that signs PDFs: there is nothing to stamp.")
    return environment


def _sentence(fault: dict[str, Any]) -> str:
    field = str(fault["loc"][0])
    variable = field if field in SHARED_NAMES else PREFIX + field.upper()
    match fault["type"]:
        case "missing":
            return f"{variable} is not set. {Environment.model_fields[field.lower()].description}"
        case "extra_forbidden":
            return f"{variable} is not a setting of BreachDesk: check its spelling against .env.example."
        case "gate_limit":
            return f"{variable} names {fault['msg']}, which the gate does not know. Known are {', '.join(GATE_LIMITS)}."
        case "alarm_limit":
            return f"{variable} names {fault['msg']}, which no send pauses for. Known are {', '.join(ALARM_LIMITS)}."
        case _:
            return f"{variable}{_part_of(fault)} is not usable: {fault['msg']}."


def _part_of(fault: dict[str, Any]) -> str:
    """Which entry of a setting that is JSON."""
    return "".join(f", {part}," for part in fault["loc"][1:])


def load_environment() -> Environment:
    try:
        return read_environment(os.environ)
    except ValueError as error:
        _stop(str(error))


def _stop(sentence: str) -> NoReturn:
    print(f"BreachDesk cannot start. {sentence}", file=sys.stderr)
    raise SystemExit(1)


HEAD = """\
# Every setting of BreachDesk, with its default and its reason. Printed by `python -m breachdesk.environment`.
# A line with a value must be set. A line behind a # shows the default. Names it does not know stop the start.
# Secrets are better kept in files. Each of these may end in _FILE and name one:
# {from_files}.
"""


def example() -> str:
    """The text of .env.example."""
    settings = (_example_of(name) for name in Environment.model_fields)
    from_files = ", ".join(READ_FROM_FILES[:-1]) + f" and {READ_FROM_FILES[-1]}"
    return HEAD.format(from_files=textwrap.fill(from_files, 117).replace("\n", "\n# ")) + "".join(settings)


def _example_of(name: str) -> str:
    field = Environment.model_fields[name]
    reason = "\n".join(textwrap.wrap(field.description or "", 118, initial_indent="# ", subsequent_indent="# "))
    if field.is_required():
        line = f"{variable_name(name)}={EXAMPLES[name]}"
    else:
        line = f"#{variable_name(name)}={_default_of(field)}"
    return f"\n{reason}\n{line}\n"


def _default_of(field: FieldInfo) -> str:
    match field.get_default(call_default_factory=True):
        case bool() as on:
            return "1" if on else "0"
        case None:
            return ""
        case dict() as table:
            return json.dumps(table)
        case value:
            return str(value)


if __name__ == "__main__":
    print(example(), end="")
