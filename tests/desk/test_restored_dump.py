"""T20: yesterday's dump is put back by real pg_dump and pg_restore, and the signer does not sign a shorter history."""

from pathlib import Path
from typing import Any

import pytest

from breachdesk.audit.models import Checkpoint
from breachdesk.audit.sequencer import sequence_everything
from tests.desk.test_backup import Elsewhere, back_up, elsewhere, kept_files  # noqa: F401
from tests.factories import make_incident
from tests.signing import Signing

pytestmark = pytest.mark.django_db(transaction=True)

LOOK = """
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.audit.sequencer import sequence_everything
from breachdesk.audit.signer import Signer
from breachdesk.audit.status import trail_status
from django.utils import timezone
sequence_everything()
signer = Signer(every=0)
made = [signer.look() for _ in range(3)]
print([checkpoint and checkpoint.size for checkpoint in made])
print(signer.refusal.why)
print(Event.objects.of_type("checkpoint.refused").count())
print(Checkpoint.objects.count())
print(trail_status(timezone.now()).refusal is not None)
"""


@pytest.fixture
def restored_yesterday(settings: Any, tmp_path: Path, kept_files: Path, elsewhere: Elsewhere) -> Elsewhere:  # noqa: F811
    """A signed log is backed up, goes on and is signed again; then the backup is put back."""
    signing = Signing(settings, tmp_path)
    make_incident()
    sequence_everything()
    signing.sign()
    back_up(tmp_path / "data", tmp_path / "keys")
    make_incident()
    signing.sign()
    elsewhere.environment |= {
        "BREACHDESK_SIGNING_KEY_FILE": str(signing.key),
        "BREACHDESK_SIGNER_DIR": str(signing.folder),
    }
    restored = elsewhere.manage("restore", str(tmp_path / "data"), "--keys", str(tmp_path / "keys"))
    assert restored.returncode == 0, restored.stderr
    return elsewhere


def test_the_signer_refuses_and_says_so_once(restored_yesterday: Elsewhere) -> None:
    known = Checkpoint.objects.count()
    looked = restored_yesterday.manage("shell", "--no-imports", "-c", LOOK)
    sizes, why, refusals, checkpoints, is_alarmed = looked.stdout.splitlines()
    assert sizes == "[None, None, None]", looked.stderr
    assert why
    assert (refusals, checkpoints, is_alarmed) == ("1", str(known - 1), "True")


def test_whoever_may_go_on_says_why_and_the_trail_keeps_it(restored_yesterday: Elsewhere) -> None:
    resumed = restored_yesterday.manage("resume_signing", "--reason", "backup_restored")
    assert resumed.returncode == 0, resumed.stderr
    looked = restored_yesterday.manage("shell", "--no-imports", "-c", LOOK.replace("print(signer.refusal.why)", ""))
    assert looked.stdout.splitlines()[0] != "[None, None, None]", looked.stderr
    assert restored_yesterday.manage("verify_audit").returncode == 0
