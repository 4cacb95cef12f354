"""The clocks of the hosts: of web server, workers and the others, each for itself. The database's is libfaketime's."""

import os
import struct
import subprocess
from pathlib import Path

from tests.bench.sink import has_compiler

SOURCE = Path(__file__).with_name("moved_clock.c")
UNITS = {"h": 3600, "d": 86_400}


def seconds_of(jump: str) -> int:
    """+1h, -1d, +0."""
    return int(jump[:-1]) * UNITS[jump[-1]] if jump[-1] in UNITS else int(jump)


class HostClocks:
    """Nothing is moved where no C compiler is."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.library = folder, folder / "moved_clock.so"
        if has_compiler():
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", self.library, SOURCE], check=True)

    def environment(self, name: str) -> dict[str, str]:
        """With which a program has a clock of its own."""
        self.move(name, "+0")
        moved = {"LD_PRELOAD": str(self.library), "CLOCK_FILE": str(self._file(name))}
        return moved if self.library.exists() else {}

    def move(self, name: str, jump: str) -> None:
        """In place: it is mapped by all processes of this host."""
        file = os.open(self._file(name), os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(file, struct.pack("=q", seconds_of(jump)), 0)
        finally:
            os.close(file)

    def _file(self, name: str) -> Path:
        return self.folder / f"clock of {name}"
