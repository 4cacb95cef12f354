"""Letters that do not belong into a person's data: what does not print, what was read wrongly, codes of web pages, and
what a spreadsheet program leaves where a value was.
"""

import re
from html.entities import name2codepoint

# Controls, private use, halves of letters, and what turns the direction of text or shows nothing. The joiners U+200C
# and U+200D stay: names need them; and so do variation selectors.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e007f]"
)
_AROUND = " \t\r\n\u00a0\u3000"
_LINE_BREAKS = re.compile("[\t\r\n]")

# UTF-8 read as Windows-1252: the first byte shows as one of these letters, each further one as a sign that never
# stands behind it in a word. Ã¼ for ü, Î± for α, â€™ for an apostrophe, æ—¥ for 日.
_FURTHER = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_MISREAD = re.compile(f"[\u00c2-\u00c5\u00ce-\u00d1]{_FURTHER}|[\u00e0-\u00ef]{_FURTHER}{{2}}")
_PERHAPS_MISREAD = re.compile(f"[\u00c2-\u00c5\u00ce-\u00d1\u00e0-\u00ef]{_FURTHER}")  # quick to search for
_LOST = "\ufffd"  # what decoders put where they give up
_ENTITY = re.compile(r"&(?:#\d{2,6}|#[xX][0-9A-Fa-f]{2,5}|([A-Za-z]{2,8}));")
# 447912345678 becomes 4.47912E+11 in a narrow column, and a reference of more than 15 digits in any.
_CUT_SHORT = re.compile(r"\d(?:[.,]\d+)?E\+\d{2}")
_NO_RESULTS = {
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
    "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#GETTING_DATA",
}  # fmt: skip


def is_suspicious(line: str) -> bool:
    """Whether the fields of a row need refused_letters() at all; most rows do not."""
    if not line.isprintable() or "&" in line or "#" in line or "E+" in line:
        return True
    return not line.isascii() and (_LOST in line or _PERHAPS_MISREAD.search(line) is not None)


def refused_letters(text: str, *, lines: bool = False) -> str:
    """The key of the reason why this text cannot stand in a notice; empty when it can. `lines`: may have several."""
    text = text.strip(_AROUND)
    if not text.isascii() and (_LOST in text or any(map(_is_misread, _MISREAD.findall(text)))):
        return "encoding"
    if not text.isprintable() and _FORBIDDEN.search(_LINE_BREAKS.sub(" ", text) if lines else text):
        return "characters"
    if "&" in text and any(map(_is_entity, _ENTITY.finditer(text))):
        return "entities"
    if text in _NO_RESULTS:
        return "no_result"
    return "digits" if "E+" in text and _CUT_SHORT.fullmatch(text) else ""


def _is_misread(signs: str) -> bool:
    try:
        signs.encode("cp1252").decode("utf-8")
    except UnicodeError:
        # Windows-1252 leaves five bytes undefined, which then show as controls of Latin-1.
        return any("\u0080" <= sign <= "\u009f" for sign in signs[1:])
    return True


def _is_entity(found: re.Match[str]) -> bool:
    return found[1] is None or found[1] in name2codepoint or found[1] == "apos"
