"""What a worker noted before it was killed settles its window; what it did not note is doubtful, and stays so."""

import resource
import tracemalloc
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from breachdesk.audit.models import Event
from notifications import delivery, journal, recovering, sending, sweeping
from notifications.ends import End
from notifications.journal import Journal, JournalFailed
from notifications.models import Attempt, Batch, Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.factories import make_edition_being_sent
from tests.notifications.sink import Sink
from tests.notifications.test_drain import being_sent, states
from tests.notifications.test_sweep import another_session, pass_time, start_worker

ACCEPTED = Outcome(Kind.HANDED_OVER, Phase.DOT, 250, "2.0.0", b"r" * 32)
OPEN_FILES = Path("/proc/self/fd")
REFUSED = Outcome(Kind.REFUSED, Phase.RCPT, 550, "5.1.1", b"n" * 32)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"state_dir": tmp_path})
    return tmp_path / "journals"


def killed(edition: Edition, *, begun: int = 3) -> tuple[UUID, list[UUID], Journal]:
    """A worker that claimed three people, began with so many of them, and still lives."""
    notes = Journal()
    token, rows = delivery.claim(edition.pk, 3, notes.id)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows[:begun]})
    return token, [row.id for row in rows], notes


def state_of(row: UUID) -> tuple[str, int]:
    found = Delivery.objects.get(pk=row)
    return found.state, found.tries


@pytest.mark.django_db
def test_a_dead_workers_window_is_settled_by_what_it_noted() -> None:
    edition = make_edition_being_sent()
    token, [told, doubtful, untouched], notes = killed(edition)
    notes.dot(told, 1)
    notes.answered(told, 1, ACCEPTED)
    notes.dot(doubtful, 1)
    notes.end(is_settled=False)
    swept = sweeping.sweep()
    assert (swept.returned, swept.unknown, swept.unattended) == (1, 1, [edition.pk])
    assert [state_of(row) for row in (told, doubtful, untouched)] == [
        ("handed_over", 1),
        ("unknown", 1),
        ("planned", 0),
    ]
    assert Delivery.objects.get(pk=told).reply_sha256 == b"r" * 32
    assert Attempt.objects.get().outcome == "unknown"
    assert Batch.objects.get(pk=token).rows == 2
    told_of = Event.objects.of_type("delivery.recovered").get().content["data"]
    assert (told_of["handed_over"], told_of["unknown"], told_of["returned"]) == (1, 1, 1)
    assert list(journal.folder().iterdir()) == []
    assert sweeping.sweep().returned == 0


@pytest.mark.django_db
def test_a_refusal_that_was_noted_is_one() -> None:
    edition = make_edition_being_sent()
    _, [refused, *_], notes = killed(edition, begun=1)
    notes.answered(refused, 1, REFUSED)
    notes.end(is_settled=False)
    assert sweeping.sweep().returned == 2
    assert state_of(refused) == ("refused", 1)
    assert Attempt.objects.values_list("outcome", "code", "enhanced").get() == ("refused", 550, "5.1.1")


@pytest.mark.django_db
def test_a_journal_counts_only_when_its_worker_is_dead_and_on_this_start_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    edition = make_edition_being_sent()
    _, rows, notes = killed(edition)
    assert (sweeping.sweep().returned, sweeping.sweep().unknown) == (0, 0), "its lock is held"
    notes.end(is_settled=False)
    (tmp_path / "boot").write_text("another start\n")
    monkeypatch.setattr(journal, "BOOT_ID", tmp_path / "boot")
    assert sweeping.sweep().returned == 0
    monkeypatch.setattr(journal, "BOOT_ID", tmp_path / "no such file")
    assert sweeping.sweep().returned == 0
    pass_time(delivery.terms().lease + delivery.terms().margin + 1)
    assert sweeping.sweep().unknown == 3, "nothing says whether they left"
    assert {state_of(row)[0] for row in rows} == {"unknown"}


@pytest.mark.django_db
def test_a_journal_that_is_lost_leaves_the_window_in_doubt() -> None:
    edition = make_edition_being_sent()
    _, _, notes = killed(edition)
    notes.end(is_settled=True)
    assert sweeping.sweep().returned == 0
    pass_time(delivery.terms().lease + delivery.terms().margin + 1)
    assert sweeping.sweep().unknown == 3


@pytest.mark.django_db
def test_a_line_that_was_cut_off_says_nothing(folder: Path) -> None:
    edition = make_edition_being_sent()
    _, [first, second, third], notes = killed(edition)
    notes.dot(first, 1)
    notes.answered(first, 1, ACCEPTED)
    notes.dot(second, 1)
    notes.end(is_settled=False)
    with notes.path.open("a") as file:
        file.write(f"= {second.hex} 1 handed_ov\n. {third.hex[:20]}")
    sweeping.sweep()
    assert [state_of(row)[0] for row in (first, second, third)] == ["handed_over", "unknown", "planned"]


@pytest.mark.django_db
def test_notes_of_an_earlier_try_say_nothing_of_this_one() -> None:
    edition = make_edition_being_sent()
    _, [row, *_], notes = killed(edition, begun=1)
    notes.dot(row, 7)
    notes.answered(uuid4(), 1, ACCEPTED)
    notes.end(is_settled=False)
    sweeping.sweep()
    assert state_of(row) == ("planned", 0)


@pytest.mark.django_db
def test_a_dot_after_a_try_that_never_left_is_in_doubt_although_it_has_the_same_number() -> None:
    edition = make_edition_being_sent()
    _, [doubtful, answered, never], notes = killed(edition)
    for row in (doubtful, answered, never):
        notes.answered(row, 1, Outcome(Kind.NOT_SENT, Phase.MAIL, 421))
    notes.dot(doubtful, 1)
    notes.dot(answered, 1)
    notes.answered(answered, 1, ACCEPTED)
    notes.end(is_settled=False)
    sweeping.sweep()
    states_now = [state_of(row)[0] for row in (doubtful, answered, never)]
    assert states_now == ["unknown", "handed_over", "retry_wait"]


@pytest.mark.django_db
def test_what_cannot_be_read_of_a_journal_stops_nobody_and_makes_nobody_sent_to_again() -> None:
    edition = make_edition_being_sent()
    _, [strange, garbled, told], notes = killed(edition)
    for row in (strange, garbled, told):
        notes.dot(row, 1)
    notes.answered(told, 1, ACCEPTED)
    notes.end(is_settled=False)
    with notes.path.open("ab") as file:
        file.write(f"= {strange.hex} 1 taken_for_granted dot 250 2.0.0 - -\n".encode())
        file.write(b"\xff\xfe\0" * 3_000 + f"\n= {garbled.hex} 1 handed_over dot 2x0 2.0.0 - -\n".encode())
    for name in ("of-nobody.journal", f"{uuid4()}.journal"):
        (journal.folder() / name).write_text(f"{journal.boot_id()}\n")
    sweeping.sweep()
    assert [state_of(row)[0] for row in (strange, garbled, told)] == ["unknown", "unknown", "handed_over"]
    assert [path.name for path in journal.folder().iterdir()] == ["of-nobody.journal"], "that is no worker's"


@pytest.mark.django_db
def test_a_long_journal_is_read_in_little_memory() -> None:
    """A worker of one drain may have written half a million messages before it was killed."""
    edition = make_edition_being_sent()
    _, [told, doubtful, never], notes = killed(edition)
    notes.dot(told, 1)
    with notes.path.open("a") as file:
        for number in range(100_000):
            row = f"{number:032x}"
            file.write(f". {row} 1\n= {row} 1 handed_over dot 250 2.0.0 {'ab' * 32} -\n")
    notes.answered(told, 1, ACCEPTED)
    notes.dot(doubtful, 1)
    notes.end(is_settled=False)
    tracemalloc.start()
    try:
        recovering.recover()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [state_of(row)[0] for row in (told, doubtful, never)] == ["handed_over", "unknown", "planned"]
    assert most < 5_000_000, f"{most:,} bytes for a journal of 15 MB"


@pytest.mark.django_db(transaction=True)
def test_one_batch_that_somebody_holds_keeps_neither_the_others_nor_the_sweeper_waiting() -> None:
    edition = being_sent(4)
    notes = Journal()
    (first, held), (second, _) = [delivery.claim(edition.pk, 2, notes.id) for _ in range(2)]
    notes.end(is_settled=False)
    with another_session() as somebody:
        somebody.execute("SELECT FROM notifications_delivery WHERE id = %s FOR UPDATE", [held[0].id])
        swept = sweeping.sweep()
    assert swept.returned == 2
    assert list(Batch.objects.values_list("pk", flat=True)) == [first], "the other one is done"
    assert notes.path.exists(), "it is still needed"
    assert sweeping.sweep().returned == 2
    assert not Batch.objects.filter(pk=second).exists()
    assert not notes.path.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_leaves_one_doubt_for_each_connection(folder: Path) -> None:
    edition = being_sent(600)
    with Sink(delay=0.005) as sink:
        where = {"BREACHDESK_STATE_DIR": str(folder.parent), "BREACHDESK_LEASE_MARGIN": "3600"}
        worker = start_worker(edition, sink, BREACHDESK_SMTP_CONNECTIONS="8", BREACHDESK_SEND_WINDOW="50", **where)
        while len(sink.caught) < 150:
            assert worker.poll() is None
        worker.kill()
        worker.wait(60)
        swept = sweeping.sweep()
        assert swept.returned > 0
        assert start_worker(edition, sink, **where).wait(60) == 0
    found = states(edition)
    assert set(sink.times().values()) == {1}, "nobody twice"
    assert found.get("unknown", 0) <= 8, "one message was on the wire of each connection"
    assert found["handed_over"] + found.get("unknown", 0) == 600
    assert Edition.objects.get().state == Edition.State.FINISHED
    assert list(folder.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_stops_the_sending_and_harms_nobody(folder: Path) -> None:
    edition = being_sent(60)
    with Sink() as sink:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        folder.mkdir()
        # Nor may it leave half of a compiled module behind.
        where = {"BREACHDESK_STATE_DIR": str(folder.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, limit[1]))
        try:
            worker = start_worker(edition, sink, **where)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        assert worker.wait(60) == 0
        caught = len(sink.caught)
        assert 0 < caught < 60
        assert states(edition)["handed_over"] == caught
        assert set(states(edition)) <= {"handed_over", "retry_wait", "planned"}
    assert set(sink.times().values()) == {1}


def test_a_journal_that_failed_once_lets_no_dot_follow(folder: Path) -> None:
    notes = Journal()
    notes.failure = "The disk is full."
    with pytest.raises(JournalFailed, match="The disk is full"):
        notes.dot(uuid4(), 1)
    notes.end(is_settled=True)


def test_a_journal_that_cannot_be_begun_leaves_nothing_open_or_behind(folder: Path) -> None:
    opened, limit = len(list(OPEN_FILES.iterdir())), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        for _ in range(3):
            with pytest.raises(JournalFailed):
                Journal()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert len(list(OPEN_FILES.iterdir())) == opened
    assert list(folder.iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_without_a_place_for_its_journal_nothing_is_sent(folder: Path) -> None:
    edition = being_sent(3)
    folder.write_text("a file where a folder should be")
    assert sending.drain_edition(edition.pk, connect=lambda: pytest.fail("it connected")) is End.NO_JOURNAL
    assert set(Delivery.objects.values_list("state", flat=True)) == {"planned"}
