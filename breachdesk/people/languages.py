"""Languages as customer files name them, kept as short tags (BCP 47, RFC 5646): `en`, `pt-BR`, `zh-Hant`."""

import re

LONGEST_TAG = 12

LANGUAGES: dict[str, tuple[str, str]] = {
    "af": ("Afrikaans", "Afrikaans"), "ar": ("Arabic", "العربية"), "bg": ("Bulgarian", "Български"),
    "bn": ("Bengali", "বাংলা"), "ca": ("Catalan", "Català"), "cs": ("Czech", "Čeština"), "cy": ("Welsh", "Cymraeg"),
    "da": ("Danish", "Dansk"), "de": ("German", "Deutsch"), "el": ("Greek", "Ελληνικά"), "en": ("English", "English"),
    "es": ("Spanish", "Español"), "et": ("Estonian", "Eesti"), "eu": ("Basque", "Euskara"), "fa": ("Persian", "فارسی"),
    "fi": ("Finnish", "Suomi"), "fil": ("Filipino", "Filipino"), "fr": ("French", "Français"),
    "ga": ("Irish", "Gaeilge"), "gl": ("Galician", "Galego"), "gu": ("Gujarati", "ગુજરાતી"), "he": ("Hebrew", "עברית"),
    "hi": ("Hindi", "हिन्दी"), "hr": ("Croatian", "Hrvatski"), "hu": ("Hungarian", "Magyar"),
    "hy": ("Armenian", "Հայերեն"), "id": ("Indonesian", "Bahasa Indonesia"), "is": ("Icelandic", "Íslenska"),
    "it": ("Italian", "Italiano"), "ja": ("Japanese", "日本語"), "ka": ("Georgian", "ქართული"),
    "ko": ("Korean", "한국어"),
    "lb": ("Luxembourgish", "Lëtzebuergesch"), "lt": ("Lithuanian", "Lietuvių"), "lv": ("Latvian", "Latviešu"),
    "mk": ("Macedonian", "Македонски"), "ms": ("Malay", "Bahasa Melayu"), "mt": ("Maltese", "Malti"),
    "nb": ("Norwegian Bokmål", "Norsk bokmål"), "nl": ("Dutch", "Nederlands"), "nn": ("Norwegian Nynorsk", "Nynorsk"),
    "no": ("Norwegian", "Norsk"), "pa": ("Punjabi", "ਪੰਜਾਬੀ"), "pl": ("Polish", "Polski"),
    "pt": ("Portuguese", "Português"), "ro": ("Romanian", "Română"), "ru": ("Russian", "Русский"),
    "sk": ("Slovak", "Slovenčina"), "sl": ("Slovenian", "Slovenščina"), "sq": ("Albanian", "Shqip"),
    "sr": ("Serbian", "Српски"), "sv": ("Swedish", "Svenska"), "sw": ("Swahili", "Kiswahili"), "ta": ("Tamil", "தமிழ்"),
    "te": ("Telugu", "తెలుగు"), "th": ("Thai", "ไทย"), "tr": ("Turkish", "Türkçe"), "uk": ("Ukrainian", "Українська"),
    "ur": ("Urdu", "اردو"), "vi": ("Vietnamese", "Tiếng Việt"), "zh": ("Chinese", "中文"), "zu": ("Zulu", "isiZulu"),
}  # fmt: skip

_TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{2,8})*)(?:\.utf-?8)?", re.IGNORECASE)
# ISO 639-2, both codes where there are two; and what other languages call the most frequent ones.
OTHER_NAMES: dict[str, str] = {
    "ar": "ara|Arabisch|Arabe|Árabe|Arabo", "bg": "bul|Bulgarisch", "ca": "cat",
    "cs": "ces|cze|Tschechisch|Tchèque|Checo", "cy": "cym|wel", "da": "dan|Dänisch|Danois|Danés",
    "de": "deu|ger|Allemand|Alemán|Tedesco|Alemão|Duits|Niemiecki|Tyska|Tysk", "el": "ell|gre|Griechisch|Grec|Griego",
    "en": "eng|Englisch|Anglais|Inglés|Inglese|Inglês|Engels|Angielski|Engelska|Engelsk|Englanti|Angličtina|"
    "İngilizce|英語|英语", "es": "spa|Spanisch|Espagnol|Spagnolo|Espanhol|Castellano|Spaans|Hiszpański|Spanska",
    "et": "est", "fa": "fas|per|Farsi", "fi": "fin|Finnisch|Finnois|Finska",
    "fr": "fra|fre|Französisch|Francés|Francese|Francês|Frans|Francuski|Franska|Fransk", "ga": "gle", "he": "heb",
    "hi": "hin", "hr": "hrv", "hu": "hun|Ungarisch|Hongrois", "is": "isl|ice",
    "it": "ita|Italienisch|Italien|Italiaans|Włoski", "ja": "jpn|Japanisch|Japonais", "ko": "kor|Koreanisch",
    "lt": "lit", "lv": "lav", "mt": "mlt", "nb": "nob|Bokmål",
    "nl": "nld|dut|Niederländisch|Néerlandais|Neerlandés|Olandese|Flemish|Vlaams", "nn": "nno",
    "no": "nor|Norwegisch|Norvégien|Norska", "pl": "pol|Polnisch|Polonais|Polaco|Polacco|Pools",
    "pt": "por|Portugiesisch|Portugais|Portugués|Portoghese|Portugees", "ro": "ron|rum|Rumänisch|Roumain",
    "ru": "rus|Russisch|Russe", "sk": "slk|slo|Slowakisch", "sl": "slv|Slowenisch", "sr": "srp",
    "sv": "swe|Schwedisch|Suédois|Zweeds", "tr": "tur|Türkisch|Turc", "uk": "ukr|Ukrainisch|Ukrainien", "vi": "vie",
    "zh": "zho|chi|Chinesisch|Chinois|Chino|Cinese|中文（简体）|简体中文|繁體中文|Mandarin",
}  # fmt: skip
_TAG_OF_NAME = {name.casefold(): tag for tag, names in OTHER_NAMES.items() for name in names.split("|")} | {
    name.casefold(): tag for tag, names in LANGUAGES.items() for name in names
}


def language_tag(text: str) -> str | None:
    """The tag in its usual spelling for a tag, a locale such as `pt_BR.UTF-8` or a language's name; else None."""
    found = _TAG.fullmatch(text.strip())
    if found is None or found[1].lower() not in LANGUAGES:
        return _TAG_OF_NAME.get(text.strip().casefold())
    tag = "-".join([found[1].lower(), *map(_subtag, re.findall(r"[A-Za-z0-9]+", found[2]))])
    return tag if len(tag) <= LONGEST_TAG else None


def _subtag(part: str) -> str:
    return part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower()


def language_name(tag: str) -> str:
    names = LANGUAGES.get(tag.split("-")[0])
    return names[0] if names else tag or "No language given"
