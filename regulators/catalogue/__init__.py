"""get_form(), get_regime(): the catalogue, read and checked once. Data and its readers; it imports nothing of ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from regulators.catalogue.schema import Comparison, Form, Question, Regime

FOLDER = Path(__file__).parent
Item = TypeVar("Item", bound=BaseModel)


@dataclass(frozen=True)
class Fault:
    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key or 'the whole file'}: {self.reason}"


class CatalogueError(Exception):
    """A file of the catalogue cannot be used. The message names file, key and reason of every fault."""


@dataclass(frozen=True)
class Catalogue:
    facts: dict[str, str]
    forms: dict[tuple[str, int], Form]
    regimes: dict[str, Regime]
    faults: tuple[Fault, ...]


class _Loader(yaml.SafeLoader):
    """Plain YAML in which a key given twice is an error: the second one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def get_form(form: str, version: int | None = None) -> Form:
    """The form in that version, or its newest. Raises KeyError when there is none, CatalogueError on faulty files."""
    forms = _sound().forms
    return forms[form, version or max((v for name, v in forms if name == form), default=0)]


def get_regime(regime: str) -> Regime:
    return _sound().regimes[regime]


def all_forms() -> list[Form]:
    """The newest version of each."""
    return [get_form(name) for name in sorted({name for name, _ in _sound().forms})]


@lru_cache(maxsize=1)
def _sound() -> Catalogue:
    catalogue = read_catalogue(FOLDER)
    if catalogue.faults:
        raise CatalogueError("The catalogue has faults.\n" + "\n".join(map(str, catalogue.faults)))
    return catalogue


def read_catalogue(folder: Path) -> Catalogue:
    """Everything under `folder`, with every fault found; a faulty file's content is left out."""
    faults: list[Fault] = []
    facts = _read_facts(folder, faults)
    forms: dict[tuple[str, int], Form] = {}
    regimes: dict[str, Regime] = {}
    for file, form in _read_all(folder, "forms", Form, faults):
        if file.stem != f"{form.id}_v{form.version}":
            faults.append(Fault(_name(file), "id", f"the file of this form is called {form.id}_v{form.version}.yaml"))
        faults.extend(Fault(_name(file), key, reason) for key, reason in _faults_of(form, facts))
        forms[form.id, form.version] = form
    for file, regime in _read_all(folder, "regimes", Regime, faults):
        if regime.form not in {name for name, _ in forms}:
            faults.append(Fault(_name(file), "form", f"there is no form {regime.form}"))
        if regime.id in regimes:
            faults.append(Fault(_name(file), "id", f"the regime {regime.id} is already in another file"))
        regimes[regime.id] = regime
    return Catalogue(facts, forms, regimes, tuple(faults))


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _read_facts(folder: Path, faults: list[Fault]) -> dict[str, str]:
    content = _read_yaml(folder / "facts.yaml", faults)
    if isinstance(content, dict) and all(isinstance(v, str) for v in content.values()):
        return content
    faults.append(Fault("facts.yaml", "", "this is a list of fact keys, each with its meaning as text"))
    return {}


def _read_all(folder: Path, part: str, shape: type[Item], faults: list[Fault]) -> Iterator[tuple[Path, Item]]:
    for file in sorted((folder / part).glob("*.yaml")):
        content = _read_yaml(file, faults)
        try:
            if content is not None:
                yield file, shape.model_validate(content)
        except ValidationError as error:
            faults.extend(
                Fault(_name(file), ".".join(str(step) for step in fault["loc"]), fault["msg"])
                for fault in error.errors()
            )


def _read_yaml(file: Path, faults: list[Fault]) -> Any:
    try:
        return yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        faults.append(Fault(_name(file), "", " ".join(str(error).split())))
        return None


def _faults_of(form: Form, facts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What one question cannot know by itself: the others, and the facts there are."""
    earlier: dict[str, Question] = {}
    for question in form.questions:
        if question.key in earlier:
            yield question.key, "two questions have this key"
        if question.fact and question.fact not in facts:
            yield f"{question.key}.fact", f"facts.yaml has no {question.fact}"
        for name in ("asked_when", "required_when"):
            condition = getattr(question, name)
            for compared in condition.comparisons() if condition else ():
                reasons = _faults_of_comparison(compared, earlier, facts)
                yield from ((f"{question.key}.{name}", reason) for reason in reasons)
        earlier[question.key] = question


def _faults_of_comparison(compared: Comparison, earlier: dict[str, Question], facts: dict[str, str]) -> Iterator[str]:
    if compared.fact and compared.fact not in facts:
        yield f"facts.yaml has no {compared.fact}"
    if not compared.question:
        return
    asked = earlier.get(compared.question)
    if asked is None:
        # Only questions before it: then one pass from top to bottom decides what is asked.
        yield f"there is no earlier question {compared.question}"
    elif asked.values:
        yield from (
            f"{asked.key} has no choice {value}" for value in compared.compared_with if value not in asked.values
        )
