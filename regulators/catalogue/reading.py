"""From the catalogue's files to what they say. Every fault is named by file, key and reason; nothing faulty is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

Item = TypeVar("Item", bound=BaseModel)
_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Fault:
    file: str
    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key or 'the whole file'}: {self.reason}"


class _Loader(_Base):  # type: ignore[valid-type, misc]
    """Plain YAML in which a key given twice is an error: the second one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for place, key in enumerate(keys) if key in keys[:place]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} is given twice", node.start_mark)
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content


class Folder:
    """One folder of files, ours or an organisation's own, and the faults found in it."""

    def __init__(self, path: Path, faults: list[Fault], *, named: str = "") -> None:
        self.path, self.faults, self._named = path, faults, named

    def name_of(self, file: Path) -> str:
        return self._named + file.relative_to(self.path).as_posix()

    def fault(self, file: Path, key: str, reason: str) -> None:
        self.faults.append(Fault(self.name_of(file), key, reason))

    def read(self, file: Path) -> Any:
        try:
            return yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            self.fault(file, "", " ".join(str(error).split()))
            return None

    def one(self, file: Path, shape: type[Item]) -> Item | None:
        content = self.read(file)
        return None if content is None else self._shaped(file, content, shape)

    def each(self, part: str, shape: type[Item]) -> Iterator[tuple[Path, Item]]:
        """One item a file, in every folder below `part`."""
        for file in sorted((self.path / part).rglob("*.yaml")):
            item = self.one(file, shape)
            if item is not None:
                yield file, item

    def lists(self, part: str, shape: type[Item]) -> Iterator[tuple[Path, Item]]:
        """A list of items a file."""
        for file in sorted((self.path / part).rglob("*.yaml")):
            content = self.read(file)
            if content is not None and not isinstance(content, list):
                self.fault(file, "", "this file is a list")
                continue
            for number, given in enumerate(content or ()):
                item = self._shaped(file, given, shape, f"{number}.")
                if item is not None:
                    yield file, item

    def table(self, name: str, shape: Any) -> Any:
        """A file that is one mapping of that shape; empty if it is not."""
        content = self.read(self.path / name)
        if content is not None:
            try:
                return TypeAdapter(shape).validate_python(content)
            except ValidationError as error:
                self._refuse(self.path / name, error)
        return {}

    def _shaped(self, file: Path, content: Any, shape: type[Item], within: str = "") -> Item | None:
        try:
            return shape.model_validate(content)
        except ValidationError as error:
            self._refuse(file, error, within)
            return None

    def _refuse(self, file: Path, error: ValidationError, within: str = "") -> None:
        for fault in error.errors():
            self.fault(file, within + ".".join(str(step) for step in fault["loc"]), fault["msg"])
