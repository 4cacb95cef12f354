"""A relay's log or a provider's list settles what is not known, and never makes anything be sent."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from breachdesk.audit.models import Event
from notifications import delivery
from notifications.batches import close_batch
from notifications.mail_events import Kind
from notifications.models import Delivery, Edition, MailEvent
from notifications.provider_lists import ListUnreadable, ProviderList
from notifications.relay_logs import Found, PostfixLog
from notifications.transport import Kind as Answer
from notifications.transport import Outcome, Phase
from tests.factories import make_edition_being_sent
from tests.notifications.postfix import BOUNCED, DEFERRED, FILTERED, SENT, ended, named, removed, stamp, taken, whole

LOST = Outcome(Answer.UNKNOWN, Phase.DOT)
NOW = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
DELIVERY = UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff")


def read(*lines: str, passes_on: bool = False, zone: str = "UTC") -> list[Found]:
    log = PostfixLog(ZoneInfo(zone), ["halden-rowe.example"], NOW, passes_on=passes_on)
    return list(log.read(line.encode() for line in "".join(lines).splitlines(keepends=True)))


def kinds(*lines: str, passes_on: bool = False) -> list[str]:
    return [str(one.kind) for one in read(*lines, passes_on=passes_on)]


def test_a_log_is_read_for_what_it_proves() -> None:
    at = stamp(NOW)
    assert kinds(whole("4F1A2B3C4D", DELIVERY, at)) == ["accepted", "delivered"]
    assert kinds(whole("4F1A2B3C4D", DELIVERY, at, BOUNCED)) == ["accepted", "bounced"]
    assert kinds(whole("3zXyBcDfGhJk", DELIVERY, at, DEFERRED)) == ["accepted", "delayed"]
    assert kinds(whole("4F1A2B3C4D", DELIVERY, at, FILTERED)) == ["accepted", "accepted"], "another queue, same machine"
    assert kinds(whole("4F1A2B3C4D", DELIVERY, at), passes_on=True) == ["accepted", "accepted"]
    assert kinds(named("4F1A2B3C4D", DELIVERY, at)) == [], "its id is written before the message is taken"
    assert kinds(named("4F1A2B3C4D", DELIVERY, at), ended("4F1A2B3C4D", at, SENT)) == ["delivered"], "a log's beginning"
    expired = taken("4F1A2B3C4D", DELIVERY, at).replace("size=9102, nrcpt=1 (queue active)", "status=expired, returned")
    assert kinds(expired) == ["bounced"]


def test_what_was_passed_on_forged_or_another_domains_says_nothing_of_ours() -> None:
    at, queue = stamp(NOW), "4F1A2B3C4D"
    rest = ended(queue, at, SENT)
    assert kinds(named(queue, DELIVERY, at), taken(queue, DELIVERY, at, sender="ana@example.com"), rest) == []
    forged = f"b+{DELIVERY.hex}-0-0123456789abcdef@halden-rowe.example"
    assert kinds(named(queue, DELIVERY, at), taken(queue, DELIVERY, at, sender=forged), rest) == []
    assert kinds(named(queue, DELIVERY, at, domain="other.example"), rest) == []
    assert kinds(whole(queue, DELIVERY, at), removed(queue, at), rest) == ["accepted", "delivered"], (
        "its id is used anew"
    )


def test_a_sending_is_known_by_its_return_path_and_a_time_by_its_zone() -> None:
    [first, second] = read(whole("4F1A2B3C4D", DELIVERY, "Nov 22 15:59:58", generation=2), zone="Europe/London")
    assert (first.about.generation, second.enhanced, second.at) == (2, "2.0.0", NOW - timedelta(seconds=2))
    [earlier, _] = read(whole("4F1A2B3C4D", DELIVERY, "Dec 31 23:00:00"))
    assert earlier.at == datetime(2025, 12, 31, 23, tzinfo=UTC), "no log is from the future"


def listed(text: str, **named: str) -> list[tuple[str, str]]:
    table = ProviderList(named)
    return [(str(one.about.delivery), str(one.kind)) for one in table.read(text.encode().splitlines(keepends=True))]


def test_a_providers_list_is_read_by_its_headings() -> None:
    ours = str(DELIVERY)
    assert listed(f"Message-ID;Event;Timestamp\n<{ours}@halden-rowe.example>;Hard Bounce;2026-11-22\n") == [
        (ours, "bounced")
    ]
    assert listed(f"\ufeffdelivery_id,status\n{ours},opened\n{ours},Delivered\n") == [(ours, "delivered")]
    assert listed(f"x,y\n{ours},spam\n", id="X", status="y") == [(ours, "complained")]
    assert listed("message id,status\n\nshort\nnot-ours@example.com,sent\n") == []
    for text, named_by_hand, missing in (
        ("who,what\n", {}, "No column of this list holds the message id"),
        ("message id,what\n", {}, "holds the status"),
        ("message id,status\n", {"time": "when"}, "no column “when”"),
        (f"message id,status\n{ours},sent\n{ours},{'x' * 200_000}\n", {}, "Line 3 of this list cannot be read"),
    ):
        with pytest.raises(ListUnreadable, match=missing):
            listed(text, **named_by_hand)


def reconcile(*words: str) -> str:
    out = StringIO()
    call_command("reconcile", *words, stdout=out)
    return out.getvalue()


def unknowns(edition: Edition, number: int = 3) -> list[UUID]:
    """In a settled batch, for whose messages no answer was read."""
    token, rows = delivery.claim(edition.pk, number)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    delivery.settle(token, [(row.id, 0, LOST) for row in rows])
    close_batch(token)
    return sorted(row.id for row in rows)


def states(rows: list[UUID]) -> list[str]:
    found = dict(Delivery.objects.filter(pk__in=rows).values_list("pk", "state"))
    return [found[row] for row in rows]


@pytest.mark.django_db
def test_unknowns_are_settled_by_the_log_once_and_the_others_are_named(tmp_path: Path) -> None:
    rows = unknowns(make_edition_being_sent())
    at = stamp(timezone.now())
    (tmp_path / "mail.log.1.gz").write_bytes(
        gzip.compress((named("4F1A2B3C4D", rows[0], at) + taken("4F1A2B3C4D", rows[0], at)).encode())
    )
    (tmp_path / "mail.log").write_text(ended("4F1A2B3C4D", at, SENT) + taken("5F1A2B3C4D", rows[1], at))
    words = ["--postfix", str(tmp_path / "mail.log.1.gz"), "--postfix", str(tmp_path / "mail.log")]
    said = reconcile(*words)
    assert states(rows) == ["delivered", "handed_over", "unknown"]
    assert "4 lines read; 3 about messages of ours, 3 of them new." in said
    assert "2 unknowns settled; 1 are left." in said
    assert f"Not found of these: {rows[2]}." in said
    told = Event.objects.of_type("sending.reconciled").newest_first()[0].content["data"]
    assert (told["found"], told["applied"], told["unknown_left"]) == (3, 2, 1)
    kept = MailEvent.objects.count()
    assert "0 of them new" in reconcile(*words)
    assert MailEvent.objects.count() == kept
    words = str(list(MailEvent.objects.values_list("source", "source_id", "kind", "enhanced")))
    assert "@" not in words, "of a line its hash is kept, and no address"

    (tmp_path / "late.log").write_text(whole("6F1A2B3C4D", rows[0], at, DEFERRED))
    reconcile("--postfix", str(tmp_path / "late.log"))
    assert states(rows)[0] == "delivered", "its rank never falls"


@pytest.mark.django_db
def test_a_log_said_to_be_whole_proves_that_the_relay_never_had_it(tmp_path: Path) -> None:
    rows = unknowns(make_edition_being_sent())
    now = timezone.now()
    (tmp_path / "mail.log").write_text(whole("4F1A2B3C4D", rows[0], stamp(now)))
    words = ["--postfix", str(tmp_path / "mail.log"), "--complete", (now - timedelta(hours=1)).isoformat()]
    said = reconcile(*words, (now + timedelta(minutes=1)).isoformat())
    assert "0 unknowns of that time are not in it" in said, "a worker could still have sent them after the log's end"
    said = reconcile(*words, (now + timedelta(hours=1)).isoformat())
    assert "2 unknowns of that time are not in it" in said
    assert states(rows) == ["delivered", "unknown", "unknown"], "people decide"
    absent = MailEvent.objects.filter(kind="absent").values_list("delivery", flat=True)
    assert sorted(absent) == rows[1:]


@pytest.mark.django_db
def test_a_providers_export_settles_too_and_says_what_it_did_not_understand(tmp_path: Path) -> None:
    rows = unknowns(make_edition_being_sent())
    list_path = tmp_path / "export.csv"
    said = zip(rows, ("delivered", "bounced", "?"), strict=True)
    lines = [f"{row}@halden-rowe.example,{word},1795363200\n" for row, word in said]
    list_path.write_text("".join(["Message ID,Status,Time\n", *lines]))
    told = reconcile("--export", str(list_path))
    assert states(rows) == ["delivered", "bounced", "unknown"]
    assert "1 lines say “?”" in told


@pytest.mark.django_db
def test_what_waits_and_was_sent_is_stopped_for_good(tmp_path: Path) -> None:
    edition = make_edition_being_sent()
    rows = sorted(Delivery.objects.filter(edition=edition).values_list("pk", flat=True))
    lost = uuid4()
    (tmp_path / "mail.log").write_text(
        whole("4F1A2B3C4D", rows[0], stamp(timezone.now())) + whole("5F1A2B3C4D", lost, stamp(timezone.now()))
    )
    said = reconcile("--postfix", str(tmp_path / "mail.log"))
    assert "1 waited to be sent and had been" in said
    assert f"1 messages belong to deliveries that this database does not know: {lost}" in said
    assert states(rows) == ["blocked", "planned", "planned"]
    assert len(delivery.claim(edition.pk, 10)[1]) == 2
    assert MailEvent.objects.filter(kind=Kind.DELIVERED, delivery=rows[0]).count() == 1


@pytest.mark.django_db
def test_each_mistake_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.gz").write_bytes(b"no gzip")
    whole = gzip.compress(os.urandom(3_000))
    (tmp_path / "cut-off.gz").write_bytes(whole[:1_000])
    (tmp_path / "damaged.gz").write_bytes(whole[:10] + b"\xff" * 100 + whole[110:])
    log = ["--postfix", str(tmp_path / "mail.log")]
    for words, sentence in (
        ([], "Name a log with --postfix"),
        (["--resume"], "if neither can be had, say --without-log"),
        (["--resume", "--without-log"], "Say with --reason why"),
        (["--resume", "--without-log", "--reason", "Why not?"], "Nothing is held back"),
        (log, "cannot be read"),
        *((["--postfix", str(tmp_path / f"{how}.gz")], "cannot be read") for how in ("broken", "cut-off", "damaged")),
        ([*log, "--zone", "Mars/Base"], "no time zone “Mars/Base”"),
        ([*log, "--complete", "now", "then"], "two times"),
        ([*log, "--complete", "2026-11-23", "2026-11-22"], "ends before it begins"),
        ([*log, "--export", "x.csv", "--columns", "who=Name"], "--columns id=HEADING"),
    ):
        (tmp_path / "mail.log").touch() if "--columns" in words else None
        with pytest.raises(CommandError, match=sentence):
            reconcile(*words)
