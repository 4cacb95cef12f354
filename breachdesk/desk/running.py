"""How the parts of the installation are doing: when each last ran, what waits, and what to do when one stands still."""

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings

from breachdesk.accounts.models import PendingDecision
from breachdesk.desk.templatetags.say import count, duration
from breachdesk.desk.trail import standing
from breachdesk.people.models import Upload
from breachdesk.pulse import last_run
from notifications.models import Batch

QUIET_FOR = timedelta(minutes=2)
PATIENCE = 2  # seconds for the relay and the broker to answer


@dataclass(frozen=True)
class Part:
    """`does` says what stands still without it; `remedy` is empty while all is well."""

    name: str
    does: str
    tone: str
    state: str
    last_run: datetime | None = None
    remedy: str = ""

    @property
    def icon(self) -> str:
        return {"good": "circle-check", "soon": "hourglass", "alarm": "stop"}.get(self.tone, "circle-dashed")


def running(now: datetime) -> list[Part]:
    return [_sequencer(now), _sweeper(now), _beat(now), _broker(), _relay(), _uploads(now), _decisions(now)]


def _process(name: str, does: str, part: str, command: str, now: datetime, waiting: str = "") -> Part:
    last = last_run(part)
    if last is None:
        return Part(name, does, "alarm", "Never ran", None, f"Start it: {command}")
    if now - last > QUIET_FOR:
        said = f"Quiet for {duration(now - last)}. {waiting}".strip()
        return Part(name, does, "alarm", said, last, f"Look at its log, then start it: {command}")
    return Part(name, does, "good", waiting or "Runs", last)


def _sequencer(now: datetime) -> Part:
    trail = standing()
    oldest = f", the oldest for {duration(now - trail.oldest_waiting_at)}" if trail.oldest_waiting_at else ""
    waiting = f"{count(trail.linked)} linked; {count(trail.waiting)} wait{oldest}"
    return _process("Sequencer", "Links events into the trail", "sequencer", "manage.py run_sequencer", now, waiting)


def _sweeper(now: datetime) -> Part:
    stuck = Batch.objects.left_behind(now).count()
    waiting = f"{count(stuck)} batches left behind by a stopped worker" if stuck else "No batch is left behind"
    does = "Gives back what a stopped worker had taken; keeps sends going"
    return _process("Sweeper", does, "sweeper", "manage.py run_sweeper", now, waiting)


def _beat(now: datetime) -> Part:
    does = "Rings the clock for reminders, deputies and stalled files"
    return _process("Beat and worker", does, "beat", "celery -A breachdesk beat, and a worker", now)


def _broker() -> Part:
    does = "Carries doorbells to the workers; holds nothing that could be lost"
    try:
        client = redis.Redis.from_url(
            settings.BREACHDESK.redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
        )
        length = client.llen("celery")
    except redis.RedisError:
        remedy = "Start Redis or Valkey. Sends go on without it, at the sweeper’s pace."
        return Part("Broker", does, "alarm", "Does not answer", remedy=remedy)
    return Part("Broker", does, "good", f"Answers; {count(int(length))} doorbells wait")


def _relay() -> Part:
    """Only the greeting: nothing is sent."""
    does = "Takes our mail"
    where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    connect = smtplib.SMTP_SSL if settings.EMAIL_USE_SSL else smtplib.SMTP
    try:
        with connect(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=PATIENCE) as relay:
            code, _ = relay.noop()
    except (OSError, smtplib.SMTPException) as error:
        remedy = "No notice can go out. Check the relay and BREACHDESK_SMTP_HOST."
        return Part("Mail relay", does, "alarm", f"{where} does not answer: {_reason(error)}", remedy=remedy)
    return Part("Mail relay", does, "good", f"{where} answers with {code}")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _uploads(now: datetime) -> Part:
    stalled = Upload.objects.stalled_at(now).count()
    does = "Read by a worker, begun again after a crash"
    if stalled:
        return Part("Files of people", does, "soon", f"{count(stalled)} wait to be read again")
    return Part("Files of people", does, "good", "None is stalled")


def _decisions(now: datetime) -> Part:
    waiting, untold = PendingDecision.objects.open().count(), PendingDecision.objects.untold(now).count()
    does = "Asked for by e-mail, tried again every minute"
    if untold:
        return Part("Decisions", does, "soon", f"{count(untold)} of {count(waiting)} not told yet")
    return Part("Decisions", does, "good", f"{count(waiting)} asked for and not settled")
