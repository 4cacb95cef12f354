from itertools import product

import pytest
from pydantic import TypeAdapter

from regulators import fact_words
from regulators.catalogue.conditions import Test
from regulators.deciding import Decision, Here, People, all_of, any_of, decide, decided, negated
from regulators.facts import Count
from tests.regulators.made_laws import known

TEST = TypeAdapter(Test)
THREE = (True, None, False)


def decision(test, place="US-TX", **facts) -> Decision:
    return decide(TEST.validate_python(test), Here(People(known(**facts)), place, "Texas"))


def sentence(test, **facts):
    (reason,) = decision(test, **facts).reasons
    return reason.sentence


def test_all_any_and_not_are_kleenes() -> None:
    def part(value, fact):
        return decided("A fact.", value, fact)

    for one, other in product(THREE, THREE):
        both, either = (join([part(one, "a.one"), part(other, "a.other")]) for join in (all_of, any_of))
        assert both.met is (False if False in (one, other) else None if None in (one, other) else True)
        assert either.met is (True if True in (one, other) else None if None in (one, other) else False)
        undecided = tuple(fact for fact, value in (("a.one", one), ("a.other", other)) if value is None)
        assert both.missing == (undecided if both.met is None else ())
        assert either.missing == (undecided if either.met is None else ())
        assert all((both.reasons, either.reasons))
    assert [negated(part(value, "a.one")).met for value in THREE] == [False, None, True]
    assert negated(part(None, "a.one")).missing == ("a.one",)


@pytest.mark.parametrize(
    ("test", "below", "at", "above"),
    [
        ({"at_least": 250}, False, True, True),
        ({"more_than": 250}, False, False, True),
        ({"fewer_than": 250}, True, False, False),
    ],
    ids=str,
)
def test_a_threshold_is_compared_as_the_rule_words_it(test, below, at, above) -> None:
    rule = {"fact": "people.residents"} | test
    met = [decision(rule, residents={"US-TX": people}).met for people in (249, 250, 251)]
    assert met == [below, at, above]


def test_a_range_that_holds_the_threshold_is_undecided() -> None:
    rule = {"fact": "people.residents", "at_least": 250}
    cases = {Count(200, 249): False, Count(200, 250): None, Count(250, 300): True, Count(0, None): None}
    for count, met in cases.items():
        found = decision(rule, residents={"US-TX": count})
        assert (found.met, found.missing) == (met, () if met is not None else ("people.residents",))


def test_people_without_a_country_or_a_state_make_a_count_a_range() -> None:
    rule = {"fact": "people.residents", "at_least": 250}
    assert decision(rule, residents={"US": 249, "US-TX": 249}).met is False
    without_country = decision(rule, residents={"US": 249, "US-TX": 249}, without_country=1)
    assert (without_country.met, without_country.missing) == (None, ("people.country_missing",))
    without_state = decision(rule, residents={"US": 250, "US-TX": 249})
    assert (without_state.met, without_state.missing) == (None, ("people.part_missing",))


def test_other_numbers_of_people() -> None:
    residents = {"US": 900, "US-TX": 500, "US-OH": 400, "FR": 100}

    def met(fact, **more):
        return decision({"fact": fact, "more_than": 499}, residents=residents, **more).met

    assert met("people.most_in_one_state") is True
    assert decision({"fact": "people.most_in_one_state", "more_than": 500}, residents=residents).met is False
    assert met("people.all") is True
    assert decision({"fact": "people.all", "more_than": 1000}, residents=residents).met is None
    assert decision({"fact": "people.all", "more_than": 1000}, residents=residents, people_all=1000).met is False
    assert met("people.told", people_all=1000) is None
    assert met("people.told", people_all=1000, told=499) is False
    assert met("people.told_there") is None
    assert decision({"fact": "people.told_there", "more_than": 500}, residents=residents).met is False
    assert met("people.minors", people_all=1000, minors=500) is True
    assert met("people.country_missing", without_country=500) is True
    with pytest.raises(KeyError, match=r"people\.unheard_of is not a number"):
        met("people.unheard_of")


def test_kinds_of_data() -> None:
    rule = {"fact": "data.kinds", "includes_any": ["bank_account", "payment_card"]}
    assert decision(rule).missing == ("data.kinds",)
    assert decision(rule, kinds=frozenset({"email"})).met is False
    assert decision(rule, kinds=frozenset({"email"}), kinds_uncertain=True).met is None
    assert decision(rule, kinds=frozenset({"email", "payment_card"}), kinds_uncertain=True).met is True


def test_whatever_kind_of_data_was_taken_it_is_personal() -> None:
    rule = {"fact": "breach.personal_data", "is": True}
    assert decision(rule).met is None
    assert decision(rule, kinds=frozenset({"orders"})).met is True
    assert decision(rule, kinds=frozenset({"orders"}), known={"breach.personal_data": False}).met is False


def test_a_country_has_no_fewer_people_than_its_parts() -> None:
    rule = {"fact": "people.residents", "at_least": 5}
    assert decision(rule, "US", residents={"US-TX": 3, "US-OH": 2}).met is True


def test_a_choice_may_be_narrowed_and_not_made() -> None:
    rule = {"fact": "risk.level", "is_one_of": ["risk", "high"]}
    cases = {"high": True, "unlikely": False, frozenset({"risk", "high"}): True, frozenset({"unlikely", "risk"}): None}
    assert {value: decision(rule, known={"risk.level": value}).met for value in cases} == cases
    assert decision(rule).missing == ("risk.level",)


def test_a_yes_or_no() -> None:
    for asked, stated in product((True, False), (True, False)):
        assert decision({"fact": "harm.serious", "is": asked}, known={"harm.serious": stated}).met is (asked == stated)
    assert decision({"fact": "harm.serious", "is": False}).missing == ("harm.serious",)


def test_only_what_decided_is_the_reason() -> None:
    attack, serious = {"fact": "breach.is_attack", "is": True}, {"fact": "harm.serious", "is": True}
    facts = {"breach.is_attack": True, "harm.serious": False}
    assert [reason.fact for reason in decision({"all": [attack, serious]}, known=facts).reasons] == ["harm.serious"]
    assert [reason.fact for reason in decision({"any": [attack, serious]}, known=facts).reasons] == ["breach.is_attack"]
    turned = decision({"not": attack}, known=facts)
    assert [(reason.fact, reason.met) for reason in turned.reasons] == [("breach.is_attack", False)]


def test_reasons_are_sentences() -> None:
    residents = {"fact": "people.residents", "at_least": 250}
    kinds = {"fact": "data.kinds", "includes_any": ["bank_account", "payment_card"]}
    taken = frozenset({"email"})
    assert [
        sentence(residents, residents={"US-TX": 1412}),
        sentence(residents, residents={"US-TX": 1}),
        sentence(residents),
        sentence(residents, residents={"US-TX": Count(200, 300)}),
        sentence({"fact": "people.told_there", "more_than": 1000}, residents={"US-TX": 412}),
        sentence(kinds, kinds=frozenset({"payment_card", "bank_account"})),
        sentence(kinds, kinds=taken),
        sentence(kinds, kinds=taken, kinds_uncertain=True),
        sentence({"fact": "harm.serious", "is": True}, known={"harm.serious": False}),
        sentence({"fact": "harm.serious", "is": True}),
        sentence({"fact": "risk.level", "is_one_of": ["high"]}, known={"risk.level": "unlikely"}),
        sentence({"fact": "risk.level", "is_one_of": ["high"]}),
    ] == [
        "1,412 affected people live in Texas; 250 or more are needed.",
        "1 affected person lives in Texas; 250 or more are needed.",
        "No affected people live in Texas; 250 or more are needed.",
        "200 to 300 affected people live in Texas; 250 or more are needed.",
        "At most 412 people living in Texas are told; more than 1,000 are needed.",
        "Bank account and payment card were among the data taken.",
        "None of these was among the data taken: bank account or payment card.",
        "It is not certain yet whether bank account or payment card was among the data taken.",
        "Serious harm to people is not likely.",
        "Not stated yet: whether serious harm to people is likely.",
        "The risk to people was decided to be unlikely.",
        "Not stated yet: the decision how high the risk to people is.",
    ]


def test_every_fact_a_rule_may_test_has_words() -> None:
    for fact in fact_words.labels():
        said = [fact_words.missing_words(fact), *(fact_words.yes_no(fact, value) for value in (True, False, None))]
        assert not [sentence for sentence in said if "_" in sentence or fact in sentence], fact
    assert fact_words.missing_words("reach.eu_gdpr", "the GDPR") == "whether the GDPR reaches us"
    assert fact_words.missing_words("supervisor.DE") == "which of the authorities there hears us"
