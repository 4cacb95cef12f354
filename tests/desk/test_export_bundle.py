"""export_bundle: what happened to the case, its keys and the log before, and what it refuses."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from breachdesk.audit.erasure import SealedName
from breachdesk.audit.models import Event
from breachdesk.incidents.erasing import erase_values
from breachdesk.incidents.models import Incident
from notifications.actions import cancel_edition
from notifications.models import Edition
from tests.desk.exporting import Exporting, check, exporting, lines_of, members_of, pointing, told_case
from tests.factories import make_incident, make_user
from tests.incidents.keeping import destroy
from tests.notifications.sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def through(settings: Settings) -> Callable[[Sink], None]:
    return pointing(settings)


@pytest.fixture
def export(db: None, settings: Settings, tmp_path: Path) -> Exporting:
    return exporting(settings, tmp_path)


@pytest.fixture
def case(export: Exporting) -> Incident:
    """A case of which nobody was told yet, beside another one, in a log that is signed."""
    make_incident()
    return make_incident()


def test_a_case_of_which_nobody_was_told_yet_is_valid_too(export: Exporting) -> None:
    for options in ([], ["--private"], ["--whole"]):
        found = check(export(make_incident(), *options))
        assert (found["verdict"], found["sentence"]) == ("VALID", "Every rule holds."), options


def test_a_second_export_is_as_valid_as_the_first(case: Incident, export: Exporting) -> None:
    first, second = export(case), export(case)
    assert check(first)["verdict"] == check(second)["verdict"] == "VALID"


# Keys, erasures, notes


def test_after_a_rotation_both_keys_are_in_it(case: Incident, export: Exporting) -> None:
    export.signing.sign()
    call_command("rotate_signing_key", verbosity=0, stdout=StringIO())
    export.signing.sign()
    bundle = export(case)
    assert len(json.loads(members_of(bundle)["trust.json"])["keys"]) == 2
    found = check(bundle)
    assert found["verdict"] == "VALID"
    assert len(found["keys"]) == 2


def test_after_an_erasure_the_opening_is_gone_and_it_is_valid(case: Incident, export: Exporting) -> None:
    opened = Event.objects.of_incident(case.pk).of_type("incident.opened").get()
    name = SealedName(opened.event_id, "what_happened")
    erase_values([name], ground="misplaced", by=make_user("dpo"))
    bundle = export(case, "--private")
    openings = {(line["event"], line["field"]) for line in lines_of(bundle, "private.jsonl")}
    assert (str(opened.event_id), "what_happened") not in openings
    assert (str(opened.event_id), "processor") in openings
    assert check(bundle)["verdict"] == "VALID"


def test_after_the_key_is_destroyed_there_are_no_openings_and_it_is_valid(
    export: Exporting, through: Callable[[Sink], None]
) -> None:
    told = told_case(through)
    cancel_edition(Edition.objects.get(), reason="The rest is on hold.", by=make_user("approver"))
    destroy(told)
    bundle = export(told, "--private")
    assert members_of(bundle)["private.jsonl"] == b""
    assert "the key of this case was destroyed" in members_of(bundle)["README.txt"].decode()
    assert check(bundle)["verdict"] == "VALID"


def test_a_note_that_somebody_kept_is_proved_to_be_extended(case: Incident, export: Exporting) -> None:
    kept = export.folder.parent / "kept.note"
    kept.write_text(export.signing.sign().note)
    make_incident()
    bundle = export(case, "--note", str(kept))
    assert check(bundle, "--note", str(kept))["verdict"] == "VALID"


def test_a_note_of_another_log_is_refused(case: Incident, export: Exporting, settings: Settings) -> None:
    note = export.folder.parent / "other.note"
    note.write_text(export.signing.sign().note.replace("breachdesk.invalid/log", "elsewhere.example/log"))
    refused(export, case, "is not one of this log", "--note", str(note))


# Refusals


def refused(export: Exporting, incident: Incident, sentence: str, *options: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        export(incident, *options)
    assert list(export.folder.iterdir()) == []


def test_without_a_signer_it_says_what_to_start_and_leaves_nothing(case: Incident, export: Exporting) -> None:
    with pytest.raises(CommandError, match=r"No signed checkpoint covers entry \d+.*manage.py run_signer"):
        call_command("export_bundle", case.reference, "-o", str(export.folder / "x.zip"), "--wait=0.3")
    assert list(export.folder.iterdir()) == []


def test_without_a_key_nothing_is_recorded_either(db: None, tmp_path: Path) -> None:
    incident = make_incident()
    with pytest.raises(CommandError, match=r"manage\.py make_signing_key"):
        call_command("export_bundle", incident.reference, "-o", str(tmp_path / "x.zip"))
    assert not Event.objects.of_type("bundle.exported").exists()


def test_a_file_that_is_there_stays(case: Incident, export: Exporting) -> None:
    target = export.folder / "bundle-1.zip"
    target.write_text("mine")
    with pytest.raises(CommandError, match="nothing is ever written over"):
        export(case)
    assert target.read_text() == "mine"


def test_an_unknown_case_is_refused(export: Exporting) -> None:
    with pytest.raises(CommandError, match="no incident BD-1999-0001"):
        call_command("export_bundle", "BD-1999-0001", "-o", str(export.folder / "x.zip"))


def test_a_failure_halfway_leaves_nothing(
    case: Incident, export: Exporting, superuser_sql: Callable[..., None]
) -> None:
    superuser_sql("UPDATE audit_private SET value_enc = sha256(value_enc) WHERE field = 'what_happened'")
    refused(export, case, "was changed or moved", "--private")


def test_a_log_without_one_of_its_nodes_is_refused_with_a_sentence(
    case: Incident, export: Exporting, superuser_sql: Callable[..., None]
) -> None:
    export.signing.sign()
    superuser_sql("DELETE FROM audit_node WHERE level = 2 AND pos = 0")
    with pytest.raises(CommandError, match=r"missing from the log|No signed checkpoint"):
        call_command("export_bundle", case.reference, "-o", str(export.folder / "x.zip"), "--wait=1")
    assert list(export.folder.iterdir()) == []
