"""What holds of every answer, whatever the law and the facts. Laws are made of the parts a rule may have."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from regulators.catalogue import FOLDER
from regulators.catalogue.loading import read_catalogue
from regulators.catalogue.rules import Recipient
from regulators.facts import Count, Facts
from regulators.obligations import Answer, Verdict, obligations_of
from regulators.rulebook import rulebook_of
from tests.regulators.made_laws import AWARE, book, duty, gdpr, known, law
from tests.regulators.telling import KNOWN

few = settings(max_examples=30, deadline=None, derandomize=True, database=None)

PLACES = ("FR", "DE", "GB", "JP", "CA", "CA-QC", "US", "US-TX", "US-OH", "MO")
KINDS = ("email", "health", "payment_card", "national_number", "name")
BASES = ("residents", "established", "established_or_targets", "carries_on_business", "uses_local_means", "in_sector")
RISKS = ("unlikely", "risk", "high")
RANK = [Verdict.NOT_OWED, Verdict.UNDECIDED, Verdict.OWED]

# Tests that more people and worse data can only bring nearer: what the laws' own thresholds are made of.
counted = st.builds(
    lambda fact, word, number: {"fact": fact, word: number},
    st.sampled_from(["people.residents", "people.all", "people.most_in_one_state", "people.told_there"]),
    st.sampled_from(["at_least", "more_than"]),
    st.integers(1, 30),
)
included = st.builds(
    lambda kinds: {"fact": "data.kinds", "includes_any": sorted(kinds)},
    st.sets(st.sampled_from(KINDS), min_size=1, max_size=3),
)
stated = st.sampled_from(
    [
        {"fact": "harm.serious", "is": True},
        {"fact": "breach.is_attack", "is": True},
        {"fact": "risk.level", "is_one_of": ["risk", "high"]},
        {"not": {"fact": "data.unreadable", "is": True}},
    ]
)
tests = st.recursive(
    counted | included | stated,
    lambda part: st.builds(
        lambda word, parts: {word: parts}, st.sampled_from(["all", "any"]), st.lists(part, min_size=1, max_size=3)
    ),
    max_leaves=4,
)
duties = st.builds(
    lambda when, tell: duty(tell, when=when), tests, st.sampled_from(["authority", "people", "controller"])
)


@st.composite
def laws(draw):
    places = draw(st.lists(st.sampled_from(PLACES[:-1]), min_size=1, max_size=3, unique=True))
    asked = draw(st.lists(duties, min_size=1, max_size=2, unique_by=lambda one: one["id"]))
    more = {"one_stop_shop": True} if len(places) > 1 and draw(st.booleans()) else {}
    name = f"law_{draw(st.integers(0, 99))}"
    return law(name, places, draw(st.sampled_from(BASES)), asked, concerns=draw(st.none() | tests), **more)


books = st.lists(laws(), min_size=1, max_size=3, unique_by=lambda regime: regime.id).map(
    lambda found: book(*found, gdpr())
)
some_places = st.none() | st.frozensets(st.sampled_from(PLACES), max_size=3)
numbers = st.integers(0, 40)
counts = numbers | st.builds(lambda low, more: Count(low, low + more), numbers, numbers)


@st.composite
def cases(draw) -> Facts:
    told = {
        "harm.serious": draw(st.none() | st.booleans()),
        "breach.is_attack": draw(st.none() | st.booleans()),
        "data.unreadable": draw(st.none() | st.booleans()),
        "risk.level": draw(st.none() | st.sampled_from(RISKS)),
    }
    return known(
        role=draw(st.sampled_from(["controller", "joint", "processor", None])),
        kinds=draw(st.frozensets(st.sampled_from(KINDS), max_size=3)),
        kinds_uncertain=draw(st.booleans()),
        known={key: value for key, value in told.items() if value is not None},
        residents=draw(st.dictionaries(st.sampled_from(PLACES), counts, max_size=5)),
        without_country=draw(st.sampled_from([0, 0, 3])),
        people_all=draw(st.none() | st.integers(0, 200)),
        established_in=draw(some_places),
        main_establishment=draw(st.none() | st.sampled_from(["FR", "DE", "GB"])),
        targets=draw(some_places),
        sectors=draw(st.none() | st.sampled_from([frozenset(), frozenset({"bank"})])),
    )


def authority_duties(found: Answer) -> dict[tuple[str, str, str], int]:
    return {
        (one.regime.id, one.duty.id, one.place): RANK.index(one.verdict)
        for one in found.obligations
        if one.duty.tell == Recipient.AUTHORITY
    }


def and_more(count, people):
    low, high = Count.of(count)
    return Count(low + people, None if high is None else high + people)


@few
@given(books, cases(), st.sampled_from(PLACES), st.integers(1, 40), st.frozensets(st.sampled_from(KINDS)))
def test_more_people_or_worse_data_never_removes_an_authoritys_duty(rules, facts, place, people, kinds) -> None:
    residents = {**facts.residents, place: and_more(facts.residents.get(place, 0), people)}
    if "-" in place:
        residents[place[:2]] = and_more(facts.residents.get(place[:2], 0), people)
    worse = {"harm.serious": True, "breach.is_attack": True, "data.unreadable": False, "risk.level": "high"}
    all_of_them = None if facts.people_all is None else facts.people_all + people
    grown = replace(
        facts,
        residents=residents,
        people_all=all_of_them,
        kinds=facts.kinds | kinds if facts.kinds else facts.kinds,
        known={key: worse[key] for key in facts.known},
    )
    before = authority_duties(obligations_of(facts, rules, AWARE))
    after = authority_duties(obligations_of(grown, rules, AWARE))
    assert {key: after.get(key, -1) for key, rank in before.items() if after.get(key, -1) < rank} == {}


@few
@given(books, cases(), st.randoms(use_true_random=False))
def test_every_answer_gives_its_reasons_in_one_order_and_passes_nobody_over(rules, facts, shuffle) -> None:
    found = obligations_of(facts, rules, AWARE)
    for one in found.obligations:
        says_why(one)
    keys = [(one.regime.id, one.place, one.duty.id) for one in found.obligations]
    assert [name for name, _, _ in keys] == sorted(name for name, _, _ in keys)
    assert len(set(keys)) == len(keys)
    assert obligations_of(*shuffled(facts, rules, shuffle), AWARE) == found
    named = {place for place, _ in found.not_in_catalogue}
    for place, count in facts.residents.items():
        assert Count.of(count).high == 0 or place in named or rules.knows(place)
    assert found.without_country == Count.of(facts.without_country)


def says_why(one) -> None:
    assert one.reasons
    assert all(reason.sentence.endswith(".") and reason.part for reason in one.reasons)
    assert one.because.endswith(".")
    met = {reason.met for reason in one.reasons}
    if one.verdict == Verdict.UNDECIDED:
        assert one.missing
        assert None in met
    else:
        assert (False in met) == (one.verdict == Verdict.NOT_OWED)


def shuffled(facts, rules, shuffle):
    def mixed(items):
        items = list(items)
        shuffle.shuffle(items)
        return items

    known_otherwise = dict(mixed(facts.known.items()))
    facts = replace(facts, residents=dict(mixed(facts.residents.items())), known=known_otherwise)
    return facts, replace(rules, regimes=tuple(mixed(rules.regimes)))


RULES = rulebook_of(read_catalogue(FOLDER))
EVERYWHERE = sorted({place for regime in RULES.regimes for place in regime.places})
WORST = {key: key.startswith(("breach.", "harm.", "us.hipaa")) for key in KNOWN} | {"risk.level": "risk"}
MILDER = {key: False for key, is_so in WORST.items() if is_so is True} | {
    "data.unreadable": True,
    "risk.level": "unlikely",
}


def told_everywhere(people: int, taken: frozenset[str], **otherwise) -> dict[tuple[str, str], int]:
    """By law and place, the surest duty to its authority. Every law reaches us, so that none is only undecided."""
    facts = known(
        residents=dict.fromkeys(EVERYWHERE, people) | {"US": people * 60, "CA": people * 3},
        people_all=people * 60,
        told=people * 60,
        kinds=taken,
        established_in=frozenset(),
        reach=dict.fromkeys(RULES.laws, True),
        known=WORST | otherwise,
    )
    answer = obligations_of(facts, RULES, AWARE)
    for one in answer.obligations:
        says_why(one)
    found: dict[tuple[str, str], int] = {}
    for (law_id, _, place), rank in authority_duties(answer).items():
        found[law_id, place] = max(rank, found.get((law_id, place), 0))
    return found


KINDS_IN_STEPS = ["name", "email", "password", "payment_card", "national_number", "health", "biometric"]


def test_no_law_of_the_catalogue_lets_its_authority_go_for_more_people_or_more_data() -> None:
    """Everywhere at once, in steps over the thresholds; by whichever of a law's duties the authority hears of it."""
    before: dict[tuple[str, str], int] = {}
    for step, people in enumerate((1, 49, 50, 249, 250, 499, 500, 501, 1000, 1001, 5001, 10001)):
        after = told_everywhere(people, frozenset(KINDS_IN_STEPS[: 1 + step]))
        assert {key: after.get(key) for key, rank in before.items() if after.get(key, -1) < rank} == {}
        before = after
    assert sum(rank == RANK.index(Verdict.OWED) for rank in before.values()) > 100


def test_no_law_of_the_catalogue_lets_its_authority_go_for_a_worse_answer() -> None:
    taken = frozenset(KINDS_IN_STEPS)
    worst, let_go = told_everywhere(600, taken), set()
    for fact, milder in MILDER.items():
        mild = told_everywhere(600, taken, **{fact: milder})
        let_go |= {(fact, law_id) for (law_id, place), rank in mild.items() if worst.get((law_id, place), -1) < rank}
    # Alaska's hears of a breach only where no misuse is expected, and the people then do not.
    assert let_go == {("harm.misuse_likely", "us_ak")}
