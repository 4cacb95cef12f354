"""One customer's notice, proved: the page is made, and its attachments are checked by a few lines that know no code of
ours."""

import json
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from breachdesk.audit.checkpoints import public_keys
from breachdesk.audit.models import Event
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.desk.proof_of_notice import proof_of_notice
from breachdesk.people.models import Person
from breachdesk.people.personal import personal_of, seal_personal
from breachdesk.vault.sealing import cipher_for
from notifications import delivery
from notifications.models import BreakGlass, Delivery, Edition
from notifications.transport import Kind, Outcome, Phase
from tests.desk.exporting import pointing
from tests.factories import destroy_key, make_edition_being_sent, make_user, unguarded
from tests.notifications.sink import Fault, Sink
from tests.notifications.test_drain import being_sent, drain
from tests.pdfs import attachment_of, text_of_pdf
from tests.signing import Signing

pytestmark = pytest.mark.django_db
PEOPLE = 11


@dataclass
class Sent:
    """Sent to eleven people; one was refused, the answer for another was lost.

    `waited` is what an export said before the log was linked and before it was signed, `pdf` what it made after that.
    """

    edition: Edition
    waited: tuple[str, str]
    pdf: bytes


@pytest.fixture(scope="module")
def sent(committed_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("sent")
    edition, export = being_sent(PEOPLE), exporting_to(folder)
    faults = [Fault("rcpt", "550 5.1.1 nobody", "person0003"), Fault("dot", "take_and_drop", "person0005")]
    with Sink(faults) as sink, pytest.MonkeyPatch.context() as changed:
        changed.setattr(product, "BREACHDESK", product.BREACHDESK)  # put back at the end
        pointing(product)(sink)
        drain(edition)
        signing = Signing(product, folder)
        not_linked = refusal(export, one("handed_over").pk)
        assert sequence_everything()
        not_signed = refusal(export, one("handed_over").pk)
        signing.sign()
        yield Sent(edition, (not_linked, not_signed), export(one("handed_over").pk))


@pytest.fixture
def signed(sent: Sent, db: None) -> Edition:
    return Edition.objects.get(pk=sent.edition.pk)


@pytest.fixture
def export(tmp_path: Path) -> Callable[[object], bytes]:
    return exporting_to(tmp_path)


def exporting_to(folder: Path) -> Callable[[object], bytes]:
    def run(delivery_id: object) -> bytes:
        target = folder / "notice.pdf"
        call_command("export_proof_of_notice", str(delivery_id), "-o", str(target), stdout=StringIO())
        return target.read_bytes()

    return run


def refusal(export: Callable[[object], bytes], delivery_id: object) -> str:
    with pytest.raises(CommandError) as refused:
        export(delivery_id)
    return str(refused.value)


def one(state: str) -> Delivery:
    return Delivery.objects.filter(state=state).order_by("pk")[0]


# What an outsider does


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def root_from(leaf: bytes, index: int, size: int, path: list[str]) -> bytes:
    """RFC 9162 section 2.1.3.2, written anew."""
    last, reached = size - 1, leaf
    for step in map(decoded, path):
        if index % 2 or index == last:
            reached = sha256(b"\x01" + step + reached).digest()
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            reached = sha256(b"\x01" + reached + step).digest()
        index, last = index // 2, last // 2
    assert last == 0
    return reached


def check_row(proof: dict[str, Any]) -> bytes:
    leaf = sha256(b"\x00" + proof["line"].encode()).digest()
    root = root_from(leaf, proof["row"], proof["rows"], proof["proof"])
    assert root == decoded(proof["rows_root"])
    return root


def check_event(proof: dict[str, Any], rows_root: bytes, key: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(proof["body"])
    assert decoded(body["data"]["rows_root"]) == rows_root
    entry = json.loads(proof["entry"])
    assert decoded(entry["body"]) == sha256(proof["body"].encode()).digest()
    assert entry["n"] == proof["n"]
    text, signature = proof["checkpoint"].split("\n\n")
    origin, size, root = text.split("\n")
    leaf = sha256(b"\x00" + proof["entry"].encode()).digest()
    assert root_from(leaf, proof["n"], int(size), proof["proof"]) == b64decode(root)
    assert entry["log"] == origin
    Ed25519PublicKey.from_public_bytes(key).verify(b64decode(signature.split(" ")[2])[4:], f"{text}\n".encode())
    return body


def test_an_outsider_can_follow_it_from_the_address_to_the_signature(sent: Sent) -> None:
    [key] = public_keys()
    row, pdf = one("handed_over"), sent.pdf
    proof = json.loads(attachment_of(pdf, "row-proof.json"))
    body = check_event(json.loads(attachment_of(pdf, "event-proof.json")), check_row(proof), key.raw)
    line, opening = json.loads(proof["line"]), proof["opening"]
    assert (line["delivery"], line["outcome"], line["code"]) == (str(row.pk), "handed_over", 250)
    assert body["object"]["id"] == proof["batch"] == str(row.token)
    opened = b"\x02" + decoded(opening["salt"]) + b"\x00\x09recipient" + opening["address"].encode()
    assert decoded(line["recipient"]) == sha256(opened).digest()
    assert opening["address"].startswith("person")


def test_every_row_of_a_batch_has_its_way_to_the_root(signed: Edition) -> None:
    rows = list(Delivery.objects.filter(state="handed_over"))
    assert len(rows) > 1
    for row in rows:
        check_row(json.loads(proof_of_notice(row.pk).row_proof))


def test_the_page_says_it_in_words_and_the_trail_knows_it(sent: Sent) -> None:
    row, pdf = one("handed_over"), sent.pdf
    opening = json.loads(attachment_of(pdf, "row-proof.json"))["opening"]
    pages = text_of_pdf(pdf).split("\f")[:-1]
    assert len(pages) == 1
    words = " ".join(pages[0].split())
    for said in (opening["address"], str(row.pk), "Code 250", "in English", sent.edition.subject):
        assert said in words
    assert public_keys()[0].fingerprint in words
    told = Event.objects.get(type="proof.exported").content
    assert told["data"]["delivery"] == str(row.pk)
    assert decoded(told["data"]["digest"]) == sha256(pdf).digest()
    tlog = attachment_of(pdf, "event-proof.txt").decode()
    assert tlog.startswith("c2sp.org/tlog-proof@v1\n")
    assert attachment_of(pdf, "checkpoint.note").decode() in tlog


def break_the_glass(edition: Edition) -> list[str]:
    """As if it had gone out with one approval of two: whoever answered for that."""
    people = [make_user("dpo"), make_user("responder")]
    given = {"digest": edition.digest, "reason": "Nobody else is awake.", "given_at": timezone.now()}
    with unguarded():
        for user in people:
            BreakGlass.objects.create(edition=edition, given_by=user, **given)
    return [user.name for user in people]


def test_without_the_key_it_still_proves_the_row_and_names_nobody(
    signed: Edition, export: Callable[[object], bytes]
) -> None:
    row = one("handed_over")
    destroy_key(signed.incident_id)
    names = break_the_glass(signed)
    pdf = export(row.pk)
    proof = json.loads(attachment_of(pdf, "row-proof.json"))
    assert proof["opening"] is None
    check_row(proof)
    text = text_of_pdf(pdf)
    assert "@example.com" not in text
    assert "where two approvals were needed" in text
    assert all(name in text for name in names)


def test_an_address_that_was_changed_since_is_not_shown_as_the_one_of_then(signed: Edition) -> None:
    row = Delivery.objects.filter(state="handed_over").select_related("person")[0]
    cipher = cipher_for(signed.incident_id)
    moved = seal_personal(cipher, personal_of(cipher, row.person) | {"email": "moved@example.com"}, row.person.pk)
    with unguarded():
        Person.objects.filter(pk=row.person.pk).update(sealed=moved, row_checksum=b"")
    assert proof_of_notice(row.pk).opened is None


def test_it_refuses_with_a_sentence(signed: Edition, export: Callable[[object], bytes], tmp_path: Path) -> None:
    assert "is no id of a delivery" in refusal(export, "abc")
    assert "There is no delivery" in refusal(export, signed.pk)
    assert "not handed over to the mail host: it is “refused”" in refusal(export, one("refused").pk)
    assert "it is “unknown”" in refusal(export, one("unknown").pk)
    assert list(tmp_path.glob("*.pdf")) == []
    assert Event.objects.filter(type="proof.exported").count() == 1, "the one that was made before"


def test_nothing_is_written_over(signed: Edition, export: Callable[[object], bytes], tmp_path: Path) -> None:
    (tmp_path / "notice.pdf").write_text("mine")
    assert "cannot be written: File exists" in refusal(export, one("handed_over").pk)
    assert (tmp_path / "notice.pdf").read_text() == "mine"
    assert Event.objects.filter(type="proof.exported").count() == 1, "the one that was made before"


def test_it_waits_for_the_log_and_for_a_signature(sent: Sent) -> None:
    not_linked, not_signed = sent.waited
    assert "not linked into the log yet" in not_linked
    assert "No signed checkpoint covers entry" in not_signed
    assert sent.pdf.startswith(b"%PDF-")


def test_a_batch_that_is_still_open_proves_nothing_yet(signed: Edition, export: Callable[[object], bytes]) -> None:
    edition = make_edition_being_sent()
    token, rows = delivery.claim(edition.pk, 2)
    delivery.share_hand_overs(edition.pk)
    delivery.begin_hand_over(token, {row.id: b"c" * 32 for row in rows})
    delivery.settle(token, [(rows[0].id, 0, Outcome(Kind.HANDED_OVER, Phase.DOT, 250))])
    assert "not settled yet" in refusal(export, rows[0].id)


def test_a_late_answer_cannot_be_proved_by_the_sealed_row(signed: Edition, export: Callable[[object], bytes]) -> None:
    row = one("unknown")
    assert row.token
    with transaction.atomic():
        late = delivery.settle(row.token, [(row.pk, 0, Outcome(Kind.HANDED_OVER, Phase.DOT, 250))])
        assert delivery.tell_late(row.token, late) == 1
    assert "came after its batch was sealed" in refusal(export, row.pk)


def test_rows_that_were_changed_in_the_database_are_noticed(signed: Edition, export: Callable[[object], bytes]) -> None:
    row = one("handed_over")
    with unguarded():
        Delivery.objects.filter(pk=row.pk).update(code=251)
    assert "are not those that were sealed" in refusal(export, row.pk)
