"""Thirty notices with one fault each are blocked by the check it belongs to; thirty good ones pass."""

import re
from dataclasses import dataclass, replace

import pytest

from breachdesk.embedded.story import words
from notifications.laws import Laws, Told, laws_for, places_of
from notifications.lint.clarity import ease_of
from notifications.lint.contents import CONTENTS
from notifications.lint.passages import Passage, Text
from notifications.starters import LANGUAGES, STARTERS
from tests.notifications.noticing import AUSTRALIA, CALIFORNIA, Case, demo_sender, draft, fault_keys, findings


@dataclass(frozen=True)
class Bad:
    """`old` of a good draft becomes `new`; the one check that fails because of it."""

    language: str
    check: str
    old: str = ""
    new: str = ""
    subject: str = ""
    case: Case | None = None
    starter: str = "supplier_contact"


END = r"\Z"
CALIFORNIAN = Case(laws=(CALIFORNIA,))
BAD = [
    # the law
    Bad("en", "law.general_description", r" \(\(covers what happened\)\)", ""),
    Bad("fr", "law.likely_consequences", r" \(\(covers what could happen\)\)", ""),
    Bad("de", "law.actions_taken_by_entity", r" \(\(covers what we do\)\)", ""),
    Bad("en", "law.gdpr_34_2_contact", r"\(\(dpo name\)\)", "the officer"),
    Bad("de", "law.steps_individual_can_take", r" \(\(covers what you can do\)\)", ""),
    Bad("en", "law.likely_consequences", r"Somebody who (.*?) \(\(covers what could happen\)\)",
        r"((identity document??Somebody who \1 ((covers what could happen))))"),
    Bad("en", "law.heading.likely_consequences", "## What could happen",
        "## What could happen ((covers what could happen))"),
    Bad("en", "law.prescribed_headings", "## What We Are Doing", "## Our Work", case=CALIFORNIAN, starter="california"),
    Bad("en", "law.prescribed_title", "# Notice of Data Breach", "# A Notice", subject="A data breach",
        case=CALIFORNIAN, starter="california"),
    Bad("en", "law.date_of_notice", r" \(\(covers day of this notice\)\)", "", case=CALIFORNIAN, starter="california"),
    # true
    Bad("en", "true.older.18,200", END, "\nIt concerns 18,200 people.\n"),
    Bad("fr", "true.older.18 200", END, "\nCela concerne 18 200 personnes.\n"),
    Bad("en", "true.older.21 September 2026", "25 September 2026", "21 September 2026"),
    Bad("de", "true.older.21. September 2026", "25. September 2026", "21. September 2026"),
    Bad("en", "true.older.Corvane Loyalty", r"\(\(processor\)\)", "Corvane Loyalty"),
    Bad("en", "true.taken.identity_document", END, "\nYour passport was copied too.\n"),
    Bad("de", "true.taken.birth_date", END, "\nAuch Ihr Geburtsdatum wurde kopiert.\n"),
    Bad("fr", "true.not_taken.identity_document", END, "\nVotre passeport n’a pas été copié.\n"),
    Bad("en", "true.not_taken.identity_document", END, "\nNo passports were taken.\n"),
    # not a scam
    Bad("en", "scam.from", case=Case().with_sender(email="notices@breach-mailer.example")),
    Bad("en", "scam.reply", case=Case().with_sender(reply_to="help@call-centre.example")),
    Bad("en", "scam.asks.confirm your ", END, "\nPlease confirm your details by answering.\n"),
    Bad("fr", "scam.asks.cliquez", END, "\nCliquez sur le lien.\n"),
    Bad("de", "scam.asks.klicken sie", END, "\nKlicken Sie auf den Link.\n"),
    Bad("en", "scam.hurries.within 24 hours", END, "\nCall us within 24 hours.\n"),
    Bad("de", "scam.hurries.sofort", END, "\nRufen Sie sofort an.\n"),
    Bad("en", "scam.asks.confirm your ", END, "\nDo not wait: confirm your details.\n"),
    Bad("fr", "scam.asks.confirmez vos", subject="Confirmez vos informations"),
    Bad("en", "true.taken.identity_document", subject="Your passport was stolen"),
    Bad("en", "true.older.18,200", subject="18,200 people are concerned"),
    Bad("en", "scam.shouts", subject="IMPORTANT: your details"),
    Bad("en", "scam.link.https://bit.ly/abc", END, "\n[Read more](https://bit.ly/abc)\n"),
    Bad("en", "scam.words.https://halden-rowe.example/a", END, "\n[bank.example](https://halden-rowe.example/a)\n"),
    Bad("en", "scam.genuine", r"If you are not sure .*?message\.", "Goodbye."),
    Bad("fr", "scam.genuine", r"Si vous doutez .*?message\.", "Bien à vous."),
    Bad("en", "scam.letters.passwоrds", "passwords and payment|Passwords and payment", "Your passwоrds and payment"),
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.language} {bad.check}")
def test_one_fault_is_blocked_by_its_check(bad: Bad) -> None:
    subject, body = draft(bad.language, bad.starter)
    changed = re.sub(bad.old, bad.new, body, count=1, flags=re.DOTALL) if bad.old else body
    assert changed != body or not bad.old, "nothing was made worse"
    assert set(fault_keys(bad.language, bad.subject or subject, changed, bad.case)) == {bad.check}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("starter", STARTERS)
def test_good_ones_pass_and_cover_what_they_say(starter: str, language: str) -> None:
    subject, body = draft(language, starter)
    assert fault_keys(language, subject, body) == []
    laws = (CALIFORNIA, *Case().laws) if starter == "california" else Case().laws
    found = findings(language, subject, body, Case(laws=laws))
    covered = {one.key.removeprefix("law.") for one in found if one.group == "law" and not one.is_fault}
    marked = {key for key, content in CONTENTS.items() if f"covers {content.word}" in body}
    assert set(STARTERS[starter].covers) <= covered | marked
    assert {one.level for one in found if one.key == "clear.grade"} == {"yes"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_starter_and_the_demos_own_notices_pass_with_the_demos_facts(language: str) -> None:
    kinds = frozenset(words.LOST_LIST["kinds"])
    case = Case(laws=(), combinations={kinds: 3, frozenset({"name", "email"}): 2}, sender=demo_sender())
    texts = [draft(language, starter) for starter in STARTERS] + [words.notice_text(language)]
    texts += [words.handheld_notice()] if language == "en" else []
    assert [fault_keys(language, subject, body, case) for subject, body in texts] == [[]] * len(texts)


def test_a_law_asks_only_where_people_of_the_list_live() -> None:
    told = Laws((Told(CALIFORNIA, frozenset({"US-CA"})), Told(AUSTRALIA, frozenset({"AU"}))))
    residents = places_of([("US", "CA", 4), ("US", "TX", 2), ("GB", "", 9)])
    assert residents == {"US": 6, "US-CA": 4, "US-TX": 2, "GB": 9}
    assert laws_for(told, residents) == [CALIFORNIA]
    assert laws_for(told, {}) == []


def test_what_is_not_owed_for_certain_asks_and_does_not_block() -> None:
    subject, body = draft("en")
    case = Case(laws=(replace(CALIFORNIA, is_owed=False),))
    found = [one for one in findings("en", subject, body, case) if one.key == "law.prescribed_headings"]
    assert [one.level for one in found] == ["look"]
    assert found[0].note.startswith("If it applies, which is not decided yet")


def test_a_reading_grade_is_that_of_its_formula() -> None:
    """Twenty-four words in four sentences: 24 syllables in English, counted by hand."""
    text = Text("en", "", (Passage(1, text="The cat sat on the mat. " * 4),))
    ease = ease_of(text)
    assert ease is not None
    assert (ease.grade, ease.score, ease.longest) == (1, round(206.835 - 1.015 * 6 - 84.6), 6)
    assert ease_of(Text("pl", "", text.passages)) is None
    hard = "Notwithstanding organisational considerations, authorities investigate irregularities immediately. "
    harder = ease_of(Text("en", "", (Passage(1, text=hard * 4),)))
    assert harder is not None
    assert harder.grade > 20


def test_what_a_never_forbids_is_no_request() -> None:
    subject, body = draft("en")
    assert fault_keys("en", subject, f"{body}\nWe will never ask you to confirm your password.\n") == []


def test_what_only_its_own_people_read_is_true_of_them() -> None:
    subject, body = draft("en")
    assert fault_keys("en", subject, f"{body}\n((identity document??Your passport was copied too.))\n") == []


def test_what_equals_a_fact_is_tied_and_what_equals_none_is_stated_by_the_author_alone() -> None:
    subject, body = draft("en")
    body += "\nIt concerns 24,937 people. Mr Bertram Quill leads the work since 3 May 2026.\n"
    found = {one.key: one.level for one in findings("en", subject, body) if one.group == "true"}
    assert found["true.tied.24,937"] == "yes"
    assert found["true.tied.25 September 2026"] == "yes"
    assert found["true.alone.3 May 2026"] == "look"
    assert found["true.alone.Mr Bertram Quill"] == "look"


def test_clear_advises_with_lines_and_never_blocks() -> None:
    subject, body = draft("en")
    body += "\nYour data may have been seen, potentially.\n\n" + "It is so that " * 9 + "it goes on.\n"
    found = [one for one in findings("en", subject, body) if one.group == "clear"]
    lines = body.count("\n")
    assert {one.line for one in found if one.key.startswith("clear.hedge")} == {lines - 2}
    assert {one.line for one in found if one.key.startswith("clear.long")} >= {lines}
    assert not any(one.is_fault for one in found)


def test_a_suggestion_is_one_for_everybody() -> None:
    subject, body = draft("en")
    without = body.replace(" ((covers what could happen))", "")
    [fault] = [one for one in findings("en", subject, without) if one.is_fault]
    assert without.split("\n")[fault.suggested - 1].startswith("Somebody who has these details")
