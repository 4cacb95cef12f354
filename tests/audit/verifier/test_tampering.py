"""T1 to T17 of the design: each change is found, by the rule that is meant to find it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.audit import tampering_form, tampering_values
from tests.audit.forge import whole_story
from tests.audit.tampering import CASES, Case

assert tampering_form, tampering_values  # each adds its cases to the list

VARIANTS = {
    "part": {},
    "part without private values": {"private": False},
    "whole": {"whole": True},
    "whole without private values": {"whole": True, "private": False},
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_an_honest_bundle_is_valid(verify: Callable[..., Any], variant: dict[str, bool]) -> None:
    report = verify(whole_story(**variant).files())
    assert (report.verdict, report.first_fault(), report.missing) == ("VALID", None, [])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_was_changed_is_found_by_its_rule(verify: Callable[..., Any], case: Case) -> None:
    report = verify(case.make(), kept=case.kept, trust=case.trust)
    assert report.verdict == "INVALID", report.missing
    assert report.first_fault().rule == case.rule, report.first_fault().sentence


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
