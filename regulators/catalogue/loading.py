"""read_catalogue(): every file of a folder, and of an organisation's own one, into one catalogue, with every fault."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from regulators.catalogue.form_faults import faults_of_form
from regulators.catalogue.reading import Fault, Folder
from regulators.catalogue.rule_faults import (
    Known,
    Vocabulary,
    faults_of_place,
    faults_of_regime,
    faults_of_supervisor,
    faults_of_versions,
)
from regulators.catalogue.rules import Place, Regime, Supervisor
from regulators.catalogue.schema import Form


@dataclass(frozen=True)
class Catalogue:
    facts: dict[str, str]
    forms: dict[tuple[str, int], Form]
    known: Known
    regimes: dict[str, tuple[Regime, ...]]
    """The versions of each law, the earliest first; those without a date come last."""
    own: frozenset[str]
    """Which of them are the organisation's own."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _Read:
    folder: Folder
    file: Path
    regime: Regime


def read_catalogue(path: Path, own: Path | None = None) -> Catalogue:
    """Everything under `path` and `own`, with every fault found; a faulty file's content is left out."""
    faults: list[Fault] = []
    ours = Folder(path, faults)
    theirs = [Folder(own, faults, named=f"{own}/")] if own else []
    if own and not own.is_dir():
        faults.append(Fault(str(own), "", "there is no such folder"))
    facts = ours.table("facts.yaml", dict[str, str])
    forms = _forms(ours, facts)
    known = _with_supervisors(_known(ours, forms), [ours, *theirs])
    regimes = [read for folder in (ours, *theirs) for read in _regimes(folder, known)]
    laws = _laws(regimes)
    _check_forms_laws(ours, forms, laws)
    own_ids = frozenset(read.regime.id for read in regimes if read.folder is not ours)
    return Catalogue(facts, forms, known, laws, own_ids, tuple(faults))


def _forms(ours: Folder, facts: dict[str, str]) -> dict[tuple[str, int], Form]:
    forms: dict[tuple[str, int], Form] = {}
    for file, form in ours.each("forms", Form):
        if file.stem != f"{form.id}_v{form.version}":
            ours.fault(file, "id", f"the file of this form is called {form.id}_v{form.version}.yaml")
        for key, reason in faults_of_form(form, facts):
            ours.fault(file, key, reason)
        forms[form.id, form.version] = form
    return forms


def _check_forms_laws(ours: Folder, forms: dict[tuple[str, int], Form], laws: Iterable[str]) -> None:
    for (name, version), form in forms.items():
        for law in set(form.regimes).difference(laws):
            ours.fault(ours.path / f"forms/{name}_v{version}.yaml", "regimes", f"there is no regime {law}")


def _known(ours: Folder, forms: Iterable[tuple[str, int]]) -> Known:
    """What rules may speak of; the words of one file are checked when the file is read."""
    words = ours.one(ours.path / "rule_values.yaml", Vocabulary) or Vocabulary(facts={}, kinds_of_law={})
    places = ours.table("places.yaml", dict[str, Place])
    for code, place in places.items():
        for key, reason in faults_of_place(place.zone, place.calendar):
            ours.fault(ours.path / "places.yaml", f"{code}.{key}", reason)
    return Known(
        facts=ours.table("rule_facts.yaml", dict[str, str]),
        values=words.facts,
        kinds_of_law=words.kinds_of_law,
        sectors=ours.table("sectors.yaml", dict[str, str]),
        places=places,
        forms=frozenset(name for name, _ in forms),
    )


def _with_supervisors(known: Known, folders: Iterable[Folder]) -> Known:
    supervisors: dict[str, Supervisor] = {}
    for folder in folders:
        for file, one in folder.lists("authorities", Supervisor):
            if one.id in supervisors:
                folder.fault(file, one.id, "another authority has this id")
                continue
            for key, reason in faults_of_supervisor(one, known):
                folder.fault(file, f"{one.id}.{key}", reason)
            supervisors[one.id] = one
    return replace(known, supervisors=dict(sorted(supervisors.items())))


def _regimes(folder: Folder, known: Known) -> Iterable[_Read]:
    for file, regime in folder.each("regimes", Regime):
        if file.stem != regime.id and not file.stem.startswith(f"{regime.id}_"):
            folder.fault(file, "id", f"the name of this file begins with {regime.id}")
        for key, reason in faults_of_regime(regime, known):
            folder.fault(file, key, reason)
        yield _Read(folder, file, regime)


def _laws(read: list[_Read]) -> dict[str, tuple[Regime, ...]]:
    """The versions of each law. A law is in one of the folders: an organisation's own cannot stand in for ours."""
    laws: dict[str, list[_Read]] = {}
    for one in read:
        versions = laws.setdefault(one.regime.id, [])
        if versions and versions[0].folder is not one.folder:
            one.folder.fault(one.file, "id", f"the catalogue itself has a regime {one.regime.id}: choose another id")
            continue
        versions.append(one)
    for versions in laws.values():
        for later, key, reason in faults_of_versions(one.regime for one in versions):
            one = next(one for one in versions if one.regime is later)
            one.folder.fault(one.file, key, reason)
    return {law: tuple(sorted((one.regime for one in laws[law]), key=_begins)) for law in sorted(laws)}


def _begins(regime: Regime) -> tuple[bool, date]:
    return not regime.in_force.is_dated, regime.in_force.since or date.min
