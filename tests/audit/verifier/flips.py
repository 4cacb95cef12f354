"""Run alone, by a bare Python: flips one bit of each of some bytes of a bundle in turn, and says what came of it.

python -I -S flips.py bd_verify.py BUNDLE.zip < ["first:last:step", ...]
"""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path


def main(script, bundle):
    spec = importlib.util.spec_from_file_location("bd_verify", script)
    bd_verify = sys.modules["bd_verify"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bd_verify)
    found = Counter({"before": bd_verify.verify(bundle).verdict == "VALID"})
    with Path(bundle).open("r+b", buffering=0) as file:
        for part in json.load(sys.stdin):
            for at in range(*map(int, part.split(":"))):
                found[flipped(bd_verify, file, at, bundle)] += 1
    here = [name for name in ("breachdesk", "django", "cryptography") if importlib.util.find_spec(name)]
    json.dump({"found": found, "importable": here}, sys.stdout)


def flipped(bd_verify, file, at, bundle):
    file.seek(at)
    byte = file.read(1)
    file.seek(at)
    file.write(bytes([byte[0] ^ 1 << at % 8]))
    report = bd_verify.verify(bundle)
    file.seek(at)
    file.write(byte)
    if any("not made for" in text for text in report.missing):
        return f"last resort at {at}: {report.missing}"
    return report.verdict if report.verdict != "VALID" else f"VALID at {at}"


if __name__ == "__main__":
    main(*sys.argv[1:])
