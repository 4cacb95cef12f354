"""A catalogue that is quick to read: the laws of the United Kingdom, their authority and its form."""

import shutil
from pathlib import Path

from regulators.catalogue import FOLDER

WORDS = ("facts", "rule_facts", "rule_values", "sectors", "places")
KEPT = ("authorities/gb.yaml", "forms/uk_ico_v1.yaml", *(f"regimes/uk/{name}.yaml" for name in ("uk_gdpr", "uk_nis")))
WITHOUT_FORM = [f"regimes/uk/{name}.yaml" for name in ("uk_pecr", "uk_pecr_until_2025")]


def small_catalogue(folder: Path) -> Path:
    for name in [*(f"{words}.yaml" for words in WORDS), *KEPT, *WITHOUT_FORM]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / name, folder / name)
    for name in WITHOUT_FORM:
        lines = (folder / name).read_text().splitlines(keepends=True)
        (folder / name).write_text("".join(line for line in lines if "form: uk_pecr_5a" not in line))
    return folder
