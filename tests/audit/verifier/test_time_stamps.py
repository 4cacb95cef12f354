"""Time stamps by an authority outside: what they pin, and what the verifier does where it cannot judge them."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from breachdesk.audit.canonical import time_of
from tests.audit.forge import LEADER, Forge, whole_story
from tests.audit.tsa import LocalTsa


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa(tmp_path_factory.mktemp("tsa"))


def stamped(tsa: LocalTsa, *, late: float = 1, trusted: bool = True, receipt: bytes | None = None) -> Forge:
    """A story with a stamp on its last older note, which says `late` seconds after the linking of its last entry."""
    forge = whole_story()
    size = max(forge.kept)
    moment = linked_at(forge, size - 1) + timedelta(seconds=late)
    forge.anchors.append(
        {
            "size": size,
            "kind": "rfc3161",
            "at": forge.anchors[0]["at"],
            "receipt": receipt or tsa.stamp(forge.kept[size].encode(), gen_time=moment),
        }
    )
    forge.tsa = [tsa.roots_pem] if trusted else []
    return forge


def linked_at(forge: Forge, n: int) -> datetime:
    return time_of(forge.log[n].entry.decode().partition('"seq_at":"')[2][:27])


def test_a_stamp_that_fits(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    report = verify(stamped(tsa).files())
    assert (report.verdict, report.first_fault(), report.missing) == ("VALID", None, [])
    assert len(report.stamps) == 1
    assert len(report.authorities) == 1


def test_a_stamp_of_the_machines_own_time(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    """As `openssl ts -reply` makes it. It is read, and the story, told of another day, does not fit it."""
    report = verify(stamped(tsa, receipt=tsa.stamp(whole_story().kept[max(whole_story().kept)].encode())).files())
    assert len(report.stamps) == 1
    assert report.first_fault().rule == 6


@pytest.mark.parametrize(("late", "verdict"), [(-3, "VALID"), (-8, "INVALID"), (59, "VALID"), (65, "INVALID")])
def test_the_bracket_around_a_stamp(verify: Callable[..., Any], tsa: LocalTsa, late: float, verdict: str) -> None:
    """What lies under the stamp was linked by then (5 s), what follows not long before (60 s); every 1.5 s one was."""
    report = verify(stamped(tsa, late=late).files())
    assert report.verdict == verdict
    if verdict == "INVALID":
        assert (report.first_fault().rule, report.first_fault().n is None) == (6, False)


def test_back_dating_with_the_stolen_key(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    """T7: made up two hours later, with the key, and said to be from before. The stamp was given already."""
    forge = whole_story(export=False)
    size = max(forge.kept)
    receipt = tsa.stamp(forge.kept[size].encode(), gen_time=linked_at(forge, size - 1) + timedelta(hours=2))
    forge.anchor(size, receipt)
    forge.tsa = [tsa.roots_pem]
    forge.append("incident.facts_changed", incident=forge.incident, by=LEADER, data={"fields": ["kinds"]})
    forge.export(by=LEADER)
    fault = verify(forge.files()).first_fault()
    assert (fault.rule, fault.n) == (6, size)


def test_a_stamp_on_other_bytes(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    forge = stamped(tsa, receipt=tsa.stamp(b"another note", gen_time=datetime(2026, 11, 2, 9, 1, tzinfo=UTC)))
    assert verify(forge.files()).first_fault().rule == 6


def test_a_stamp_by_a_stranger(verify: Callable[..., Any], tsa: LocalTsa, tmp_path: Path) -> None:
    forge = stamped(LocalTsa(tmp_path / "stranger", "Nobody trusts this"))
    forge.tsa = [tsa.roots_pem]
    assert verify(forge.files()).first_fault().rule == 6


def test_certificates_are_judged_at_the_moment_of_the_stamp(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    """They expire, and the stamp stays good; but one from before there was a certificate never was."""
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    forge = whole_story()
    forge.kept = {}
    forge.anchors = []
    forge.anchor(len(forge.log), tsa.stamp(forge.note().encode(), gen_time=long_ago))
    forge.tsa = [tsa.roots_pem]
    report = verify(forge.files())
    assert report.stamps == []
    assert "not by an authority" in report.first_fault().sentence


@pytest.mark.parametrize("receipt", [b"x", b"\x30\x03\x02\x01\x02", bytes(5000), b"\x30\x82\xff\xff"])
def test_a_receipt_that_is_none(verify: Callable[..., Any], tsa: LocalTsa, receipt: bytes) -> None:
    assert verify(stamped(tsa, receipt=receipt).files()).first_fault().rule == 6


def test_a_stamp_without_a_receipt(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    forge = stamped(tsa)
    forge.anchors[-1]["receipt"] = None
    assert verify(forge.files()).first_fault().rule == 6


def test_any_bit_of_a_receipt_may_flip(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    """A flip in what nobody signed (a certificate more, the status) may pass; it never moves the time."""
    forge = stamped(tsa)
    good, times = forge.anchors[-1]["receipt"], set()
    for at in range(0, len(good), max(1, len(good) // 15)):
        forge.anchors[-1]["receipt"] = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        report = verify(forge.files())
        times.update(report.stamps if report.verdict == "VALID" else [])
        assert report.verdict in ("VALID", "INVALID")
    assert len(times) <= 1


def test_no_authority_is_trusted(verify: Callable[..., Any], tsa: LocalTsa) -> None:
    report = verify(stamped(tsa, trusted=False).files())
    assert report.verdict == "INCOMPLETE"
    assert "1 time stamps were not judged" in report.missing[0]


OTHERS = {"LibreSSL 3.3.6": "cannot do it", "OpenSSL 1.0.2u  20 Dec 2019": "cannot do it", "": "cannot do it"}


@pytest.mark.parametrize("version", OTHERS)
def test_an_openssl_that_cannot(
    verify: Callable[..., Any], tsa: LocalTsa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    files = stamped(tsa).files()
    program = tmp_path / "bin" / "openssl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent) + os.pathsep + os.defpath)
    report = verify(files)
    assert report.verdict == "INCOMPLETE"
    assert OTHERS[version] in report.missing[0]


def test_no_openssl_at_all(
    verify: Callable[..., Any], tsa: LocalTsa, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = stamped(tsa).files()
    monkeypatch.setenv("PATH", str(tmp_path))
    report = verify(files)
    assert report.verdict == "INCOMPLETE"
    assert "no openssl" in report.missing[0]
    assert verify(whole_story().files()).verdict == "VALID"


def test_what_openssl_prints(bd_verify: Any) -> None:
    printed = b"Status: Granted.\nTime stamp: Nov  2 09:00:42.123456 2026 GMT\nAccuracy: 0x01 seconds\n"
    assert bd_verify.stated_time(printed) == datetime(2026, 11, 2, 9, 0, 42, 123456, tzinfo=UTC)
    assert bd_verify.stated_time(printed.replace(b".123456", b"")) == datetime(2026, 11, 2, 9, 0, 42, tzinfo=UTC)
    for wrong in (printed * 2, b"", printed.replace(b"Nov", b"Nox"), printed.replace(b" 2 09", b"31 09")):
        assert bd_verify.stated_time(wrong) is None
