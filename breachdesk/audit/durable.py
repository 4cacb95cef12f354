"""Files that are whole or not there, whatever happens while they are written."""

import os
from pathlib import Path


def write_durably(path: Path, content: bytes, mode: int) -> None:
    """When it returns, the content survives a power cut; until then the earlier file, if any, is untouched."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move_durably(unfinished, path)


def move_durably(source: Path, target: Path) -> None:
    """Within one folder."""
    source.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
