"""The verifier as a stranger has it: read from its path, never imported as a part of the product."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from breachdesk.audit.verifier import SCRIPT
from tests.audit.forge import zipped


def load() -> Any:
    spec = importlib.util.spec_from_file_location("bd_verify_under_test", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bd_verify() -> Any:
    return load()


@pytest.fixture
def verify(bd_verify: Any, tmp_path: Path) -> Callable[..., Any]:
    """The report on members, or on the bytes of a ZIP; never one that its last resort wrote."""

    def run(
        bundle: Mapping[str, bytes] | bytes, *, kept: tuple[bytes, ...] | list[bytes] = (), trust: bytes | None = None
    ) -> Any:
        path = tmp_path / "bundle.zip"
        path.write_bytes(bundle if isinstance(bundle, bytes) else zipped(bundle))
        names = []
        for number, note in enumerate(kept):
            names.append(str(tmp_path / f"kept{number}.note"))
            Path(names[-1]).write_bytes(note)
        if trust is not None:
            (tmp_path / "trust.json").write_bytes(trust)
        report = bd_verify.verify(str(path), str(tmp_path / "trust.json") if trust is not None else None, names)
        assert not [text for text in report.missing if "not made for" in text], report.missing
        return report

    return run
