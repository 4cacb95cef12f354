"""How the parts of the installation are doing: when each last ran, what waits, and what to do when one stands still."""

import smtplib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import slugify

from breachdesk.accounts.models import PendingDecision
from breachdesk.audit.alarms import refusal_in_words, trail_health
from breachdesk.audit.anchors import STAMP, Target, addresses, authorities
from breachdesk.audit.models import Anchor, Event
from breachdesk.desk.templatetags.say import ago, count, duration, moment
from breachdesk.desk.trail import standing
from breachdesk.incidents.models import Destruction
from breachdesk.people.models import Upload
from breachdesk.pulse import last_run
from notifications import epochs, routes
from notifications.hindrance import of_way
from notifications.mail_events import quarantined
from notifications.models import Batch
from notifications.returned_mail import left_to_people
from notifications.transport import Relay

QUIET_FOR = timedelta(minutes=2)
PATIENCE = 2  # seconds for the relay and the broker to answer


@dataclass(frozen=True)
class Part:
    """`does` says what stands still without it; `remedy` is empty while all is well; `says` is the state in a word."""

    name: str
    does: str
    tone: str
    state: str
    last_run: datetime | None = None
    remedy: str = ""
    says: str = ""

    @property
    def anchor(self) -> str:
        return slugify(self.name)

    @property
    def icon(self) -> str:
        return {"good": "circle-check", "soon": "hourglass", "alarm": "stop"}.get(self.tone, "circle-dashed")

    @property
    def label(self) -> str:
        return self.says or {"good": "Runs", "soon": "Behind", "alarm": "Stands still"}[self.tone]


def running(now: datetime) -> list[Part]:
    trail = [_sequencer(now), _signer(now), *_outside(now)]
    return [
        *trail,
        _eraser(now),
        _sweeper(now),
        _beat(now),
        _broker(),
        _first_way(),
        _second_way(),
        _reports(),
        _sending(),
        _uploads(now),
        _decisions(now),
    ]


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


def _signer(now: datetime) -> Part:
    health = trail_health()
    signed = "Nothing is signed yet"
    if health.checkpoint_at:
        signed = f"Last checkpoint over {count(health.checkpoint_size)} entries, {ago(health.checkpoint_at)}"
    part = _process("Signer", "Signs the trail", "signer", "manage.py run_signer", now, signed)
    if not health.is_refused:
        return part
    refusal = Event.objects.of_type("checkpoint.refused").newest_first()[0]
    remedy = "Delete nothing. Read the signer’s own output, and run manage.py verify_audit."
    return replace(part, tone="alarm", state=refusal_in_words(refusal.content), remedy=remedy)


OUTSIDE = "Holds the state of the trail outside, so that nobody here can rewrite it"
NOBODY = "No outside anchor is configured: the trail proves itself only as far as this server is trusted"


def _outside(now: datetime) -> list[Part]:
    """Each place where checkpoints are left."""
    targets = [*authorities(), *addresses()]
    if targets:
        return [_anchor(target, now) for target in targets]
    remedy = "Set BREACHDESK_TSA_URLS and BREACHDESK_TSA_ROOTS_FILE, or BREACHDESK_ANCHOR_MAIL."
    tone = "" if settings.BREACHDESK.demo else "alarm"
    return [Part("Outside anchors", OUTSIDE, tone, NOBODY, remedy=remedy, says="None")]


def _anchor(target: Target, now: datetime) -> Part:
    name = (
        f"Time stamps of {urlsplit(target.address).hostname}" if target.kind == STAMP else f"Mail to {target.address}"
    )
    good, last = target.last_good(), next(iter(target.tries()), None)
    at = good.at if good else None
    if last is None:
        return Part(name, OUTSIDE, "soon", "Not tried yet: the first checkpoint, a worker or beat is missing")
    said = f"{count(last.size)} entries left there" if last.ok else f"Tried {ago(last.at)}: {last.answer}"
    first = Anchor.objects.of(target.kind, target.name).earliest("id")
    is_over = now - (at or first.at) > target.every + timedelta(hours=settings.BREACHDESK.anchor_hours - 1)
    if last.ok and not is_over:
        return Part(name, OUTSIDE, "good", said, at, says="Left there")
    remedy = "" if last.ok else "It is tried again by itself, at least once an hour."
    if is_over:
        return Part(name, OUTSIDE, "alarm", said, at, remedy, says="Overdue")
    return Part(name, OUTSIDE, "soon", said, at, remedy, says="Tried again")


def _eraser(now: datetime) -> Part:
    due = Destruction.objects.due_at(now).count()
    waiting = f"{count(due)} confirmed destructions to carry out: its output says what stops it" if due else ""
    does = "Destroys keys that two people decided to destroy"
    return _process("Eraser", does, "eraser", "manage.py run_eraser", now, waiting)


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
    import redis

    try:
        client = redis.Redis.from_url(
            settings.BREACHDESK.redis_url, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE
        )
        length = client.llen("celery")
    except redis.RedisError:
        remedy = "Start Redis or Valkey. Sends go on without it, at the sweeper’s pace."
        return Part("Broker", does, "alarm", "Does not answer", remedy=remedy)
    return Part("Broker", does, "good", f"Answers; {count(int(length))} doorbells wait")


@dataclass(frozen=True)
class Doubt:
    """How many people at most are in doubt after which trouble: each may have their message, or not."""

    connections: int
    window: int
    processes: int  # of one worker

    @property
    def killed(self) -> int:
        return self.connections

    @property
    def lost(self) -> int:
        return self.connections * self.window


def doubt() -> Doubt:
    ours = settings.BREACHDESK
    return Doubt(ours.smtp_connections, ours.send_window, settings.CELERY_WORKER_CONCURRENCY)


def _first_way() -> Part:
    is_smtp = routes.transport_of(routes.FIRST) == "smtp"
    remedy = (
        "Check the relay and BREACHDESK_SMTP_HOST." if is_smtp else "Check the provider’s key and its own status page."
    )
    if routes.is_set_up(routes.SECOND):
        remedy += " Each send’s page offers the second way."
    return _way_out("Mail relay" if is_smtp else "Mail provider", "Takes our mail", routes.FIRST, remedy)


def _second_way() -> Part:
    does = "A second way out, if somebody decides so"
    if not routes.is_set_up(routes.SECOND):
        says = "None is set up: if the first way fails, a send waits until it is back"
        return Part("Second way out", does, "", says, says="None")
    return _way_out("Second way out", does, routes.SECOND, "Check BREACHDESK_SECOND_SMTP_HOST or its provider.")


def _way_out(name: str, does: str, route: int, remedy: str) -> Part:
    """What the workers met comes first: a relay can greet us and take nothing."""
    if trouble := of_way(route):
        said = f"{trouble.words}, since {moment(trouble.since)}. {trouble.why}"
        return Part(name, does, "alarm", said, None, f"{remedy} Nobody is lost: sends wait.", says="Takes nothing")
    if routes.transport_of(route) != "smtp":
        return Part(name, does, "good", routes.name_of(route), says="Set up")
    return _greeted(name, does, routes.relay(route), f"No notice can go out by it. {remedy}")


def _greeted(name: str, does: str, relay: Relay, remedy: str) -> Part:
    """Only the greeting: nothing is sent."""
    where = f"{relay.host}:{relay.port}"
    connect = smtplib.SMTP_SSL if relay.security == "tls" else smtplib.SMTP
    try:
        with connect(relay.host, relay.port, timeout=PATIENCE) as mail_host:
            code, _ = mail_host.noop()
    except (OSError, smtplib.SMTPException) as error:
        return Part(name, does, "alarm", f"{where} does not answer: {_reason(error)}", remedy=remedy)
    return Part(name, does, "good", f"{where} answers with {code}")


def _sending() -> Part:
    """Whether this database may know less than what was sent."""
    does = "Sends from the database that knows of every message"
    if (alarm := epochs.alarm()) and (epoch := epochs.held()):
        return Part("Sending", does, "alarm", alarm.what, epoch.held_at, alarm.remedy, says="Held back")
    return Part("Sending", does, "good", "Nothing holds it back", says="Allowed")


def _reports() -> Part:
    """What came about messages after they had left and concerns none that we know, or is for people to read."""
    does, said = "Bring back what became of messages: bounces, complaints, replies", []
    if strange := quarantined():
        said.append(f"{count(strange)} about messages that are not ours: kept, without effect")
    if unread := left_to_people():
        said.append(f"{count(unread)} messages to our return paths are for people to read")
    if said:
        return Part("Reports", does, "soon", "; ".join(said), says="To look at")
    return Part("Reports", does, "good", "None is left over")


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
