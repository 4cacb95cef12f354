"""How hard it reads: advice that never blocks. Years of schooling, hedging, the passive, long sentences.

Sources: Flesch-Kincaid grade (Kincaid et al. 1975) for English; Flesch's formula as fitted to French by Kandel and
Moles (1958) and to German by Amstad (1978), read as years of school by the bands of his scale (1949). Syllables are
counted by pyphen's points of hyphenation plus one; in English, where these miss many, by groups of vowels without
silent ones. No formula is known to us to hold for other languages: then none is shown. `textstat` has the same ones;
it is not used, because it takes 60 MB and for English fetches a word list from the network.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pyphen

from notifications.lint import Finding, Level
from notifications.lint.passages import Text

AIM = 9
"""Years of school that are enough for a text most people can read."""
LONG = {"en": 25, "fr": 28, "de": 22}
"""Words of a sentence."""
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_SILENT = re.compile(r"(?<=[^aeiouyl])e$|(?<=[^aeiouytd])ed$|(?<=[^aeiouyszxhlc])es$")
_HYPHENATED_AS = {"en": "en_US", "fr": "fr", "de": "de_DE"}
_BANDS = ((90, 5), (80, 6), (70, 7), (60, 9), (50, 12), (30, 15))
_HEDGES = {
    "en": r"\b(?:may have been|might have been|could have been|potentially|possibly|it is possible that|we believe|"
    r"appears? to|some combination of|out of an abundance of caution|no evidence)\b",
    "fr": r"\b(?:pourrai\w+ avoir été|potentiellement|éventuellement|il est possible que|il semble\w*|par précaution|"
    r"aucune preuve)\b",
    "de": r"\b(?:möglicherweise|eventuell|unter Umständen|vermutlich|könnten? \w+ worden sein|anscheinend|"
    r"vorsorglich|keine Hinweise)\b",
}
_PASSIVE = {
    "en": r"\b(?:was|were|been|being|is|are)\s+(?:\w+ly\s+)?(?:\w{3,}ed|taken|stolen|seen|lost|sent|made|"
    r"done|known|given)\b",
    "fr": r"\b(?:a|ont|avait|avaient) été\s+\w+(?:é|i|u|is|it)e?s?\b",
    "de": r"\b(?:wurden?|worden)\b",
}
MANY_PASSIVES = 4


@dataclass(frozen=True)
class Ease:
    """`grade` in years of school, rounded; `score` on Flesch's scale, where more is easier."""

    grade: int
    score: int
    longest: int


def ease_of(text: Text) -> Ease | None:
    """None for a language without a formula, or for too few words to say anything."""
    running = [passage for passage in text.passages if passage.shape != "heading"]
    sentences = [sentence for passage in running for _, sentence in passage.sentences()]
    counted = [words for sentence in sentences if (words := _WORD.findall(sentence))]
    words = [word for one in counted for word in one]
    if text.language not in _HYPHENATED_AS or len(words) < 20:
        return None
    length = len(words) / len(counted)
    syllables = sum(_syllables(word, text.language) for word in words) / len(words)
    score = {
        "en": 206.835 - 1.015 * length - 84.6 * syllables,
        "fr": 207 - 1.015 * length - 73.6 * syllables,
        "de": 180 - length - 58.5 * syllables,
    }[text.language]
    grade = 0.39 * length + 11.8 * syllables - 15.59 if text.language == "en" else _grade_of(score)
    return Ease(max(1, round(grade)), round(score), max(map(len, counted)))


def _grade_of(score: float) -> int:
    return next((grade for least, grade in _BANDS if score >= least), 17)


@cache
def _hyphenator(language: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=_HYPHENATED_AS[language])


def _syllables(word: str, language: str) -> int:
    word = word.lower()
    if language == "en":
        return max(1, len(re.findall(r"[aeiouy]+", _SILENT.sub("", word))))
    return len(_hyphenator(language).positions(word)) + 1


def clarity_findings(text: Text) -> list[Finding]:
    return [*_ease(text), *_hedging(text), *_passive(text), *_long(text)]


def _ease(text: Text) -> Iterator[Finding]:
    ease = ease_of(text)
    if ease is None:
        yield Finding("clear.grade", Level.LOOK, "No reading grade: no formula for this language, or too few words")
        return
    level = Level.GOOD if ease.grade <= AIM else Level.LOOK
    sentence = f"About {ease.grade} years of school are needed to read it"
    yield Finding("clear.grade", level, sentence, f"Aim: {AIM} or fewer. The longest sentence has {ease.longest} words")


def _hedging(text: Text) -> Iterator[Finding]:
    for passage in text.passages:
        for found in re.finditer(_HEDGES.get(text.language, r"(?!)"), passage.text, re.IGNORECASE):
            sentence = f"“{found[0]}” hedges."
            note = "Say what is known, what is not, and when you will say more"
            yield Finding(f"clear.hedge.{passage.line}", Level.LOOK, sentence, note, passage.line)


def _passive(text: Text) -> Iterator[Finding]:
    pattern = _PASSIVE.get(text.language, r"(?!)")
    found = [(p.line, m[0]) for p in text.passages for m in re.finditer(pattern, p.text, re.IGNORECASE)]
    if len(found) >= MANY_PASSIVES:
        lines = ", ".join(map(str, sorted({line for line, _ in found})))
        sentence = f"{len(found)} times the passive: who did it?"
        yield Finding("clear.passive", Level.LOOK, sentence, f"Lines {lines}", found[0][0])


def _long(text: Text) -> Iterator[Finding]:
    most = LONG.get(text.language, 25)
    for passage in text.passages:
        for _, sentence in passage.sentences():
            if (words := len(_WORD.findall(sentence))) > most:
                yield Finding(
                    f"clear.long.{passage.line}",
                    Level.LOOK,
                    f"A sentence of {words} words.",
                    "Make two of it",
                    passage.line,
                )
