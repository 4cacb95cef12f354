"""Time stamps: what counts, and that whatever an authority does ends in a sentence."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from breachdesk.audit import stamps
from breachdesk.audit.stamps import StampRefused, ask_all, check_stamp, in_order, read_roots
from tests.audit.tsa import LocalTsa

NOTE = "log.example/breachdesk\n7\nroot\n\n— log.example/breachdesk signature\n".encode()


@pytest.fixture
def roots(local_tsa: LocalTsa) -> list[x509.Certificate]:
    return read_roots(local_tsa.roots_file)


def refusal(tsa: LocalTsa, roots: list[x509.Certificate]) -> StampRefused:
    answer = ask_all([tsa.url], NOTE, roots)[tsa.url]
    assert isinstance(answer, StampRefused)
    return answer


def test_a_good_answer_counts(local_tsa: LocalTsa, roots: list[x509.Certificate]) -> None:
    answer = ask_all([local_tsa.url], NOTE, roots)[local_tsa.url]
    assert not isinstance(answer, StampRefused)
    assert abs(answer.stated_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert check_stamp(answer.receipt, NOTE, roots) == answer.stated_at


def test_a_kept_receipt_is_checked_without_its_question(local_tsa: LocalTsa, roots: list[x509.Certificate]) -> None:
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert check_stamp(local_tsa.stamp(NOTE, gen_time=moment), NOTE, roots) == moment


@pytest.mark.parametrize(
    ("behaves", "sentence"),
    {
        "refuses": "refused to stamp (status 2)",
        "wrong_imprint": "stamped other bytes",
        "wrong_nonce": "nonce mismatch",
        "stranger": "does not lead back to a certificate",
        "garbage": "not an answer after RFC 3161",
        "empty": "not an answer after RFC 3161",
        "huge": "larger than 256 KB",
        "error": "HTTP 500",
        "moved": "sends us to elsewhere.example",
    }.items(),
)
def test_a_wrong_answer_is_a_sentence(
    local_tsa: LocalTsa, roots: list[x509.Certificate], behaves: str, sentence: str
) -> None:
    local_tsa.behaves = behaves
    assert sentence in str(refusal(local_tsa, roots))


def test_nobody_there_is_a_sentence(local_tsa: LocalTsa, roots: list[x509.Certificate]) -> None:
    url = local_tsa.url
    local_tsa.close()
    assert "Connection refused" in str(ask_all([url], NOTE, roots)[url])


def test_one_that_hangs_does_not_delay_the_other(
    local_tsa: LocalTsa, roots: list[x509.Certificate], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "TIMEOUT", 3.0)
    with LocalTsa(tmp_path / "second") as second:
        second.behaves = "hangs"
        began = time.monotonic()
        answers = ask_all([second.url, local_tsa.url], NOTE, roots)
        assert time.monotonic() - began < 30
        assert not isinstance(answers[local_tsa.url], StampRefused)
        assert "3 seconds" in str(answers[second.url])


def test_one_bit_of_a_receipt_changed_never_counts(local_tsa: LocalTsa, roots: list[x509.Certificate]) -> None:
    """Except in the status text and the certificates it carries, all of it is signed; some bits only change those."""
    receipt = local_tsa.stamp(NOTE)
    stated = check_stamp(receipt, NOTE, roots)
    for position in range(len(receipt)):
        changed = receipt[:position] + bytes([receipt[position] ^ 1]) + receipt[position + 1 :]
        try:
            assert check_stamp(changed, NOTE, roots) == stated
        except StampRefused:
            continue


def test_other_bytes_do_not_count(local_tsa: LocalTsa, roots: list[x509.Certificate]) -> None:
    with pytest.raises(StampRefused, match="stamped other bytes"):
        check_stamp(local_tsa.stamp(NOTE), NOTE + b"\n", roots)


def test_an_answer_whose_certificates_stand_in_another_order_is_read(local_tsa: LocalTsa) -> None:
    """As openssl writes it, and authorities that run it: the receipt is kept as it came, only its check sorts."""
    receipt = local_tsa.stamp(NOTE)
    assert in_order(receipt) != receipt
    assert sorted(in_order(receipt)) == sorted(receipt)
    assert in_order(in_order(receipt)) == in_order(receipt)


@pytest.mark.parametrize("answer", [b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x03\x02\x01\x02", b"\xff" * 40])
def test_what_is_no_der_stays_as_it_is(answer: bytes) -> None:
    assert in_order(answer) == answer


def test_roots_that_cannot_be_read_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(StampRefused, match="holds no certificate"):
        read_roots(tmp_path / "empty.pem")
    with pytest.raises(StampRefused, match="No such file"):
        read_roots(tmp_path / "absent.pem")
    with pytest.raises(StampRefused, match="BREACHDESK_TSA_ROOTS_FILE is not set"):
        read_roots(None)
