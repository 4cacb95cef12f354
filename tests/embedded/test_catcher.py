import smtplib
import socket
from email.message import EmailMessage
from pathlib import Path

import pytest

from breachdesk.embedded.catcher import Catcher
from breachdesk.embedded.catcher_store import KEPT_PER_SUBJECT, CatcherStore, CaughtMail


@pytest.fixture
def catcher(tmp_path: Path):
    with Catcher(tmp_path) as running:
        yield running


def talk(catcher: Catcher, sent: bytes) -> list[bytes]:
    """Everything at once, then every answer."""
    with socket.create_connection(("127.0.0.1", catcher.port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(4096):
            received += part
    return [line[:3] for line in received.splitlines()]


def send(catcher: Catcher, to: str, subject: str = "About your data", text: str = "Hello") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "privacy@halden.example", to, subject
    message["Message-ID"] = f"<{to}-{len(subject)}-{subject[:3]}@halden.example>"
    message.set_content(text)
    with smtplib.SMTP("127.0.0.1", catcher.port, timeout=5) as connection:
        connection.send_message(message)


def test_it_keeps_what_an_ordinary_mail_program_sends(catcher):
    send(catcher, "ana@example.com", subject="Ihre Daten · über uns", text=".a line with a dot\n..and two\n.")
    [message] = catcher.mail.messages()
    assert message.subject == "Ihre Daten · über uns"
    assert message.recipients == ("ana@example.com",)
    assert message.plain.replace("\r\n", "\n") == ".a line with a dot\n..and two\n.\n"


def test_it_answers_a_pipeline_in_order(catcher):
    one = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"
    text = b"Subject: x\r\n\r\n..\r\nbody\r\n.\r\n"
    answers = talk(catcher, b"EHLO me\r\n" + one + text + one + text + b"QUIT\r\n")
    once = [b"250", b"250", b"354", b"250"]
    assert answers == [b"220", *[b"250"] * 5, *once, *once, b"221"]
    assert [message.raw for message in catcher.mail.messages()] == [b"Subject: x\r\n\r\n.\r\nbody\r\n"] * 2


def test_it_takes_a_message_that_arrives_byte_by_byte(catcher):
    whole = b"HELO me\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: y\r\n\r\nz\r\n.\r\nQUIT\r\n"
    with socket.create_connection(("127.0.0.1", catcher.port), timeout=5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in whole:
            connection.send(bytes([byte]))
        while connection.recv(4096):
            pass
    assert [message.raw for message in catcher.mail.messages()] == [b"Subject: y\r\n\r\nz\r\n"]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"DATA", b"503"),
        (b"RCPT TO:<a@example.com>", b"503"),
        (b"MAIL FROM:nobody", b"501"),
        (b"MAIL FROM:<a@example.com>\r\nRCPT TO:<>", b"501"),
        (b"MAIL FROM:<a@example.com>\r\nMAIL FROM:<a@example.com>", b"503"),
        (b"MAIL FROM:<a@example.com>\r\nDATA", b"503"),
        (b"NONSENSE", b"500"),
        (b"x" * 5000, b"500"),
    ],
)
def test_it_refuses_what_makes_no_sense(catcher, said, answer):
    assert talk(catcher, b"HELO me\r\n" + said + b"\r\n")[-1] == answer
    assert len(catcher.mail) == 0


def test_it_listens_on_this_machine_alone(catcher):
    assert catcher._listener.getsockname()[0] == "127.0.0.1"


def test_it_counts_addresses_and_repeated_messages(catcher):
    for to, subject in [("a@example.com", "One"), ("A@Example.com", "Two"), ("b@example.com", "One")]:
        send(catcher, to, subject)
    send(catcher, "b@example.com", "One")
    counts = catcher.mail.counts()
    assert (counts.accepted, counts.addresses, counts.addresses_more_than_once) == (4, 2, 2)
    assert counts.same_message_twice == 1
    assert catcher.mail.received("a@example.com") == 2


def test_a_large_run_keeps_the_first_of_each_subject_and_counts_all(tmp_path):
    store = CatcherStore(tmp_path, keep_all=False)
    for number in range(KEPT_PER_SUBJECT + 50):
        store.add([b"%d@example.com" % number], b"Message-ID: <%d@x.example>\r\nSubject: Notice\r\n\r\nx" % number, 1.0)
    store.add([b"colleague@example.com"], b"Message-ID: <c@x.example>\r\nSubject: You are asked\r\n\r\nx", 2.0)
    store.close()
    counts = CaughtMail(tmp_path).counts()
    assert (counts.accepted, counts.kept) == (KEPT_PER_SUBJECT + 51, KEPT_PER_SUBJECT + 1)
    assert CaughtMail(tmp_path).messages()[-1].subject == "You are asked"


def test_a_half_written_end_is_cut_off_at_the_next_start(tmp_path):
    store = CatcherStore(tmp_path, keep_all=True)
    store.add([b"a@example.com"], b"Subject: whole\r\n\r\nx", 1.0)
    store.close()
    for name in ("messages", "hashes"):
        with (tmp_path / name).open("ab") as file:
            file.write(b"\x00" * 9)
    store = CatcherStore(tmp_path, keep_all=True)
    store.add([b"b@example.com"], b"Subject: next\r\n\r\nx", 2.0)
    store.close()
    mail = CaughtMail(tmp_path)
    assert [message.subject for message in mail.messages()] == ["whole", "next"]
    assert mail.counts().accepted == 2
