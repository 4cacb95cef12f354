"""An organisation's own rules and clauses: read with the catalogue, checked in the same way, never in its place."""

import shutil
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from regulators.catalogue import read_catalogue
from regulators.laws import Wanted, laws_listed
from tests.regulators.small_catalogue import small_catalogue
from tests.regulators.test_laws import TODAY

CLAUSE = """
id: own_acquirer
name: Contract with the acquiring bank, notice of a breach
kind: contractual
places: [GB]
law: Merchant agreement of 3 March 2025
in_force: {state: in_force, since: 2025-03-03}
reaches_us: {basis: by_contract, text: Binds us by contract.}
duties:
  - id: bank
    tell: contract_partner
    whom: The acquiring bank
    title: Tell the acquiring bank
    when: {fact: data.kinds, includes_any: [payment_card]}
    clock: {limits: [{starts: awareness, amount: 24, unit: hours}], reading: Within 24 hours of awareness.}
    article: Clause 14.2
zone: Europe/London
source: {title: Merchant agreement}
confidence: memory
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own/regimes").mkdir(parents=True)
    (tmp_path / "own/regimes/own_acquirer.yaml").write_text(CLAUSE)
    return tmp_path / "own"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return small_catalogue(tmp_path / "catalogue")


def test_a_clause_is_one_law_more(small: Path, own: Path) -> None:
    catalogue = read_catalogue(small, own)
    assert catalogue.faults == ()
    assert catalogue.own == {"own_acquirer"}
    listed = {law.regime.id: law.is_own for law in laws_listed(catalogue, Wanted(TODAY))}
    assert listed == {"uk_gdpr": False, "uk_pecr": False, "uk_nis": False, "own_acquirer": True}


def test_it_cannot_stand_in_for_a_law_of_the_catalogue(small: Path, own: Path) -> None:
    (own / "regimes/uk_gdpr.yaml").write_text(CLAUSE.replace("own_acquirer", "uk_gdpr"))
    catalogue = read_catalogue(small, own)
    assert [str(fault) for fault in catalogue.faults] == [
        f"{own}/regimes/uk_gdpr.yaml: id: the catalogue itself has a regime uk_gdpr: choose another id"
    ]
    assert [one.kind for one in catalogue.regimes["uk_gdpr"]] == ["national"]


def test_nor_its_authority_for_one_of_ours(small: Path, own: Path) -> None:
    shutil.copytree(small / "authorities", own / "authorities")
    assert [str(fault) for fault in read_catalogue(small, own).faults] == [
        f"{own}/authorities/gb.yaml: gb_ico: another authority has this id"
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("payment_card", "payment_crad", "duties.bank.when: data.kinds has no value payment_crad"),
        ("Europe/London", "Europe/Londno", "zone: there is no time zone Europe/Londno"),
        ("amount: 24, ", "", "duties.0.clock.limits.0: Value error, a limit after an event has amount and unit"),
        ("id: own_acquirer", "id: own_bank", "id: the name of this file begins with own_bank"),
        ("confidence: memory", "confidence: seen", "confidence seen needs a source with its address"),
    ],
)
def test_a_fault_names_the_organisations_file(small: Path, own: Path, old: str, new: str, said: str) -> None:
    file = own / "regimes/own_acquirer.yaml"
    file.write_text(CLAUSE.replace(old, new))
    (fault,) = read_catalogue(small, own).faults
    assert fault.file == str(file)
    assert said in str(fault)


def test_a_folder_that_is_not_there_is_a_fault(small: Path, own: Path) -> None:
    assert [str(fault) for fault in read_catalogue(small, own / "gone").faults] == [
        f"{own}/gone: the whole file: there is no such folder"
    ]


def test_check_catalogue_reads_both(
    small: Path, own: Path, settings: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regulators.management.commands.check_catalogue.FOLDER", small)
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"own_rules_dir": own})
    output = StringIO()
    call_command("check_catalogue", stdout=output)
    assert output.getvalue().startswith("No fault: 4 laws, 1 of them our own")
    (own / "regimes/own_acquirer.yaml").write_text("id: [")
    with pytest.raises(CommandError, match=r"own_acquirer\.yaml: the whole file: while parsing"):
        call_command("check_catalogue")
