"""The catalogue: sound as it ships, and every fault one can make is named by file, key and reason."""

from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from regulators import catalogue
from regulators.catalogue import get_form, get_regime, read_catalogue, the_catalogue
from regulators.catalogue.rules import Start, Unit
from regulators.catalogue.schema import Form, Kind
from tests.regulators.small_catalogue import small_catalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_catalogue(tmp_path / "catalogue")


def change(folder: Path, old: str, new: str, file: str = "forms/uk_ico_v1.yaml") -> list[str]:
    path = folder / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    return [str(fault) for fault in read_catalogue(folder).faults]


def test_what_ships_has_no_fault() -> None:
    assert the_catalogue().faults == ()


def test_the_small_catalogue_of_these_tests_has_no_fault(folder: Path) -> None:
    assert read_catalogue(folder).faults == ()


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


UK = "regimes/uk/uk_gdpr.yaml"
PECR = "regimes/uk/uk_pecr.yaml"
RULE_FAULTS = [
    (UK, "form: uk_ico", "form: uk_none", "duties.authority.form: there is no form uk_none"),
    (UK, "[gb_ico]", "[gb_none]", "authorities: there is no authority gb_none"),
    (UK, "places: [GB]", "places: [FR]", "authorities: gb_ico is in GB, where this law has no place"),
    (UK, "places: [GB]", "places: [GB, XX]", "places: places.yaml has no XX"),
    (UK, "kind: national", "kind: nation", "kind: rule_values.yaml has no kind of law nation"),
    (UK, "fact: risk.level", "fact: risk.leval", "duties.authority.unless: rule_facts.yaml has no risk.leval"),
    (UK, "is_one_of: [unlikely]", "is_one_of: [low]", "duties.authority.unless: risk.level has no value low"),
    (UK, "risk.level, is_one_of: [unlikely]", "data.kinds, includes_any: [nmae]", "data.kinds has no value nmae"),
    (UK, "is_one_of: [unlikely]", "at_least: 3", "duties.authority.unless: risk.level is not a number of people"),
    (UK, "is_one_of: [unlikely]", "is: true", "duties.authority.unless: risk.level is not a yes or a no"),
    (UK, "is_one_of: [unlikely]", "has: 3", "duties.0.unless: a test has one key of: all, any, not"),
    (UK, "risk.level, is_one_of: [unlikely]", "people.all, at_least: 0", "greater than or equal to 1"),
    (UK, "zone: Europe/London", "zone: Europe/Londn", "zone: there is no time zone Europe/Londn"),
    (UK, "calendar: GB-ENG", "calendar: GB-XYZ", "calendar: the holidays library has no GB-XYZ"),
    (UK, "amount: 72", "amount: 0", "duties.0.clock.limits.0.amount: Input should be greater"),
    (UK, "amount: 72, unit: hours", "relation: with, amount: 72", "with or before an event has neither"),
    (UK, "starts: awareness, amount", "starts: hunch, amount", "duties.0.clock.limits.0.starts: Input should be"),
    (UK, "article: UK GDPR Article 33(1)", "artikel: x", "duties.0.article: Field required"),
    (UK, "id: follow_up", "id: authority", "the whole file: Value error, two duties have the same id"),
    (UK, "confidence: seen", "confidence: sure", "confidence: Input should be 'seen' or 'memory'"),
    (UK, "id: uk_gdpr", "id: gb_gdpr", "id: the name of this file begins with gb_gdpr"),
    (UK, "state: in_force", "state: in_force\n  until: 1999-01-01", "in_force: Value error, until is before since"),
    (UK, "calendar: GB-ENG", "calender: GB-ENG", "calender: Extra inputs are not permitted"),
    (UK, "unit: hours", "unit: business_days", "the whole file: "),
    (PECR, "since: 2025-08-20", "since: 2025-08-19", "in_force: another version of uk_pecr counts on 2025-08-19"),
    (PECR, "sector: telecoms", "sector: telecons", "reaches_us.sector: sectors.yaml has no telecons"),
    (PECR, "sector: telecoms", "note: x", "reaches_us.note: Extra inputs are not permitted"),
    ("authorities/gb.yaml", "place: GB", "place: XX", "gb_ico.place: places.yaml has no XX"),
    ("authorities/gb.yaml", "form: uk_ico", "form: uk_none", "gb_ico.form: there is no form uk_none"),
    ("authorities/gb.yaml", "short_name: ICO", "", "0.short_name: Field required"),
    ("places.yaml", "zone: Europe/London, calendar: GB-ENG", "zone: Nowhere, calendar: GB-ENG", "GB.zone: there is no"),
    ("places.yaml", "GB: {name: United Kingdom,", "GB: {", "GB.name: Field required"),
    ("rule_values.yaml", "kinds_of_law:", "kinds_of_laws:", "kinds_of_laws: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), RULE_FAULTS, ids=[fault[3][:50] for fault in RULE_FAULTS])
def test_a_fault_of_a_rule_is_named_by_file_key_and_reason(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    if new.endswith("unit: business_days"):
        (folder / file).write_text((folder / file).read_text().replace("calendar: GB-ENG\n", ""))
    assert [fault for fault in change(folder, old, new, file) if fault.startswith(f"{file}: ") and said in fault]


def test_a_form_of_a_law_that_is_not_there_is_a_fault(folder: Path) -> None:
    (folder / UK).unlink()
    assert "forms/uk_ico_v1.yaml: regimes: there is no regime uk_gdpr" in map(str, read_catalogue(folder).faults)


def test_a_second_authority_of_the_same_id_is_a_fault(folder: Path) -> None:
    (folder / "authorities/gb2.yaml").write_text((folder / "authorities/gb.yaml").read_text())
    assert [str(fault) for fault in read_catalogue(folder).faults] == [
        "authorities/gb2.yaml: gb_ico: another authority has this id"
    ]


def test_the_command_names_every_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = StringIO()
    monkeypatch.setattr("regulators.management.commands.check_catalogue.FOLDER", folder)
    call_command("check_catalogue", stdout=output)
    assert output.getvalue() == "No fault: 3 laws, 0 of them our own, 1 authorities, 1 forms, 49 questions.\n"
    change(folder, "fact: people.count", "fact: people.cuont")
    with pytest.raises(CommandError, match=r"uk_ico_v1\.yaml: people_count"):
        call_command("check_catalogue")


def test_a_faulty_catalogue_is_refused_when_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(folder, "kind: long_text", "kind: essay")
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    with pytest.raises(catalogue.CatalogueError, match="The catalogue has faults"):
        catalogue._sound.__wrapped__(None)


def test_a_new_form_is_one_file_and_no_code(folder: Path) -> None:
    content = yaml.safe_load((folder / "forms/uk_ico_v1.yaml").read_text())
    content |= {"id": "ie_dpc", "version": 1, "title": "Another form"}
    (folder / "forms/ie_dpc_v1.yaml").write_text(yaml.safe_dump(content))
    forms = read_catalogue(folder).forms
    assert isinstance(forms["ie_dpc", 1], Form)


def test_every_typed_question_has_a_limit() -> None:
    typed = [q for q in get_form("uk_ico").questions if q.kind in {Kind.TEXT, Kind.LONG_TEXT}]
    assert all(question.max_length for question in typed)
