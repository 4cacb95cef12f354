"""Every story of stories.py over the whole catalogue: who is told, who is not, and what decides the rest."""

import pytest

from regulators.obligations import Obligation, obligations_of
from tests.regulators.laws import book
from tests.regulators.stories import STORIES
from tests.regulators.telling import Story


def called(one: Obligation) -> str:
    return f"{one.regime.id} {one.place or '*'} {one.duty.id}"


def listed(duties: str) -> set[str]:
    return {duty.strip() for duty in duties.split(",")} - {""}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_story(story: Story) -> None:
    answer = obligations_of(story.facts, book(), story.moment)
    found = {called(one): one for one in answer.obligations}
    assert len(found) == len(answer.obligations)
    assert {name for name, one in found.items() if one.verdict == "owed"} == listed(story.owed)
    assert {name for name, one in found.items() if one.verdict == "undecided"} == listed(story.undecided)
    assert {name: found[name].missing for name in story.missing} == story.missing
    heard = {name: found[name].supervisor for name in story.heard_by}
    assert {name: one.id if one else "" for name, one in heard.items()} == story.heard_by
    assert tuple(place for place, _ in answer.not_in_catalogue) == story.outside
    assert tuple(one.regime.id for one in answer.later_versions) == story.later
    assert all(one.because and one.reasons for one in answer.obligations)


def test_a_company_in_germany_chooses_among_the_sixteen_of_the_laender() -> None:
    story = next(story for story in STORIES if story.name.startswith("somewhere in Germany"))
    answer = obligations_of(story.facts, book(), story.moment)
    found = next(one for one in answer.obligations if called(one) == "eu_gdpr DE authority")
    laender = ["bb", "be", "bw", "by_lda", "hb", "he", "hh", "mv", "ni", "nw", "rp", "sh", "sl", "sn", "st", "th"]
    assert sorted(one.id for one in found.candidates) == [f"de_{land}" for land in laender]


def test_there_are_forty_stories_and_one_of_forty_countries() -> None:
    assert len({story.name for story in STORIES}) == len(STORIES) >= 40
    assert max(len({place[:2] for place in story.facts.residents}) for story in STORIES) >= 40
