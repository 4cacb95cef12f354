"""How odd a text looks: whoever reads bytes in the wrong encoding gets letters that no language has together.

Made for names and places, of which a list holds thousands, and too short each for what tells languages apart by words.
"""

import re
import unicodedata
from collections import Counter

# Letters besides a to z of languages in Latin script, as their names need them.
ALPHABETS = [
    set(letters)
    for letters in (
        "àâæçéèêëîïôœùûüÿ",  # French
        "äöüßé",  # German
        "áéíñóúüç",  # Spanish
        "áâãàçéêíóôõúü",  # Portuguese
        "àèéìòù",  # Italian
        "àçèéíïòóúü",  # Catalan
        "åäöé",  # Swedish, Finnish
        "åæøéö",  # Danish, Norwegian
        "áðéíóúýþæö",  # Icelandic
        "ëïéèöüá",  # Dutch
        "ąćęłńóśźż",  # Polish
        "áčďéěíňóřšťúůýž",  # Czech
        "áäčďéíľňóôšťúýž",  # Slovak
        "áéíóöőúüű",  # Hungarian
        "ăâîşţșț",  # Romanian
        "čćđšž",  # Croatian, Slovenian, Bosnian
        "çğıöşüâ",  # Turkish
        "äöõüšž",  # Estonian
        "āčēģīķļņšūž",  # Latvian
        "ąčęėįšųūž",  # Lithuanian
        "ăâđêôơưàáạảãằắặẳẵầấậẩẫèéẹẻẽềếệểễìíịỉĩòóọỏõồốộổỗờớợởỡùúụủũừứựửữỳýỵỷỹ",  # Vietnamese
    )
]
_WORDS = re.compile(r"[^\s,;|\t\"]*[^\x00-\x7f][^\s,;|\t\"]*")


def oddness_of(text: str) -> float:
    """0 for a text as people write it, for each other than ASCII character, so that lengths do not count."""
    words = _WORDS.findall(text)
    signs = [sign for word in words for sign in word if not sign.isascii()]
    odd = sum(map(_oddness_of_word, words)) + _outside_every_alphabet(signs)
    return round(odd / max(len(signs), 1), 2)


def _outside_every_alphabet(signs: list[str]) -> int:
    """How many Latin letters remain, as the best fitting language has it."""
    latin = Counter(sign.lower()[0] for sign in signs if _script(sign) == "LATIN")
    return min(sum(times for letter, times in latin.items() if letter not in alphabet) for alphabet in ALPHABETS)


def _oddness_of_word(word: str) -> float:
    """Controls, signs beside letters, capitals after small letters, two scripts in one word, no capital in front."""
    odd, before, scripts = 0.0, "", set()
    for place, sign in enumerate(word):
        kind = unicodedata.category(sign)
        if not sign.isascii():
            odd += 0.3 * (kind == "Mn" and _script(sign) == "COMBINING")
            odd += 3 * (kind in ("Cc", "Co", "Cn")) + (kind[0] in "SNPZ")
        if kind == "Mn" and _script(sign) != "COMBINING":
            scripts.add(_script(sign))
        if kind[0] == "L" and kind != "Lm":
            scripts.add(_script(sign))
            odd += before == "Ll" and kind == "Lu" and not (sign.isascii() and word[place - 1].isascii())
            odd += 0.2 * (place == 0 and kind == "Ll" and not sign.isascii())
        before = kind
    return odd + 2 * max(len(scripts) - 1, 0)


def _script(sign: str) -> str:
    if sign.isascii():
        return "LATIN" if sign.isalpha() else ""
    first = unicodedata.name(sign, "?").split()[0]
    return "HAN OR KANA" if first in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else first
