"""What export_bundle writes of a case that went through everything: a file that the verifier, alone, finds valid."""

import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings

from breachdesk.audit.canonical import base64url, canonical
from breachdesk.audit.models import Checkpoint, Event
from breachdesk.incidents.models import Incident
from tests.desk.exporting import check, exporting, lines_of, members_of, pointing, told_case
from tests.factories import make_incident

pytestmark = pytest.mark.django_db

PRIVATE, WHOLE = "--private", "--whole"


@dataclass
class Exported:
    """A case and its bundles by the options each was made with, in the order in which they were made."""

    told: Incident
    bundles: dict[tuple[str, ...], Path]
    folder: Path
    size: int
    events: list[dict[str, Any]]
    beside: list[Path]


@pytest.fixture(scope="module")
def exported(committed_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Beside another case, in a log that is signed. `size` and `beside` are of the moment after the first bundle."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(settings, "BREACHDESK", settings.BREACHDESK)  # put back at the end
        export = exporting(settings, tmp_path_factory.mktemp("exported"))
        make_incident()
        told = told_case(pointing(settings))
        bundles: dict[tuple[str, ...], Path] = {(): export(told)}
        size, beside = Checkpoint.objects.latest("size").size, list(export.folder.iterdir())
        for options in ((PRIVATE,), (WHOLE,), (WHOLE, PRIVATE)):
            bundles[options] = export(told, *options)
        events = Event.objects.of_incident(told.pk).of_type("bundle.exported").order_by("pk")
        yield Exported(told, bundles, export.folder, size, [event.content for event in events], beside)


@pytest.fixture
def bundle(exported: Exported) -> Path:
    return exported.bundles[()]


def test_an_outsider_finds_each_valid(exported: Exported, tmp_path: Path) -> None:
    """Also the second of a case, and those after it."""
    assert len(exported.bundles) == 4
    for options, bundle in exported.bundles.items():
        found = check(bundle)
        assert (found["verdict"], found["sentence"]) == ("VALID", "Every rule holds."), options
        assert found["reference"] == exported.told.reference, options
        unpacked = tmp_path / bundle.stem
        with ZipFile(bundle) as archive:
            archive.extractall(unpacked)
        assert check(unpacked)["verdict"] == "VALID", options


def test_it_is_readable_for_its_owner_alone_and_leaves_nothing_beside_it(exported: Exported, bundle: Path) -> None:
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert exported.beside == [bundle]
    assert {*exported.folder.iterdir()} == {*exported.bundles.values()}


def test_it_says_what_it_holds(exported: Exported, bundle: Path) -> None:
    about = json.loads(members_of(bundle)["bundle.json"])
    entries, deliveries = lines_of(bundle, "entries.jsonl"), lines_of(bundle, "deliveries.jsonl")
    assert about["incident"] == str(exported.told.pk)
    assert (about["entries"], about["deliveries"]) == (len(entries), len(deliveries))
    settled = [json.loads(line["body"])["data"] for line in entries if '"delivery.batch_settled"' in line["body"]]
    assert len(deliveries) == sum(data["rows"] for data in settled) >= 11
    assert about["size"] == exported.size
    assert (about["private"], about["whole"]) == (False, False)


def test_the_case_ends_with_its_head(exported: Exported, bundle: Path) -> None:
    entries = lines_of(bundle, "entries.jsonl")
    *_, before, last = [json.loads(line["entry"]) for line in entries if str(exported.told.pk) in line["entry"]]
    head = next(line for line in entries if line["n"] == last["n"])
    body = json.loads(head["body"])
    assert body["type"] == "incident.head"
    assert body["data"] == {"inc_n": before["inc_n"], "inc_leaf": last["inc_prev"]}
    assert json.loads(members_of(bundle)["bundle.json"])["head"] == last["n"]


def test_the_trail_says_of_each_that_it_was_exported_and_with_which_sections(exported: Exported) -> None:
    usual = {"incident", "people", "notices", "mail_events", "filings", "duties", "risk"}
    for event, (options, bundle) in zip(exported.events, exported.bundles.items(), strict=True):
        sections = {name: text for name, text in members_of(bundle).items() if name.startswith("sections/")}
        files = {name: base64url(sha256(text).digest()) for name, text in sections.items()}
        digest = base64url(sha256(canonical({"files": files})).digest())
        said = {"sections_digest": digest, "whole": WHOLE in options, "with_private": PRIVATE in options}
        assert event["data"] == said, options
        assert event["actor"]["kind"] == "system", options
        names = usual | ({"people_of_record"} if PRIVATE in options else set())
        assert {f"sections/{name}.json" for name in names} == set(sections), options


def test_bodies_of_other_cases_stay_out_of_a_whole_log(exported: Exported) -> None:
    entries = lines_of(exported.bundles[(WHOLE,)], "entries.jsonl")
    assert [line["n"] for line in entries] == list(range(len(entries)))
    others = [line for line in entries if json.loads(line["entry"])["incident"] not in (None, str(exported.told.pk))]
    assert others
    assert {line["body"] for line in others} == {None}


def test_the_page_holds_what_the_file_holds(bundle: Path) -> None:
    files = members_of(bundle)
    page = files.pop("index.html").decode()
    start = page.index('<script type="application/json" id="bundle">') + 44
    data: dict[str, Any] = json.loads(page[start : page.index("</script>", start)])
    assert data == {name: content.decode() for name, content in files.items()}
    text = json.dumps(data, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")
    assert page[start:].startswith(text + "</script>")
