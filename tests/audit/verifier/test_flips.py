"""One bit is enough: whatever byte of a bundle is not as it was, the verifier does not say VALID, and never breaks.

Each byte of the smallest bundle is flipped in turn. Of a bundle that carries the real page and the real verifier,
which are large and only compared with their digests, it is every 97th byte of these two and every byte around them.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breachdesk.audit.verifier import PAGE, SCRIPT
from tests.audit.forge import SMALL_PAGE, sealed, small_story, whole_story, zipped

FLIPS = Path(__file__).with_name("flips.py")
WHOLE_STORY = zipped(whole_story().files())


def flip_all(bundle: bytes, parts: list[str], folder: Path) -> dict[str, int]:
    """The verdicts, counted, of a process that can import nothing of ours nor any library."""
    path = folder / "bundle.zip"
    path.write_bytes(bundle)
    done = subprocess.run(
        [sys.executable, "-I", "-S", FLIPS, SCRIPT, path],
        input=json.dumps(parts),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["importable"] == []
    found: dict[str, int] = answer["found"]
    assert found.pop("before") == 1, "the bundle was not valid before"
    return found


def empty_page(files: dict[str, bytes]) -> dict[str, bytes]:
    """The page without a copy of the other files, as large bundles have it."""
    return files | {"index.html": SMALL_PAGE}


def test_each_byte_of_a_small_bundle(tmp_path: Path) -> None:
    bundle = zipped(empty_page(small_story().files()))
    found = flip_all(bundle, [f"0:{len(bundle)}:1"], tmp_path)
    assert found == {"INVALID": len(bundle)}


def test_the_copy_inside_the_page(tmp_path: Path) -> None:
    files = small_story().files()
    bundle = zipped(files)
    start = bundle.index(files["index.html"])
    found = flip_all(bundle, [f"{start}:{start + len(files['index.html'])}:3"], tmp_path)
    assert found.keys() == {"INVALID"}


def test_the_real_page_and_the_real_verifier(tmp_path: Path) -> None:
    forge = small_story(private=False)
    files = empty_page(forge.files(page=PAGE.read_bytes(), script=SCRIPT.read_bytes()))
    files["index.html"] = PAGE.read_bytes()
    bundle = zipped(files)
    parts = []
    for name in ("bd_verify.py", "index.html"):
        start, size = bundle.index(files[name]), len(files[name])
        parts += [
            f"{start}:{start + size}:293",
            f"{start - 45}:{start + 20}:1",
            f"{start + size - 20}:{start + size + 45}:1",
        ]
    block = bundle.index(b'id="bundle">null<')
    found = flip_all(bundle, [*parts, f"{block - 40}:{block + 30}:1"], tmp_path)
    assert found.keys() == {"INVALID"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 8 * len(WHOLE_STORY) - 1))
def test_any_bit_of_a_whole_story(verify: Callable[..., Any], bit: int) -> None:
    flipped = bytearray(WHOLE_STORY)
    flipped[bit // 8] ^= 1 << bit % 8
    assert verify(bytes(flipped)).verdict == "INVALID"


LOG = ["checkpoint.note", "deliveries.jsonl", "entries.jsonl", "notes.jsonl", "private.jsonl", "sections/notices.json"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(LOG), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_bit_of_the_log_though_everything_is_sealed_again(
    verify: Callable[..., Any], name: str, where: float, bit: int
) -> None:
    """Somebody who makes manifest, page and ZIP fit again still cannot change what is signed."""
    files = whole_story().files()
    content = bytearray(files[name])
    content[int(where * len(content))] ^= 1 << bit
    assert verify(sealed(files | {name: bytes(content)})).verdict == "INVALID"
