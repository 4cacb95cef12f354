"""Exporting a case as an evidence bundle: who may, and the event that says so."""

import tempfile
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from breachdesk.accounts.permissions import OPERATOR, action, demand_now
from breachdesk.audit.bundle.export import Bundle, Order, write_bundle
from breachdesk.audit.bundle.pinning import BundleRefused
from breachdesk.audit.entries import LogDamagedError
from breachdesk.audit.models import Event
from breachdesk.audit.record import record
from breachdesk.incidents.models import Incident
from breachdesk.vault.master_key import MasterKeyMissing
from breachdesk.vault.sealing import KeyMissing, SealBroken

REFUSALS = (BundleRefused, LogDamagedError, MasterKeyMissing, KeyMissing, SealBroken)

if TYPE_CHECKING:
    from breachdesk.accounts.models import User


@action("audit.export_bundle", atomic=False)
def export_bundle(incident: Incident, order: Order, target: Path, *, by: "User", recipient: str = "") -> Bundle:
    """With sealed values opened, it needs the right to see people's data besides."""
    if order.private:
        demand_now(by, "people.reveal_person")
    return write_bundle(order, target, partial(_record_export, incident, order, by, recipient))


def bundle_for_download(incident: Incident, order: Order, *, by: "User", recipient: str) -> IO[bytes]:
    """An open file that has no name any more: when it is closed, nothing of it is left on this machine."""
    with tempfile.TemporaryDirectory(prefix="breachdesk-bundle-") as folder:
        target = Path(folder) / "bundle.zip"
        try:
            export_bundle(incident, order, target, by=by, recipient=recipient)
        except REFUSALS as error:
            raise ValidationError(str(error)) from error
        return target.open("rb")


@action(OPERATOR, atomic=False)
def export_bundle_as_operator(incident: Incident, order: Order, target: Path, *, by: None) -> Bundle:
    """For whoever runs commands on the server."""
    return write_bundle(order, target, partial(_record_export, incident, order, by, ""))


@transaction.atomic
def _record_export(incident: Incident, order: Order, by: "User | None", recipient: str, digest: bytes) -> Event:
    return record(
        "bundle.exported",
        by=by,
        on=incident,
        private={"recipient": recipient} if recipient else None,
        sections_digest=digest,
        whole=order.whole,
        with_private=order.private,
    )
