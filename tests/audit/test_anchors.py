"""Checkpoints left outside: when they are, what counts, and what is tried again."""

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from breachdesk.accounts.tasks import mail_checkpoint
from breachdesk.audit import anchors
from breachdesk.audit.anchors import mail_if_due, pause_after, stamp_if_due
from breachdesk.audit.models import Anchor
from breachdesk.audit.note import parse_note
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.stamps import check_stamp, read_roots
from breachdesk.audit.tasks import stamp_checkpoint
from tests.audit.tsa import LocalTsa
from tests.factories import make_organisation
from tests.signing import Signing

pytestmark = pytest.mark.django_db


@pytest.fixture
def configure(settings: Any) -> Any:
    """configure(tsa_urls=...) changes the product's settings for one test."""

    def change(**update: Any) -> None:
        settings.BREACHDESK = settings.BREACHDESK.model_copy(update=update)

    return change


@pytest.fixture
def stamped(signing: Signing, local_tsa: LocalTsa, configure: Any) -> Signing:
    """A signed log whose checkpoints the local authority is to stamp."""
    configure(tsa_urls=local_tsa.url, tsa_roots_file=local_tsa.roots_file)
    signing.sign()
    return signing


def later(**delta: float) -> datetime:
    return timezone.now() + timedelta(**delta)


def grow(signing: Signing, event: str = "heartbeat", **data: Any) -> int:
    """Adds an event, links and signs it; the new size."""
    with transaction.atomic():
        record(event, by=None, **(data or {"log_size": 1}))
    return signing.sign().size


def test_the_newest_checkpoint_is_stamped_and_the_receipt_kept(stamped: Signing, local_tsa: LocalTsa) -> None:
    (anchor,) = stamp_if_due(timezone.now())
    assert (anchor.kind, anchor.target, anchor.size, anchor.ok) == ("rfc3161", local_tsa.url, 1, True)
    note = stamped.last_note.read_bytes()
    kept = Anchor.objects.get()
    assert abs(check_stamp(bytes(kept.receipt), note, read_roots(local_tsa.roots_file)) - kept.at) < timedelta(
        minutes=1
    )


def test_beat_rings_for_it(stamped: Signing) -> None:
    stamp_checkpoint()
    assert Anchor.objects.get().ok


def test_it_is_stamped_once_an_hour(stamped: Signing) -> None:
    assert stamp_if_due(timezone.now())
    grow(stamped)
    assert stamp_if_due(later(minutes=59)) == []
    (anchor,) = stamp_if_due(later(minutes=61))
    assert anchor.size == 2


def test_nothing_new_is_not_stamped_again(stamped: Signing) -> None:
    assert stamp_if_due(timezone.now())
    assert stamp_if_due(later(days=2)) == []


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("filing.signed_off", {"number": 1, "form": "uk_ico"}),
        ("filing.submitted", {"number": 1, "submitted_at": datetime(2026, 1, 1, tzinfo=UTC)}),
        ("bundle.exported", {"whole": False}),
    ],
)
def test_a_filing_or_an_export_is_stamped_at_once(stamped: Signing, event: str, data: dict[str, Any]) -> None:
    assert stamp_if_due(timezone.now())
    size = grow(stamped, event, **data)
    (anchor,) = stamp_if_due(timezone.now())
    assert (anchor.size, anchor.ok) == (size, True)
    assert stamp_if_due(timezone.now()) == []


def test_two_authorities_stamp_the_same_note(
    stamped: Signing, local_tsa: LocalTsa, configure: Any, tmp_path: Any
) -> None:
    with LocalTsa(tmp_path / "second", "Second") as second:
        roots = tmp_path / "roots.pem"
        roots.write_text(local_tsa.roots_pem + second.roots_pem)
        configure(tsa_urls=f"{local_tsa.url}, {second.url}", tsa_roots_file=roots)
        local_tsa.behaves = "error"
        made = {anchor.target: anchor for anchor in stamp_if_due(timezone.now())}
        assert made[second.url].ok
        assert not made[local_tsa.url].ok


@pytest.mark.parametrize("behaves", ["wrong_imprint", "wrong_nonce", "stranger", "garbage", "error", "huge", "moved"])
def test_what_does_not_count_is_recorded_with_its_reason(stamped: Signing, local_tsa: LocalTsa, behaves: str) -> None:
    local_tsa.behaves = behaves
    (anchor,) = stamp_if_due(timezone.now())
    assert not anchor.ok
    assert anchor.answer.endswith(".")
    assert len(anchor.receipt or b"") <= anchors.LARGEST_KEPT


def test_a_failure_is_tried_again_less_and_less_often(stamped: Signing, local_tsa: LocalTsa) -> None:
    local_tsa.behaves = "error"
    assert stamp_if_due(timezone.now())
    assert stamp_if_due(later(seconds=50)) == []
    assert stamp_if_due(later(seconds=61))
    assert stamp_if_due(later(seconds=61)) == []
    assert Anchor.objects.count() == 2
    assert [pause_after(n) // timedelta(minutes=1) for n in (1, 2, 3, 6, 7, 8)] == [1, 2, 4, 32, 60, 60]


def test_after_a_failure_it_is_confirmed(stamped: Signing, local_tsa: LocalTsa) -> None:
    local_tsa.behaves = "error"
    stamp_if_due(timezone.now())
    local_tsa.behaves = "good"
    (anchor,) = stamp_if_due(later(minutes=2))
    assert anchor.ok


def test_a_stamp_that_came_too_late_is_kept_and_does_not_count(
    stamped: Signing, local_tsa: LocalTsa, heartbeats: Any
) -> None:
    heartbeats(1)
    sequence_everything()
    local_tsa.gen_time = later(seconds=57)
    (anchor,) = stamp_if_due(timezone.now())
    assert (anchor.ok, "too long after the checkpoint" in anchor.answer) == (False, True)
    assert anchor.receipt
    local_tsa.gen_time = later(seconds=40)
    assert [again.ok for again in stamp_if_due(later(minutes=2))] == [True]


@pytest.mark.parametrize(("apart", "ok"), [(-30, False), (-1, True), (30, True), (90, False)])
def test_a_clock_that_would_make_the_log_look_false_does_not_count(
    stamped: Signing, local_tsa: LocalTsa, apart: int, ok: bool
) -> None:
    local_tsa.gen_time = later(seconds=apart)
    (anchor,) = stamp_if_due(timezone.now())
    assert anchor.ok is ok


def test_a_checkpoint_that_a_stamp_would_be_too_late_for_waits_for_the_next(
    stamped: Signing, local_tsa: LocalTsa, heartbeats: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats(1)
    sequence_everything()
    monkeypatch.setattr(anchors, "LATEST", timedelta(seconds=5))
    assert stamp_if_due(timezone.now()) == []
    assert local_tsa.asked == []


def test_without_a_checkpoint_or_an_authority_nothing_is_asked(db: None, local_tsa: LocalTsa, configure: Any) -> None:
    assert stamp_if_due(timezone.now()) == []
    configure(tsa_urls=local_tsa.url, tsa_roots_file=local_tsa.roots_file)
    assert stamp_if_due(timezone.now()) == []
    assert local_tsa.asked == []


def test_roots_that_cannot_be_read_are_recorded(stamped: Signing, configure: Any, tmp_path: Any) -> None:
    configure(tsa_roots_file=tmp_path / "absent.pem")
    (anchor,) = stamp_if_due(timezone.now())
    assert "cannot be read" in anchor.answer


# Mail


def test_the_dpo_and_the_outside_get_the_exact_note(signing: Signing, configure: Any) -> None:
    signing.sign()
    configure(anchor_mail="evidence@lawyers.example, vault@notary.example")
    sent = mail_if_due(timezone.now(), dpo="dpo@harrow.example")
    assert [(anchor.target, anchor.ok) for anchor in sent] == [("dpo", True), ("outside-1", True), ("outside-2", True)]
    assert [letter.to for letter in mail.outbox] == [
        ["dpo@harrow.example"],
        ["evidence@lawyers.example"],
        ["vault@notary.example"],
    ]
    for letter in mail.outbox:
        assert letter.attachments == [("checkpoint.note", signing.last_note.read_bytes(), "application/octet-stream")]
        part = letter.message().get_payload()[1]  # type: ignore[union-attr, index]
        assert part.get_payload(decode=True) == signing.last_note.read_bytes()  # type: ignore[union-attr]


def test_the_letter_says_what_it_is_and_how_to_compare(signing: Signing, configure: Any) -> None:
    checkpoint = signing.sign()
    mail_if_due(timezone.now(), dpo="dpo@harrow.example")
    (letter,) = mail.outbox
    assert letter.subject == "Please keep: the state of our breach log at entry 1"
    body = str(letter.body)
    assert parse_note(checkpoint.note).origin in body
    assert "bd_verify.py BUNDLE.zip --note checkpoint.note" in body
    assert anchors.signed_by(checkpoint.note)[0] in body
    assert "not known" not in body


def test_no_address_stays_in_the_trail(signing: Signing, configure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(letter: EmailMessage) -> int:
        raise smtplib.SMTPRecipientsRefused({letter.to[0]: (550, f"no {letter.to[0]} here".encode())})

    signing.sign()
    configure(anchor_mail="evidence@lawyers.example")
    monkeypatch.setattr(EmailMessage, "send", refused)
    sent = mail_if_due(timezone.now(), dpo="dpo@harrow.example")
    assert [(anchor.ok, anchor.answer) for anchor in sent] == [
        (False, "The mail host refused the address with 550.")
    ] * 2
    assert not any("@" in anchor.target + anchor.answer for anchor in Anchor.objects.all())


def test_mail_goes_once_a_day_and_at_filings(signing: Signing) -> None:
    signing.sign()
    dpo = "dpo@harrow.example"
    assert mail_if_due(timezone.now(), dpo=dpo)
    grow(signing)
    assert mail_if_due(later(hours=23), dpo=dpo) == []
    assert [anchor.size for anchor in mail_if_due(later(hours=25), dpo=dpo)] == [2]
    grow(signing, "bundle.exported", whole=False)
    assert mail_if_due(timezone.now(), dpo=dpo) == []
    size = grow(signing, "filing.signed_off", number=1, form="uk_ico")
    assert [anchor.size for anchor in mail_if_due(timezone.now(), dpo=dpo)] == [size]


def test_the_organisations_dpo_is_who_gets_it(signing: Signing) -> None:
    organisation = make_organisation()
    signing.sign()
    mail_checkpoint()
    assert [letter.to for letter in mail.outbox] == [[organisation.dpo_email]]
