"""Whatever happens in whatever order, the verifier and a naive recomputation agree after every step.

Appending, linking in batches of any size, transactions and batches that break off half-way, values that are erased,
keys that are changed, checkpoints that are signed and signed notes that a crash kept from the database.
"""

from base64 import b64encode
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from django.conf import settings as product
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from breachdesk.audit.erasure import SealedName, delete_sealed
from breachdesk.audit.models import Checkpoint, Entry, Event, Pending, PrivateValue
from breachdesk.audit.record import record
from breachdesk.audit.sequencer import sequence_pending
from breachdesk.audit.signer import Signer
from breachdesk.audit.verification import verify
from breachdesk.vault.sealing import create_key
from tests.factories import unguarded
from tests.signing import Signing


class Broken(Exception):
    pass


@contextmanager
def crash_at_the_end():
    """The database undoes everything; files and memory keep what was done to them."""
    with suppress(Broken), transaction.atomic():
        yield
        raise Broken


def naive_root(leaves):
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + naive_root(leaves[:half]) + naive_root(leaves[half:])).digest()


class Trail(RuleBasedStateMachine):
    settings_fixture = None

    @initialize()
    def begin(self):
        self.whole = transaction.atomic()
        self.whole.__enter__()
        self.folder = TemporaryDirectory()
        self.signing = Signing(self.settings_fixture, Path(self.folder.name))
        with unguarded():
            self.cases = [create_key(uuid4()).scope for _ in range(2)]

    def teardown(self):
        transaction.set_rollback(True)
        self.whole.__exit__(None, None, None)
        self.folder.cleanup()

    @rule(case=st.sampled_from([None, 0, 1]), count=st.integers(1, 4), is_sealed=st.booleans())
    def append(self, case, count, is_sealed):
        incident = None if case is None else self.cases[case]
        with transaction.atomic():
            for n in range(count):
                if is_sealed and incident:
                    record("incident.closed", by=None, incident=incident, private={"reason": f"reason {n}"})
                else:
                    record("heartbeat", by=None, incident=incident, log_size=n)

    @rule(count=st.integers(1, 3))
    def append_and_break_off(self, count):
        with crash_at_the_end():
            for n in range(count):
                record("heartbeat", by=None, incident=self.cases[0], log_size=n)

    @rule(limit=st.integers(1, 5))
    def link(self, limit):
        sequence_pending(limit)

    @rule(limit=st.integers(1, 5))
    def link_and_break_off(self, limit):
        with crash_at_the_end():
            sequence_pending(limit)

    @rule(n=st.integers(0, 10))
    def erase(self, n):
        values = list(PrivateValue.objects.order_by("event_id"))
        if values:
            value = values[n % len(values)]
            name = SealedName(value.event_id, value.field)
            with transaction.atomic():
                record("privacy.erased", by=None, count=1, erased=[str(name)], ground="request")
                delete_sealed([name])

    @rule()
    def rotate(self):
        if not self.signing.key.with_name("signing-key.pem.next").exists():
            call_command("rotate_signing_key", verbosity=0)

    @rule()
    def sign(self):
        self.signing.look()

    @rule()
    def sign_and_die_before_the_database_knows(self):
        with crash_at_the_end():
            self.signing.look()
        self.signing.signer = Signer(every=0)

    @invariant()
    def verifier_and_recomputation_agree(self):
        if not hasattr(self, "signing"):
            return
        entries = list(Entry.objects.order_by("idx"))
        leaves = [sha256(b"\x00" + bytes(entry.entry)).digest() for entry in entries]
        report = verify()
        assert report.finding is None
        assert (report.size, report.root) == (len(leaves), naive_root(leaves))
        assert report.verdict == ("INCOMPLETE" if Pending.objects.exists() or not leaves else "VALID")
        assert len(entries) + Pending.objects.count() == Event.objects.count()
        assert self.signing.signer.refusal is None
        for checkpoint in Checkpoint.objects.all():
            root = b64encode(naive_root(leaves[: checkpoint.size])).decode()
            text = f"{product.BREACHDESK.log_origin}\n{checkpoint.size}\n{root}\n\n"
            assert checkpoint.note.startswith(text)


def test_the_trail_holds_whatever_happens(db, settings_fixture):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    run_state_machine_as_test(
        Trail,
        settings=settings(
            max_examples=8,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def settings_fixture(request):
    Trail.settings_fixture = request.getfixturevalue("settings")
    yield
    Trail.settings_fixture = None
