"""Makes the virtual environment and installs the locked requirements, if that is still to be done.

Run by the Makefile as a file, with any Python from 3.11 on: nothing is installed yet that could be imported.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PIP = ["--disable-pip-version-check", "--no-cache-dir", "--no-input", "--quiet", "--quiet", "--progress-bar", "off"]


def main(folder: Path, requirements: Path) -> int:
    """Done before: returns at once. Two at the same time: the second waits for the first."""
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    stamp = folder / f"{requirements.stem}.installed"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return 0
        print(f"Installing {requirements} into {folder}: this takes a minute.", flush=True)
        if sentence := _make_environment(folder) or _install(folder, requirements):
            print(sentence, file=sys.stderr)
            return 1
        stamp.write_text(wanted)
    return 0


def _make_environment(folder: Path) -> str:
    """Returns what is wrong, in one sentence, or nothing."""
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        package = f"python{version}-venv"
        return f"{sys.executable} cannot make virtual environments: install that with `apt-get install {package}`."
    python = folder / "bin" / "python"
    if not (python.exists() and _works(python)):
        shutil.rmtree(folder, ignore_errors=True)
        if _run([sys.executable, "-m", "venv", str(folder)]):
            return f"The virtual environment could not be made in {folder}: the lines above say why."
    return ""


def _works(python: Path) -> bool:
    """Of this version, and still where it was made: a moved clone's environment points to the old place."""
    answer = subprocess.run(
        [python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False
    )
    same_place = (python.parent / "activate").read_text(errors="replace").find(str(python.parent.parent.resolve())) >= 0
    return answer.stdout.strip() == sys.version and same_place


def _install(folder: Path, requirements: Path) -> str:
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", *PIP, "--require-hashes", "--no-deps"]
    if _run([*pip, "--only-binary", ":all:", "-r", str(requirements)]):
        return f"{requirements} could not be installed: the lines above say why."
    return ""


def _run(command: list[str]) -> int:
    # pip's own settings may name an index; anything that changes what or where is installed stays out.
    unwanted = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH")
    return subprocess.run(
        command, env={k: v for k, v in os.environ.items() if k not in unwanted}, check=False
    ).returncode


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2])))
