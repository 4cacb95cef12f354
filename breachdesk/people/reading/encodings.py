"""Which encoding a text is in, told from a sample of its bytes; never silently wrong.

A byte order mark says it, and so does a sample that is UTF-8 throughout and not plain ASCII: hardly any text in another
encoding happens to be. Everything else is a guess, given with the other encodings that could be meant, for the user
to confirm on real rows.
"""

import codecs
import re
from collections.abc import Sequence

from charset_normalizer import from_bytes

from breachdesk.people.reading.oddness import oddness_of

# Python's name, and ours. Of two that fit equally, the earlier one is meant more often.
ENCODINGS: dict[str, str] = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16, big endian",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32, big endian",
    "cp1252": "Windows-1252, Western Europe",
    "cp1250": "Windows-1250, Central Europe",
    "cp1251": "Windows-1251, Cyrillic",
    "cp1253": "Windows-1253, Greek",
    "cp1254": "Windows-1254, Turkish",
    "cp1255": "Windows-1255, Hebrew",
    "cp1256": "Windows-1256, Arabic",
    "cp1257": "Windows-1257, Baltic",
    "cp1258": "Windows-1258, Vietnamese",
    "cp874": "Windows-874, Thai",
    "cp932": "Shift JIS, Japanese",
    "euc_jp": "EUC-JP, Japanese",
    "iso2022_jp": "ISO-2022-JP, Japanese",
    "gb18030": "GB 18030, Chinese",
    "cp950": "Big5, Chinese",
    "cp949": "EUC-KR, Korean",
    "iso8859_1": "ISO 8859-1, Western Europe",
    "iso8859_15": "ISO 8859-15, Western Europe with €",
    "iso8859_2": "ISO 8859-2, Central Europe",
    "iso8859_5": "ISO 8859-5, Cyrillic",
    "iso8859_7": "ISO 8859-7, Greek",
    "iso8859_9": "ISO 8859-9, Turkish",
    "iso8859_13": "ISO 8859-13, Baltic",
    "koi8_u": "KOI8, Cyrillic",
    "mac_roman": "Mac Roman",
    "mac_latin2": "Mac Central Europe",
    "cp850": "DOS 850, Western Europe",
    "cp852": "DOS 852, Central Europe",
    "cp866": "DOS 866, Cyrillic",
    "cp437": "DOS 437",
}
MARKS = [  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
WIDE = {"utf-32-le": 4, "utf-32-be": 4, "utf-16-le": 2, "utf-16-be": 2}
LEGACY = [name for name in ENCODINGS if not name.startswith("utf")]
TELLING_BYTES = 6 * 1024
OFFERED = 8


def guess_encodings(sample: bytes, further: Sequence[bytes] = ()) -> tuple[list[str], bool]:
    """The plausible encodings, the likeliest first, and whether the first one is certain. `sample` may end anywhere;
    `further` are whole lines from elsewhere in the file, which may prove that its beginning told too little."""
    names, sure = _guess(sample)
    if names != ["utf-8"] or all(_decodes(lines, "utf-8", final=True) for lines in further):
        return names, sure
    others = [name for name in _legacy(b"".join([sample, *further])) if name != "utf-8"]
    return (["utf-8", *others] if not sample.isascii() else [*others, "utf-8"]), False


def _guess(sample: bytes) -> tuple[list[str], bool]:
    for mark, name in MARKS:
        if sample.startswith(mark):
            return [name], True
    if b"\0" in sample and (wide := _wide(sample)):
        return [*wide, "utf-8"], False
    if _decodes(sample, "utf-8"):
        if b"\x1b$" in sample and _decodes(sample, "iso2022_jp"):
            return ["iso2022_jp", "utf-8"], False
        return ["utf-8"], True
    return _legacy(sample), False


def text_of(sample: bytes, encoding: str, *, whole: bool = False) -> str:
    """The sample as the encoding reads it, without its mark; unless it is whole, a letter cut at its end is dropped."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="breachdesk.mark")
    return decoder.decode(sample, whole).removeprefix("\ufeff")


def _decodes(sample: bytes, encoding: str, *, final: bool = False) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final)
    except UnicodeDecodeError:
        return False
    return True


def _wide(sample: bytes) -> list[str]:
    """UTF-16 or UTF-32 without a mark: separators, digits and line ends have their zero bytes on one side only."""
    fitting = {name: share for name in WIDE if (share := _share_of_ascii(sample, name)) > 0.02}
    return sorted(fitting, key=lambda name: -fitting[name])


def _share_of_ascii(sample: bytes, encoding: str) -> float:
    """How much of it is ASCII as this encoding reads it; 0 when it cannot be read so, or holds NUL or no line end."""
    if not _decodes(sample, encoding):
        return 0.0
    text = text_of(sample, encoding)
    if not text or "\0" in text or not ("\n" in text or "\r" in text):
        return 0.0
    return sum(map(str.isascii, text)) / len(text)


def _legacy(sample: bytes) -> list[str]:
    """By how odd the other than ASCII letters look, then by what charset-normalizer makes of them."""
    telling = _telling(sample)
    fitting = [name for name in LEGACY if _decodes(telling, name)]
    if not fitting:
        return ["cp1252", "utf-8", "gb18030", "cp932"]
    ranked = [match.encoding for match in from_bytes(telling, cp_isolation=fitting, threshold=0.4)]
    texts = {name: text_of(telling, name) for name in fitting}
    oddness = {name: oddness_of(text) for name, text in texts.items()}
    order = {
        name: (oddness[name], ranked.index(name) if name in ranked else 99, LEGACY.index(name)) for name in fitting
    }
    best, *others = sorted(fitting, key=lambda name: order[name])
    # Where two read the same here, they may differ further on: then the one that is meant more often.
    usual = min((name for name in fitting if texts[name] == texts[best]), key=LEGACY.index)
    return [*list(dict.fromkeys([usual, best, *others]))[:OFFERED], "utf-8"]


def _telling(sample: bytes) -> bytes:
    """Lines with other than ASCII bytes, from all over the sample."""
    lines = [line for line in re.split(rb"[\r\n]+", sample)[:-1] or [sample] if not line.isascii()]
    size = sum(map(len, lines)) + len(lines)
    step = max(1, size // TELLING_BYTES)
    return b"\n".join(lines[::step])[: 4 * TELLING_BYTES]
