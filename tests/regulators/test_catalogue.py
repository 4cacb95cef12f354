"""The catalogue: sound as it ships, and every fault one can make is named by file, key and reason."""

import shutil
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from regulators import catalogue
from regulators.catalogue import FOLDER, get_form, get_regime, read_catalogue
from regulators.catalogue.rules import Start, Unit
from regulators.catalogue.schema import Form, Kind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "catalogue"))


def change(folder: Path, old: str, new: str, file: str = "forms/uk_ico_v1.yaml") -> list[str]:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    return [str(fault) for fault in read_catalogue(folder).faults]


def test_what_ships_has_no_fault() -> None:
    assert read_catalogue(FOLDER).faults == ()


def test_the_ico_form_is_whole() -> None:
    form = get_form("uk_ico")
    assert (form.version, len(form.sections), len(form.questions)) == (1, 6, 49)
    assert form.reviewed_by == ""
    assert form.numbers["people_count"] == "4.4"
    assert get_form("uk_ico", 1) is form


def test_the_older_questions_are_never_required() -> None:
    older = [question for question in get_form("uk_ico").questions if question.generation == "2018-2021"]
    assert len(older) == 5
    assert not any(question.required or question.required_when for question in older)


def test_what_is_not_yet_known_can_be_said_of_the_breach_and_not_of_ourselves() -> None:
    form = get_form("uk_ico")
    assert form.question("people_count").not_known == "Not yet known"
    assert form.question("is_cyber_incident").not_known == "Don’t know"
    assert form.question("controller_name").not_known is None
    assert form.question("discovered_at").not_known is None


def test_conditions_decide_what_is_asked() -> None:
    form = get_form("uk_ico")
    late, first = {"filing.hours_since_awareness": 73}, {"report_type": "initial"}
    assert form.question("delay_reason").is_asked(first, late)
    assert not form.question("delay_reason").is_asked(first, {"filing.hours_since_awareness": 72})
    assert not form.question("delay_reason").is_asked({"report_type": "follow_up"}, late)
    assert form.question("not_registered_reason").is_asked({}, {})
    assert not form.question("not_registered_reason").is_asked({"controller_registration": "ZA1"}, {})
    assert form.question("data_categories_details").is_required({"data_categories": ["health", "other"]}, {})
    assert not form.question("data_categories_details").is_required({"data_categories": ["health"]}, {})
    assert form.question("told_people_details").is_asked({"told_people": "planned"}, {})
    assert not form.question("told_people_details").is_asked({"told_people": "undecided"}, {})


def test_the_clock_of_the_uk() -> None:
    duty = get_regime("uk_gdpr").duty("authority")
    assert [(limit.amount, limit.unit, limit.starts) for limit in duty.clock.limits] == [
        (72, Unit.HOURS, Start.AWARENESS)
    ]
    assert (duty.form, duty.article) == ("uk_ico", "UK GDPR Article 33(1)")


def test_an_unknown_form_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_form("xx_none")


FAULTS = [
    ("title: Personal data breach report", "titel: A report", "titel: Extra inputs are not permitted"),
    ("kind: long_text", "kind: essay", "sections.1.questions.0.kind: Input should be"),
    ("fact: people.count", "fact: people.cuont", "people_count.fact: facts.yaml has no people.cuont"),
    ("is: follow_up", "is: followup", "ico_case_reference.asked_when: report_type has no choice followup"),
    ("question: data_categories\n", "question: data_kinds\n", "required_when: there is no earlier question data_kinds"),
    ("key: high_risk_details", "key: high_risk", "high_risk: two questions have this key"),
    ("version: 1", "version: 2", "id: the file of this form is called uk_ico_v2.yaml"),
    ("        max_length: 120\n", "", "questions.0: Value error, max_length belongs to the kinds text and long_text"),
    ("more_than: 72", "more_than: 72\n              is: 3", "a comparison has exactly one of"),
    ("law: Article 33", "law: x\nlaw: Article 33", "the whole file: the key 'law' is given twice"),
    ("seen_on: 2026-11-21", "seen_on: lately", "source.seen_on: Input should be a valid date"),
    ("sections:", "sections: [", "the whole file: while parsing"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS, ids=[fault[2][:40] for fault in FAULTS])
def test_a_fault_is_named_by_file_key_and_reason(folder: Path, old: str, new: str, said: str) -> None:
    named = [fault for fault in change(folder, old, new) if said in fault]
    assert named
    assert named[0].startswith("forms/uk_ico_v1.yaml: ")


def test_a_regime_without_its_form_is_a_fault(folder: Path) -> None:
    assert "regimes/uk/uk_gdpr.yaml: duties.authority.form: there is no form uk_none" in change(
        folder, "form: uk_ico", "form: uk_none", "regimes/uk/uk_gdpr.yaml"
    )


def test_the_command_names_every_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = StringIO()
    call_command("check_catalogue", stdout=output)
    assert output.getvalue().startswith("No fault: ")
    change(folder, "fact: people.count", "fact: people.cuont")
    monkeypatch.setattr("regulators.management.commands.check_catalogue.FOLDER", folder)
    with pytest.raises(CommandError, match=r"uk_ico_v1\.yaml: people_count"):
        call_command("check_catalogue")


def test_a_faulty_catalogue_is_refused_when_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder, "kind: long_text", "kind: essay")
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    catalogue._sound.cache_clear()
    with pytest.raises(catalogue.CatalogueError, match="The catalogue has faults"):
        get_form("uk_ico")
    catalogue._sound.cache_clear()


def test_a_new_form_is_one_file_and_no_code(folder: Path) -> None:
    content = yaml.safe_load((folder / "forms/uk_ico_v1.yaml").read_text())
    content |= {"id": "ie_dpc", "version": 1, "title": "Another form"}
    (folder / "forms/ie_dpc_v1.yaml").write_text(yaml.safe_dump(content))
    forms = read_catalogue(folder).forms
    assert isinstance(forms["ie_dpc", 1], Form)


def test_every_typed_question_has_a_limit() -> None:
    typed = [q for q in get_form("uk_ico").questions if q.kind in {Kind.TEXT, Kind.LONG_TEXT}]
    assert all(question.max_length for question in typed)
