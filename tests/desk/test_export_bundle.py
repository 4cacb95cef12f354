"""export_bundle, from a case that went through everything to a file that the verifier, alone, finds valid."""

import json
import stat
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.erasure import SealedName
from breachdesk.audit.models import Checkpoint, Event
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
def told(export: Exporting, through: Callable[[Sink], None]) -> Incident:
    """A case that went through everything, beside another one, in a log that is signed."""
    make_incident()
    return told_case(through)


@pytest.mark.parametrize("options", [[], ["--private"], ["--whole"], ["--whole", "--private"]])
def test_an_outsider_finds_it_valid(options: list[str], told: Incident, export: Exporting, tmp_path: Path) -> None:
    bundle = export(told, *options)
    found = check(bundle)
    assert (found["verdict"], found["sentence"]) == ("VALID", "Every rule holds.")
    assert found["reference"] == told.reference
    with ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "unpacked")
    assert check(tmp_path / "unpacked")["verdict"] == "VALID"


@pytest.mark.parametrize("options", [[], ["--private"], ["--whole"]])
def test_a_case_of_which_nobody_was_told_yet_is_valid_too(options: list[str], export: Exporting) -> None:
    found = check(export(make_incident(), *options))
    assert (found["verdict"], found["sentence"]) == ("VALID", "Every rule holds.")


def test_it_is_readable_for_its_owner_alone_and_leaves_nothing_beside_it(told: Incident, export: Exporting) -> None:
    bundle = export(told)
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert list(export.folder.iterdir()) == [bundle]


def test_it_says_what_it_holds(told: Incident, export: Exporting) -> None:
    bundle = export(told)
    about = json.loads(members_of(bundle)["bundle.json"])
    entries, deliveries = lines_of(bundle, "entries.jsonl"), lines_of(bundle, "deliveries.jsonl")
    assert about["incident"] == str(told.pk)
    assert (about["entries"], about["deliveries"]) == (len(entries), len(deliveries))
    settled = [json.loads(line["body"])["data"] for line in entries if '"delivery.batch_settled"' in line["body"]]
    assert len(deliveries) == sum(data["rows"] for data in settled) >= 11
    assert about["size"] == Checkpoint.objects.latest("size").size
    assert (about["private"], about["whole"]) == (False, False)


def test_the_case_ends_with_its_head(told: Incident, export: Exporting) -> None:
    bundle = export(told)
    entries = lines_of(bundle, "entries.jsonl")
    *_, before, last = [json.loads(line["entry"]) for line in entries if str(told.pk) in line["entry"]]
    head = next(line for line in entries if line["n"] == last["n"])
    body = json.loads(head["body"])
    assert body["type"] == "incident.head"
    assert body["data"] == {"inc_n": before["inc_n"], "inc_leaf": last["inc_prev"]}
    assert json.loads(members_of(bundle)["bundle.json"])["head"] == last["n"]


def test_the_trail_says_that_it_was_exported_and_with_which_sections(told: Incident, export: Exporting) -> None:
    bundle = export(told, "--whole")
    sections = {name: text for name, text in members_of(bundle).items() if name.startswith("sections/")}
    files = {name: base64url(sha256(text).digest()) for name, text in sections.items()}
    event = Event.objects.of_incident(told.pk).of_type("bundle.exported").get().content
    digest = base64url(sha256(canonical({"files": files})).digest())
    assert event["data"] == {"sections_digest": digest, "whole": True, "with_private": False}
    assert event["actor"]["kind"] == "system"
    names = ("incident", "people", "notices", "filings", "duties", "risk")
    assert {f"sections/{name}.json" for name in names} == set(sections)


def test_a_second_export_is_as_valid_as_the_first(told: Incident, export: Exporting) -> None:
    first, second = export(told), export(told)
    assert check(first)["verdict"] == check(second)["verdict"] == "VALID"


def test_bodies_of_other_cases_stay_out_of_a_whole_log(told: Incident, export: Exporting) -> None:
    entries = lines_of(export(told, "--whole"), "entries.jsonl")
    assert [line["n"] for line in entries] == list(range(len(entries)))
    others = [line for line in entries if json.loads(line["entry"])["incident"] not in (None, str(told.pk))]
    assert others
    assert {line["body"] for line in others} == {None}


# Keys, erasures, notes


def test_after_a_rotation_both_keys_are_in_it(told: Incident, export: Exporting) -> None:
    export.signing.sign()
    call_command("rotate_signing_key", verbosity=0, stdout=StringIO())
    export.signing.sign()
    bundle = export(told)
    assert len(json.loads(members_of(bundle)["trust.json"])["keys"]) == 2
    found = check(bundle)
    assert found["verdict"] == "VALID"
    assert len(found["keys"]) == 2


def test_after_an_erasure_the_opening_is_gone_and_it_is_valid(told: Incident, export: Exporting) -> None:
    opened = Event.objects.of_incident(told.pk).of_type("incident.opened").get()
    name = SealedName(opened.event_id, "what_happened")
    erase_values([name], ground="misplaced", by=make_user("dpo"))
    bundle = export(told, "--private")
    openings = {(line["event"], line["field"]) for line in lines_of(bundle, "private.jsonl")}
    assert (str(opened.event_id), "what_happened") not in openings
    assert (str(opened.event_id), "processor") in openings
    assert check(bundle)["verdict"] == "VALID"


def test_after_the_key_is_destroyed_there_are_no_openings_and_it_is_valid(told: Incident, export: Exporting) -> None:
    cancel_edition(Edition.objects.get(), reason="The rest is on hold.", by=make_user("approver"))
    destroy(told)
    bundle = export(told, "--private")
    assert members_of(bundle)["private.jsonl"] == b""
    assert "the key of this case was destroyed" in members_of(bundle)["README.txt"].decode()
    assert check(bundle)["verdict"] == "VALID"


def test_a_note_that_somebody_kept_is_proved_to_be_extended(told: Incident, export: Exporting) -> None:
    kept = export.folder.parent / "kept.note"
    kept.write_text(export.signing.sign().note)
    make_incident()
    bundle = export(told, "--note", str(kept))
    assert check(bundle, "--note", str(kept))["verdict"] == "VALID"


def test_a_note_of_another_log_is_refused(told: Incident, export: Exporting, settings: Settings) -> None:
    note = export.folder.parent / "other.note"
    note.write_text(export.signing.sign().note.replace("breachdesk.invalid/log", "elsewhere.example/log"))
    refused(export, told, "is not one of this log", "--note", str(note))


# Refusals


def refused(export: Exporting, incident: Incident, sentence: str, *options: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        export(incident, *options)
    assert list(export.folder.iterdir()) == []


def test_without_a_signer_it_says_what_to_start_and_leaves_nothing(told: Incident, export: Exporting) -> None:
    with pytest.raises(CommandError, match=r"No signed checkpoint covers entry \d+.*manage.py run_signer"):
        call_command("export_bundle", told.reference, "-o", str(export.folder / "x.zip"), "--wait=0.3")
    assert list(export.folder.iterdir()) == []


def test_without_a_key_nothing_is_recorded_either(db: None, tmp_path: Path) -> None:
    incident = make_incident()
    with pytest.raises(CommandError, match=r"manage\.py make_signing_key"):
        call_command("export_bundle", incident.reference, "-o", str(tmp_path / "x.zip"))
    assert not Event.objects.of_type("bundle.exported").exists()


def test_a_file_that_is_there_stays(told: Incident, export: Exporting) -> None:
    target = export.folder / "bundle-1.zip"
    target.write_text("mine")
    with pytest.raises(CommandError, match="nothing is ever written over"):
        export(told)
    assert target.read_text() == "mine"


def test_an_unknown_case_is_refused(export: Exporting) -> None:
    with pytest.raises(CommandError, match="no incident BD-1999-0001"):
        call_command("export_bundle", "BD-1999-0001", "-o", str(export.folder / "x.zip"))


def test_a_failure_halfway_leaves_nothing(
    told: Incident, export: Exporting, superuser_sql: Callable[..., None]
) -> None:
    superuser_sql("UPDATE audit_private SET value_enc = sha256(value_enc) WHERE field = 'reason'")
    refused(export, told, "was changed or moved", "--private")


def test_a_log_without_one_of_its_nodes_is_refused_with_a_sentence(
    told: Incident, export: Exporting, superuser_sql: Callable[..., None]
) -> None:
    export.signing.sign()
    superuser_sql("DELETE FROM audit_node WHERE level = 2 AND pos = 0")
    with pytest.raises(CommandError, match=r"missing from the log|No signed checkpoint"):
        call_command("export_bundle", told.reference, "-o", str(export.folder / "x.zip"), "--wait=1")
    assert list(export.folder.iterdir()) == []


# The page inside


def test_the_page_holds_what_the_file_holds(told: Incident, export: Exporting) -> None:
    files = members_of(export(told))
    page = files.pop("index.html").decode()
    start = page.index('<script type="application/json" id="bundle">') + 44
    data: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    assert data == {name: content.decode() for name, content in files.items()}
    text = json.dumps(data, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    assert page[start:].startswith(text + "</script>")
