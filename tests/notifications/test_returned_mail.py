"""What comes back to our return paths: read in every form it comes in, matched by our code, and nothing of it lost."""

import email
import io
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from pytest_django import DjangoDbBlocker, Settings

from notifications import delivery, returned_mail
from notifications.composing import open_edition
from notifications.mail_events import apply_events
from notifications.management.commands import run_sweeper
from notifications.management.commands.run_sweeper import LOOK_AGAIN_AFTER_WORK
from notifications.models import Delivery, Edition, MailEvent
from notifications.returned_mail import Taken, kind_of, take, take_folder, take_new
from notifications.verp import ForgedReturnPath, Sending, read_return_path, return_path_of
from tests.factories import make_edition_being_sent, make_user
from tests.notifications.returned_samples import KINDS, sample
from tests.notifications.test_provider_events import handed_over, sent_again


@pytest.fixture(scope="module")
def edition(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_edition_being_sent()


@pytest.fixture
def row(edition: Edition) -> Delivery:
    return handed_over(edition)


def path_of(row: Delivery, generation: int = 0) -> str:
    return return_path_of(row.pk, generation, "halden.example").decode()


def state_of(row: Delivery) -> str:
    apply_events()
    row.refresh_from_db()
    return row.state


@pytest.mark.parametrize("name", KINDS)
def test_it_is_read_for_what_it_is(name: str) -> None:
    raw = sample(name, to="b@halden.example")
    for text in (raw, raw.replace(b"\n", b"\r\n")):
        found = kind_of(email.message_from_bytes(text), text)
        assert (found and (str(found[0]), found[1])) == KINDS[name]


def test_a_return_path_is_read_from_whatever_a_forwarder_made_of_it() -> None:
    delivery = UUID("12345678-1234-4234-8234-123456789abc")
    path = return_path_of(delivery, 3, "halden.example").decode()
    wanted = Sending(delivery, 3)
    forms = (path, path.upper(), f"<{path}>", f"SRS0=x=y=halden.example={path.partition('@')[0]}@fwd.test")
    assert [read_return_path(form) for form in forms] == [wanted] * 4
    assert read_return_path("b+short@halden.example") is None
    code = path.partition("@")[0][-16:]
    for forged in (path.replace("-3-", "-4-"), path.replace("b+1", "b+2"), path.replace(code, code[::-1])):
        with pytest.raises(ForgedReturnPath):
            read_return_path(forged)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "state"),
    [("POSTFIX", "bounced"), ("QMAIL", "bounced"), ("COMPLAINT", "complained"), ("DELIVERED", "delivered")]
    + [(name, "handed_over") for name in ("DELAYED", "OUT_OF_OFFICE", "SEVERAL")],
)
def test_it_counts_for_the_delivery_that_its_return_path_names(row: Delivery, name: str, state: str) -> None:
    raw = sample(name, to=path_of(row))
    assert [take(raw), take(raw)] == [Taken.KEPT] * 2
    assert state_of(row) == state
    kept = MailEvent.objects.get()
    assert (kept.source, kept.delivery_id, kept.generation, (kept.kind, kept.enhanced)) == (
        "returned_mail",
        row.pk,
        0,
        KINDS[name],
    )


@pytest.mark.django_db
def test_what_goes_on_the_wire_names_its_sending(edition: Edition) -> None:
    _, rows = delivery.claim(edition.pk, 1)
    composer = open_edition(edition.pk)
    assert composer is not None
    sender = composer.compose(rows[0]._replace(generation=2)).envelope[0]
    assert read_return_path(sender.decode()) == Sending(rows[0].id, 2)


@pytest.mark.django_db
def test_the_same_message_by_two_ways_is_one_event(row: Delivery) -> None:
    raw = sample("POSTFIX", to=path_of(row))
    take(b"Received: from a by b\n" + raw)
    take(b"Received: from c by d\nDelivered-To: " + path_of(row).encode() + b"\n" + raw)
    assert MailEvent.objects.count() == 1


@pytest.mark.django_db
def test_the_envelopes_recipient_counts_before_the_headers(row: Delivery) -> None:
    assert take(sample("POSTFIX", to="somebody@halden.example"), recipient=path_of(row)) is Taken.KEPT
    assert state_of(row) == "bounced"


@pytest.mark.django_db
def test_without_a_return_path_the_message_in_it_counts(row: Delivery) -> None:
    ours = f"<{row.pk}@halden.example>"
    for name in ("EXIM", "OLD_EXIM", "QMAIL", "BROKEN", "COMPLAINT", "OUT_OF_OFFICE"):
        assert take(sample(name, to="care@halden.example", message_id=ours)) is Taken.KEPT, name
    assert set(MailEvent.objects.values_list("delivery", "generation")) == {(row.pk, None)}
    sent_again(row)
    assert state_of(row) == "handed_over", "it does not say which sending it is about"


@pytest.mark.django_db
def test_a_complaint_names_our_return_path_inside(row: Delivery) -> None:
    assert take(sample("COMPLAINT", to="abuse@halden.example", path=path_of(row))) is Taken.KEPT
    assert state_of(row) == "complained"


@pytest.mark.django_db
def test_a_late_bounce_of_an_earlier_sending_leaves_the_later_alone(row: Delivery) -> None:
    sent_again(row)
    take(sample("POSTFIX", to=path_of(row, 0)))
    assert state_of(row) == "handed_over"
    take(sample("QMAIL", to=path_of(row, 1)))
    assert state_of(row) == "bounced"


@pytest.mark.django_db
def test_a_changed_key_makes_no_forgers_of_those_who_answer_mail_from_before(row: Delivery, settings: Settings) -> None:
    path, before = path_of(row, 2), settings.SECRET_KEY
    settings.SECRET_KEY = "n" * 60
    with pytest.raises(ForgedReturnPath):
        read_return_path(path)
    settings.SECRET_KEY_FALLBACKS = ["o" * 60, before]
    assert read_return_path(path) == Sending(row.pk, 2)
    assert path_of(row, 2) != path, "the new key signs"
    assert read_return_path(path_of(row, 2)) == Sending(row.pk, 2)


def test_forged_return_paths_go_nowhere(row: Delivery) -> None:
    forged = path_of(row).replace("-0-", "-1-")
    ours = f"<{row.pk}@halden.example>"
    assert take(sample("POSTFIX", to=forged, message_id=ours)) is Taken.FORGED
    assert take(sample("COMPLAINT", to="abuse@halden.example", path=forged, message_id=ours)) is Taken.FORGED
    assert not MailEvent.objects.exists()


@pytest.mark.django_db
def test_about_a_delivery_we_do_not_know_it_stays_in_quarantine(edition: Edition) -> None:
    assert take(sample("POSTFIX", to=return_path_of(uuid4(), 0, "halden.example").decode())) is Taken.KEPT
    assert MailEvent.objects.get().delivery_id is None
    assert apply_events() == 0


NOT_OURS = [
    sample("POSTFIX", to="care@halden.example"),
    b"",
    b"\x00\xff" * 2_500_000,
    b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\nContent-Type: multipart/mixed; boundary=a\n\n" * 4000,
    b"Content-Type: message/delivery-status\n\n" + b"x" * 1000,
    b"Subject: =?x-unheard?q?a?=\nTo: \xff\xfe\nContent-Type: text/plain; charset=unheard\n\nhello",
    b"Content-Type: message/feedback-report\n\nFeedback-Type: not-spam\n",
    b"From: a@somewhere.test\nSubject: =?utf-8?b?a?=\n\nhello",
]


@pytest.mark.django_db
def test_what_cannot_be_read_or_is_not_about_us_is_left_to_people(row: Delivery) -> None:
    assert [take(raw) for raw in NOT_OURS] == [Taken.FOR_PEOPLE] * len(NOT_OURS)
    assert take(sample("HUMAN", to=path_of(row), message_id=f"<{row.pk}@halden.example>")) is Taken.FOR_PEOPLE
    assert not MailEvent.objects.exists()


@trying(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 3000), st.binary(max_size=40))
def test_no_damage_makes_it_stumble(name: str, where: int, what: bytes) -> None:
    raw = sample(name, to="b@halden.example")
    damaged = raw[:where] + what + raw[where + len(what) :]
    try:
        found = kind_of(email.message_from_bytes(damaged), damaged)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError):
        return  # take() leaves it to people
    assert found is None or len(found[1]) <= 12


@pytest.mark.django_db
def test_a_clock_of_theirs_that_is_centuries_ahead_breaks_no_page(row: Delivery, client: Client) -> None:
    raw = sample("POSTFIX", to=path_of(row)).replace(b"Date: ", b"Date: Fri, 31 Dec 9999 23:59:59 -1200\nX-Date: ", 1)
    assert take(raw) is Taken.KEPT
    assert MailEvent.objects.get().at is None
    client.force_login(make_user("responder"))
    page = reverse("hotline-caller", args=[row.edition.notice.incident.reference, row.person_id])
    assert b"It came back" in client.get(page).content


def maildir(tmp_path: Path, **messages: bytes) -> Path:
    for inner in ("new", "cur", "tmp"):
        (tmp_path / inner).mkdir()
    for name, raw in messages.items():
        (tmp_path / "new" / name).write_bytes(raw)
    return tmp_path


@pytest.mark.django_db
def test_a_folder_is_taken_and_what_people_must_read_is_laid_aside(
    row: Delivery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = maildir(
        tmp_path,
        a=sample("POSTFIX", to=path_of(row)),
        b=sample("HUMAN", to=path_of(row)),
        c=sample("EXIM", to=path_of(row).replace("-0-", "-1-")),
    )
    (folder / "new" / "link").symlink_to("/etc/hostname")
    call_command("take_returned_mail", maildir=folder)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    assert there == {"cur/a:2,S", "cur/c:2,S", ".people/new/b", "new/link"}
    assert state_of(row) == "bounced"
    assert "1 forged, 1 kept, 1 left to people" in capsys.readouterr().out
    assert take_folder(folder) == Counter()


@pytest.mark.django_db
def test_a_flood_leaves_the_sweeper_time_for_its_other_work(
    row: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = maildir(tmp_path, a=sample("HUMAN", to="x@halden.example"), b=sample("POSTFIX", to=path_of(row)))
    monkeypatch.setattr(returned_mail, "WORKS_FOR", 0)
    assert [sum(take_folder(folder).values()) for _ in range(3)] == [1, 1, 0]


@pytest.mark.django_db
def test_the_sweeper_takes_it_by_itself_and_the_status_page_tells_what_is_left(
    row: Delivery, tmp_path: Path, settings: Settings, client: Client
) -> None:
    folder = maildir(tmp_path, a=sample("POSTFIX", to=path_of(row)))
    assert take_new() == 0, "no folder is set"
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"returned_mail_dir": folder})
    assert sweep_once() == LOOK_AGAIN_AFTER_WORK
    row.refresh_from_db()
    assert row.state == "bounced"
    client.force_login(make_user("administrator"))
    assert b"are for people to read" not in client.get(reverse("status")).content
    (folder / "new" / "b").write_bytes(sample("HUMAN", to=path_of(row)))
    (folder / "new" / "c").write_bytes(sample("QMAIL", to=path_of(Delivery(pk=uuid4()))))
    assert take_new() == 2
    status = client.get(reverse("status")).content.decode()
    assert "1 messages to our return paths are for people to read" in status
    assert "1 about messages that are not ours: kept, without effect" in status
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"returned_mail_dir": folder / "gone"})
    assert take_new() == 0


def sweep_once() -> float:
    return run_sweeper.Command()._pass()


def piped(monkeypatch: pytest.MonkeyPatch, raw: bytes, **options: object) -> int:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))
    try:
        call_command("take_returned_mail", **options)
    except SystemExit as end:
        return int(str(end.code))
    return 0


@pytest.mark.django_db
def test_a_pipe_never_swallows_what_it_cannot_take(
    row: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounce, human = sample("POSTFIX", to="x@halden.example"), sample("HUMAN", to="x@halden.example")
    assert piped(monkeypatch, bounce, recipient=path_of(row)) == 0
    assert piped(monkeypatch, bounce, recipient=path_of(row).replace("-0-", "-9-")) == 67
    assert piped(monkeypatch, human, recipient=path_of(row)) == 75
    assert piped(monkeypatch, human, recipient=path_of(row), others=tmp_path / "others") == 0
    [kept] = (tmp_path / "others" / "new").iterdir()
    assert kept.read_bytes() == human
    assert MailEvent.objects.count() == 1


@pytest.mark.django_db
def test_while_the_database_is_away_the_mail_server_comes_again(
    row: Delivery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("the connection is closed")

    raw = sample("POSTFIX", to=path_of(row))
    folder = maildir(tmp_path, a=raw)
    with connection.execute_wrapper(away):
        assert piped(monkeypatch, raw) == 75
        with pytest.raises(OperationalError):
            take_folder(folder)
    assert (folder / "new" / "a").exists()
    assert take_folder(folder) == {Taken.KEPT: 1}
