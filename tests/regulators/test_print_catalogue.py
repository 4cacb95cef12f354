from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def printed(*options: str) -> str:
    output = StringIO()
    call_command("catalogue", *options, stdout=output)
    return output.getvalue()


def test_it_prints_a_law_with_its_duties(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    lines = printed("--place=NZ").splitlines()
    assert lines[0].startswith("nz_privacy_act: New Zealand: Notifiable privacy breach (New Zealand). In force since ")
    assert lines[0].endswith("read, not reviewed.")
    assert "OPC: Notify the Commissioner" in lines[1]
    assert "Without delay, no number" in lines[1]
    assert lines[1].endswith("Privacy Act 2020 section 114")
    assert lines[-1] == "1 law."
    assert max(map(len, lines)) <= 140


def test_it_prints_the_laws_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    before, after = (printed("--place=GB", f"--on={day}") for day in ("2025-08-19", "2025-08-20"))
    assert ("24 hours from detection" in before, "24 hours from detection" in after) == (True, False)


def test_it_says_when_nobody_has_to_be_told_and_what_is_only_advice() -> None:
    assert "nobody" in printed("--place=UA")
    assert "advice only" in printed("--place=HK")


def test_it_names_what_there_is_when_asked_for_what_is_not() -> None:
    with pytest.raises(CommandError, match=r"--place: the catalogue has no XX\. It has AE, AR, "):
        printed("--place=XX")
    with pytest.raises(CommandError, match=r"--kind: the catalogue has no us\. It has .*us_state"):
        printed("--kind=us")
