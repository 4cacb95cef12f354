from decimal import Decimal
from itertools import product

import pytest

from breachdesk.incidents.assessment import (
    HOUSE_RULE,
    Context,
    Inputs,
    Recipient,
    Suggestion,
    inputs_from,
    kept,
    milder_than,
    severity_of,
)
from breachdesk.incidents.edpb import FACTORS, edpb_cases
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.scales import EASE, LADDERS, Category, Extent, Identification, Level, level_of

NOBODY = Suggestion(tell_authority=False, tell_people=False)
AUTHORITY = Suggestion(tell_authority=True, tell_people=False)
BOTH = Suggestion(tell_authority=True, tell_people=True)

# Of the Board's Guidelines 01/2021: who is told, and our scores by one reading or two.
THE_BOARDS = {
    1: (NOBODY, ["1", "1.25"], "yes"),
    2: (AUTHORITY, ["1.75", "2.75"], "depends"),
    3: (BOTH, ["4.75"], "yes"),
    4: (BOTH, ["4.5", "5.5"], "yes"),
    5: (BOTH, ["3"], "yes"),
    6: (NOBODY, ["1.25"], "yes"),
    7: (BOTH, ["4"], "yes"),
    8: (AUTHORITY, ["1.75", "2.75"], "depends"),
    9: (NOBODY, ["1.25"], "yes"),
    10: (NOBODY, ["1", "1.5"], "yes"),
    11: (BOTH, ["2", "3"], "depends"),
    12: (BOTH, ["5.5"], "yes"),
    13: (NOBODY, ["1.25"], "yes"),
    14: (BOTH, ["2.5", "3.5"], "depends"),
    15: (NOBODY, ["1.25"], "yes"),
    16: (AUTHORITY, ["1.25", "2.25"], "depends"),
    17: (BOTH, ["3", "4"], "yes"),
    18: (BOTH, ["4"], "yes"),
}


def inputs(*contexts, **more):
    given = {
        "identification": Identification.MAXIMUM,
        "confidentiality": Extent.WHOLLY,
        "integrity": Extent.NONE,
        "availability": Extent.NONE,
        "is_malicious": True,
        "people": 50,
        "recipient": Recipient.TRUSTED,
    }
    return Inputs(contexts or (Context(Category.SIMPLE),), **(given | more))


def score(*contexts, **more):
    return severity_of(inputs(*contexts, **more)).score


def keys(severity):
    return [caution.key for caution in severity.warnings]


def test_the_boards_18_cases_beside_the_score() -> None:
    found = {
        case.number: (case.outcome, [Decimal(one) for one in scores], case.agrees)
        for case, (_, scores, _) in zip(edpb_cases(), THE_BOARDS.values(), strict=True)
    }
    assert found == {
        number: (outcome, [Decimal(one) for one in scores], agrees)
        for number, (outcome, scores, agrees) in THE_BOARDS.items()
    }
    assert [case.number for case in edpb_cases() if case.agrees != "yes"] == [2, 8, 11, 14, 16]
    for case in edpb_cases():
        assert [severity.score for severity in case.severities] == [Decimal(one) for one in THE_BOARDS[case.number][1]]
        assert case.facts.endswith(".")
        assert set(case.readings[0].kinds) <= KINDS.keys()


def test_where_the_score_misleads_a_warning_stands_beside_it() -> None:
    differing = [case for case in edpb_cases() if case.agrees != "yes"]
    assert all(severity.warnings for case in differing for severity in case.severities)
    assert "insider" in keys(edpb_cases()[7].severities[0])
    assert "people" in keys(edpb_cases()[10].severities[0])
    assert {"people", "kinds"} <= set(keys(edpb_cases()[13].severities[0]))
    assert "recipient" in keys(edpb_cases()[15].severities[0])
    assert keys(edpb_cases()[8].severities[0]) == []


def test_the_list_of_a_department_store_by_both_readings() -> None:
    """430,000 names and contact details, taken by attackers: a plain list, or that of a shop for the wealthy."""
    many = {"people": 430_000, "recipient": Recipient.UNKNOWN}
    plain, luxury = (severity_of(inputs(Context(Category.SIMPLE, step), **many)) for step in (0, 1))
    assert (plain.score, plain.level, plain.suggestion) == (Decimal(2), Level.MEDIUM, AUTHORITY)
    assert (luxury.score, luxury.level, luxury.suggestion) == (Decimal(3), Level.HIGH, BOTH)
    assert plain.flags == ("More than 10,000 people are affected.",)
    assert keys(plain) == ["border_2", "people", "recipient"]
    assert luxury.working == (
        f"{LADDERS[Category.SIMPLE].label}: 1 + 1 = 2, because {LADDERS[Category.SIMPLE].steps[1]}.",
        "Ease of identification: 1, because the data says whose it is.",
        "Confidentiality: 0.5, because nobody knows how many saw it, or it was published.",
        "Integrity: 0, because nothing was changed, or it was put right before anybody used it.",
        "Availability: 0, because it was there throughout, or back without difficulty.",
        "Malicious intent: 0.5, because somebody meant to do harm.",
        "2 × 1 + 1 = 3: high (3 to below 4). People meet serious consequences that they overcome with real difficulty.",
    )


def test_the_methods_own_ladders() -> None:
    """ENISA's examples: a supermarket's list, ... undercover officers; blood tests in general, ... their result."""
    expected = {
        "simple": [1, 2, 3, 4],
        "behavioural": [1, 2, 3, 4],
        "financial": [1, 2, 3, 4],
        "sensitive": [1, 2, 3, 4],
    }
    found = {
        category.value: [Context(category, step).points for step in sorted(LADDERS[category].steps)]
        for category in Category
    }
    assert found == expected
    assert score(Context(Category.SIMPLE), Context(Category.FINANCIAL)) == Decimal(4)
    with pytest.raises(ValueError, match=r"^sensitive data is adjusted by one of -3, -2, -1, \+0, not by \+1$"):
        Context(Category.SENSITIVE, 1)
    with pytest.raises(ValueError, match="at least one category"):
        inputs_from(kept(inputs()) | {"contexts": []})


def test_the_score_runs_from_a_quarter_to_six() -> None:
    least = {"identification": Identification.NEGLIGIBLE, "confidentiality": Extent.NONE, "is_malicious": False}
    most = {"integrity": Extent.WHOLLY, "availability": Extent.WHOLLY}
    assert score(**least) == Decimal("0.25")
    assert score(Context(Category.SENSITIVE), **most) == Decimal(6)
    for step, identification in product(LADDERS[Category.SIMPLE].steps, EASE):
        found = severity_of(inputs(Context(Category.SIMPLE, step), identification=identification))
        assert found.score == found.context * found.ease + found.circumstances
        assert found.score % Decimal("0.25") == 0


def test_a_border_belongs_to_the_band_above() -> None:
    levels = [level_of(Decimal(number)) for number in ("1.75", "2", "2.75", "3", "3.75", "4", "6")]
    assert levels == ["low", "medium", "medium", "high", "high", "very_high", "very_high"]


def test_flags_never_change_the_score() -> None:
    flagged = [severity_of(inputs(people=people, is_unintelligible=True)) for people in (100, 101, 10_000, 10_001)]
    assert [len(severity.flags) for severity in flagged] == [1, 2, 2, 2]
    assert [severity.flags[0][:22] for severity in flagged[1:]] == [
        "More than 100 people a",
        "More than 100 people a",
        "More than 10,000 peopl",
    ]
    assert {severity.score for severity in flagged} == {Decimal(2)}


def test_near_a_border_it_warns() -> None:
    assert keys(severity_of(inputs(confidentiality=Extent.NONE, is_malicious=False))) == []
    half_below = severity_of(inputs(confidentiality=Extent.WHOLLY, is_malicious=False))
    assert [caution.sentence for caution in half_below.warnings] == [
        "The score is 0.5 below the border at 2, where medium begins."
    ]
    on_it = severity_of(inputs())
    assert [caution.sentence for caution in on_it.warnings] == ["The score is on the border at 2, where medium begins."]


def test_what_a_score_does_not_see_is_warned_of() -> None:
    def warned(**more):
        quiet = {"confidentiality": Extent.NONE, "is_malicious": False, "recipient": Recipient.NOBODY}
        return keys(severity_of(inputs(**(quiet | more))))

    assert warned() == []
    assert [warned(people=number) for number in (100, 101, None)] == [[], ["people"], ["people"]]
    assert [warned(kinds=frozenset({kind})) for kind in ("health", "national_number", "orders")] == [
        ["kinds"],
        ["kinds"],
        [],
    ]
    assert [warned(recipient=recipient) for recipient in Recipient] == [[], [], ["recipient"], ["recipient"]]
    assert warned(recipient=None, confidentiality=Extent.PARTLY) == ["recipient"]
    assert warned(recipient=None) == []
    assert warned(by_insider=True) == ["insider"]


def test_a_milder_decision_has_to_answer_the_rule_and_every_warning() -> None:
    severity = severity_of(inputs(people=10_001, by_insider=True))
    assert [caution.key for caution in milder_than(severity, NOBODY)] == ["house_rule", "border_2", "people", "insider"]
    assert [caution.key for caution in milder_than(severity, AUTHORITY)] == ["people"]
    assert milder_than(severity, BOTH) == ()
    assert milder_than(severity, NOBODY)[0].sentence == "The house rule suggests more for a medium score of 2."


def test_the_house_rule_is_the_organisations_to_change() -> None:
    strict = dict.fromkeys(Level, BOTH)
    assert severity_of(inputs(), strict).suggestion == BOTH
    assert [HOUSE_RULE[level] for level in Level] == [NOBODY, AUTHORITY, BOTH, BOTH]


def test_what_is_kept_reads_back_the_same() -> None:
    for case in edpb_cases():
        assert [inputs_from(kept(reading)) for reading in case.readings] == list(case.readings)
    assert inputs_from(kept(inputs(recipient=None, people=None))) == inputs(recipient=None, people=None)


def test_the_boards_factors_ask_a_question_each() -> None:
    assert [factor.ask[-1] for factor in FACTORS] == ["?"] * 8
    assert all(factor.raises for factor in FACTORS)
