"""One customer's notice, proved to an outsider: a page in plain words, and inside it the two proofs behind them.

row-proof.json leads from the row of this message to the root over its batch (RFC 6962); event-proof.json leads from
the event that carries this root to a signed checkpoint of the trail; event-proof.txt says the same as a C2SP
tlog-proof. The opening shows that the row is about this address; it can be given while the case's data key lives.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from django.template.loader import render_to_string

from breachdesk.accounts.permissions import OPERATOR, action
from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.checkpoints import checkpoint_covering
from breachdesk.audit.models import Checkpoint, Entry, Event
from breachdesk.audit.printing import note_for_print
from breachdesk.audit.proofs import EventProof, NotProvable, event_proof
from breachdesk.audit.record import record
from breachdesk.audit.tree import inclusion_proof, leaf_of, root_of
from breachdesk.desk.zone import zone_of
from breachdesk.pdf import PdfAttachment, render_pdf
from breachdesk.people.languages import language_name
from breachdesk.people.personal import full_name, personal_of
from breachdesk.vault.sealing import KeyDestroyed, KeyMissing, SealBroken, cipher_for
from notifications.batches import SETTLED, Row, recipient_commitment, recipient_salt, rows_of_batch
from notifications.editions import the_organisation
from notifications.models import Batch, BreakGlass, Delivery, Edition
from notifications.recipients import address_on
from regulators.wording import said

State = Delivery.State
HANDED_OVER = {State.HANDED_OVER, State.DELIVERED, State.BOUNCED, State.COMPLAINED}
LATER = {
    State.DELIVERED: "The mail provider reported later that it was delivered.",
    State.BOUNCED: "The mail provider reported later that it could not be delivered.",
    State.COMPLAINED: "The mail provider reported later that the recipient marked it as unwanted.",
}


class ProofRefused(Exception):
    """There can be no proof of this notice, or not yet. The message says why."""


@dataclass(frozen=True)
class Opened:
    """Whom the row is about, while that can be read."""

    address: str
    name: str
    salt: bytes = field(repr=False)


@dataclass(frozen=True)
class ProofOfNotice:
    delivery: Delivery
    rows: list[Row] = field(repr=False)
    number: int
    opened: Opened | None
    checkpoint: Checkpoint
    event: EventProof

    @property
    def row(self) -> Row:
        return self.rows[self.number]

    @property
    def row_proof(self) -> bytes:
        leaves = [leaf_of(row.line.encode()) for row in self.rows]
        path = inclusion_proof(
            self.number, len(leaves), lambda level, pos: root_of(leaves[pos << level : (pos + 1) << level])
        )
        opening = {"salt": base64url(self.opened.salt), "address": self.opened.address} if self.opened else None
        return canonical(
            {
                "v": 1,
                "batch": str(self.delivery.token),
                "line": self.row.line,
                "row": self.number,
                "rows": len(leaves),
                "rows_root": base64url(root_of(leaves)),
                "proof": [base64url(step) for step in path],
                "opening": opening,
            }
        )


@action(OPERATOR)
def export_proof_of_notice(delivery_id: UUID, target: Path, *, at: datetime, by: None) -> ProofOfNotice:
    """Writes the page to a new file; that it was made leaves an event. Raises ProofRefused or PdfError."""
    proof = proof_of_notice(delivery_id)
    pdf = pdf_of(proof, at=at)
    record(
        "proof.exported",
        by=by,
        on=proof.delivery,
        incident=proof.delivery.notice.incident_id,
        delivery=proof.delivery.pk,
        batch=proof.delivery.token,
        digest=sha256(pdf).digest(),
    )
    try:
        with target.open("xb") as file:
            file.write(pdf)
    except OSError as error:
        raise ProofRefused(f"{target} cannot be written: {error.strerror}. Name a new file.") from error
    return proof


def proof_of_notice(delivery_id: UUID) -> ProofOfNotice:
    found = Delivery.objects.select_related("person", "edition", "notice__incident").filter(pk=delivery_id).first()
    if found is None:
        raise ProofRefused(f"There is no delivery {delivery_id}. Its id stands in the Message-ID of the message.")
    if found.state not in HANDED_OVER:
        state = found.get_state_display().lower()
        raise ProofRefused(
            f"This notice was not handed over to the mail host: it is “{state}”. There is nothing to prove."
        )
    rows = rows_of_batch(_settled(found).pk)
    number = next((n for n, row in enumerate(rows) if (row.delivery, row.outcome) == (found.pk, "handed_over")), None)
    if number is None:
        raise ProofRefused(
            "The mail host's answer to this message came after its batch was sealed, and the sealed row calls it "
            "unknown. So its hand-over cannot be proved this way; the trail has an event that says an answer came late."
        )
    idx = _position(found, rows)
    try:
        event = event_proof(idx, checkpoint := checkpoint_covering(idx))
    except NotProvable as problem:
        raise ProofRefused(str(problem)) from problem
    assert checkpoint is not None  # else event_proof has refused
    return ProofOfNotice(found, rows, number, _opened(found, rows[number]), checkpoint, event)


def _settled(found: Delivery) -> Batch:
    batch = Batch.objects.filter(pk=found.token, settled_at__isnull=False).first() if found.token else None
    if batch is None:
        raise ProofRefused(
            "The batch of this message is not settled yet: other messages of it are still under way. Ask again in some "
            "minutes."
        )
    return batch


def _position(found: Delivery, rows: list[Row]) -> int:
    """Of the event that sealed the batch, after a look whether the rows are still those it sealed."""
    sealed = Event.objects.of_incident(found.notice.incident_id).of_type(SETTLED).on_objects([str(found.token)])
    event = sealed.first()
    root = base64url(root_of(leaf_of(row.line.encode()) for row in rows))
    if event is None or event.content["data"]["rows_root"] != root:
        raise ProofRefused(
            f"The rows of batch {found.token} are not those that were sealed. Somebody changed them in the database: "
            "tell your data protection officer, and run manage.py verify_audit."
        )
    idx = Entry.objects.filter(event_id=event.event_id).values_list("idx", flat=True).first()
    if idx is None:
        raise ProofRefused("The event of this batch is not linked into the log yet. Is run_sequencer running?")
    return idx


def _opened(found: Delivery, row: Row) -> Opened | None:
    """None when the key is gone, and when the person's address is not the one the message went to."""
    try:
        cipher = cipher_for(found.notice.incident_id)
        personal = personal_of(cipher, found.person)
    except (KeyDestroyed, KeyMissing, SealBroken):
        return None
    address = address_on(found.rung, personal)
    if recipient_commitment(cipher, found.pk, row.number, address.encode()) != row.recipient:
        return None
    return Opened(address, full_name(personal), recipient_salt(cipher, found.pk, row.number))


def pdf_of(proof: ProofOfNotice, *, at: datetime) -> bytes:
    """The same proof at the same moment gives the same bytes on the same machine."""
    row_proof = proof.row_proof
    note = note_for_print(proof.checkpoint, proof.delivery.notice.incident_id)
    html = render_to_string("desk/proof_of_notice.html", {**context_of(proof, row_proof, at), "trail_note": note})
    return render_pdf(
        html,
        moment=at,
        attachments=[
            PdfAttachment("row-proof.json", row_proof, "The message's row and its way to the root over its batch"),
            PdfAttachment("event-proof.json", proof.event.as_json(), "The batch's event and its way to the checkpoint"),
            PdfAttachment("event-proof.txt", proof.event.as_tlog_proof().encode(), "The same as a C2SP tlog-proof"),
            note.attachment,
        ],
    )


def _glass_of(edition: Edition) -> Iterable[BreakGlass]:
    """Whoever answered for one approval of two, if that was how it went out."""
    given = edition.broken_glass.in_force().select_related("given_by").order_by("given_at")
    return given if len(given) > 1 else []


def context_of(proof: ProofOfNotice, row_proof: bytes, at: datetime) -> dict[str, Any]:
    delivery, organisation = proof.delivery, the_organisation()
    zone = str(zone_of(organisation.zone))
    assert proof.row.at is not None  # a message that was handed over has its time
    return {
        "organisation": organisation.legal_name,
        "reference": delivery.notice.incident.reference,
        "delivery": delivery,
        "edition": delivery.edition,
        "language": language_name(delivery.edition.language),
        "digest": bytes(delivery.edition.digest or b"").hex(),
        "glass": [f"{one.given_by.name}, {said(one.given_at, zone)}" for one in _glass_of(delivery.edition)],
        "opened": proof.opened,
        "row": proof.row,
        "number": proof.number + 1,
        "rows": len(proof.rows),
        "handed_over": said(proof.row.at, zone),
        "handed_over_utc": f"{proof.row.at:%Y-%m-%d %H:%M:%S} UTC",
        "later": LATER.get(State(delivery.state), ""),
        "idx": proof.event.idx,
        "row_digest": sha256(row_proof).hexdigest(),
        "made": said(at, zone),
    }
