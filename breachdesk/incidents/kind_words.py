"""claims_in(): what a text to people says was taken of them, or was not, in plain words of English, French and German.

A notice names kinds of data for many reasons: it may say that they were taken, that they were not, or only ask that a
password be changed. A claim is a mention in a sentence about data that was seen, copied, lost or concerned by it, or in
an item of a list under such a sentence. A *not* in the same clause turns it round; one of not knowing makes it neither.
What is said in other words or languages is not found.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LANGUAGES = ("en", "fr", "de")

_WORDS: dict[str, tuple[str, str, str]] = {
    "name": (r"names?", r"noms?|prénoms?", r"(?:Vor-|Nach)?Namen?"),
    "email": (
        r"e-?mail address(?:es)?",
        r"adresses? (?:e-?mail|électroniques?|de messagerie)|courriels?",
        r"E-?Mail-?Adressen?",
    ),
    "postal_address": (
        r"(?:postal|home|street|delivery) address(?:es)?",
        r"adresses? (?:postales?|de livraison|du domicile)",
        r"(?:Post)?Anschrift(?:en)?|(?:Post|Liefer|Wohn)adressen?",
    ),
    "phone": (r"(?:tele)?phone numbers?", r"numéros? de (?:téléphone|portable)", r"(?:Telefon|Handy|Mobil)nummern?"),
    "birth_date": (
        r"dates? of birth|birth ?dates?|birthdays?",
        r"dates? de naissance",
        r"Geburts(?:datum|daten|tage?)",
    ),
    "customer_number": (
        r"(?:customer|loyalty|account|membership) (?:card )?numbers?",
        r"numéros? (?:de )?(?:client|fidélité|compte client)",
        r"(?:Kunden|Mitglieds|Kundenkarten)nummern?",
    ),
    "orders": (
        r"orders|purchases|purchase history|order history|what you (?:bought|ordered)",
        r"commandes|achats|ce que vous avez (?:acheté|commandé)",
        r"Bestellungen|Einkäufe|Bestellhistorie|was Sie (?:bei uns )?(?:gekauft|bestellt) haben",
    ),
    "password": (r"passwords?", r"mots? de passe", r"(?:Pass|Kenn)w[oö]rt(?:er|e|es|s)?"),
    "payment_card": (
        r"(?:payment|credit|debit|bank) ?cards?(?: (?:details|numbers?|data))?|card (?:details|numbers?)",
        r"cartes? (?:de paiement|bancaires?|de crédit)|numéros? de cartes?",
        r"(?:Zahlungs|Kredit|Bank|Debit)karten?(?:daten|nummern?)?",
    ),
    "bank_account": (
        r"bank(?:ing)? (?:account |details|accounts?)(?:numbers?|details)?|IBANs?",
        r"coordonnées bancaires|comptes? bancaires?|RIB|IBAN",
        r"Bankverbindung(?:en)?|Bankkonto|Kontonummern?|Kontodaten|IBAN",
    ),
    "identity_document": (
        r"passports?|identity (?:documents?|cards?)|ID cards?|driving licen[cs]es?|driver[’']?s licen[cs]es?",
        r"passeports?|pièces? d[’']identité|cartes? d[’']identité|permis de conduire",
        r"Reisepass|Reisepässe|Personalausweise?|Ausweis(?:e|es|kopie|dokumente?)?|Führerscheine?",
    ),
    "national_number": (
        r"(?:national (?:identity|insurance)|social security|tax) numbers?",
        r"numéros? (?:national(?: d[’']identité)?|de sécurité sociale|fiscal)",
        r"Sozialversicherungsnummern?|Steuer(?:identifikations)?nummern?|Identitätsnummern?",
    ),
    "location": (
        r"location data|your location|where you were",
        r"données de localisation|les lieux où vous étiez",
        r"Standortdaten|wo Sie waren",
    ),
    "messages": (
        r"messages between you and us|your messages|recordings of your calls",
        r"messages entre vous et nous|vos messages|enregistrements de vos appels",
        r"Nachrichten zwischen Ihnen und uns|Ihre Nachrichten|Aufzeichnungen Ihrer (?:Anrufe|Gespräche)",
    ),
    "health": (
        r"health (?:data|information|records?)|(?:information|data) about your health|medical (?:data|records?)",
        r"données de santé|informations sur votre santé|dossiers? médica(?:l|ux)",
        r"Gesundheitsdaten|Angaben zu Ihrer Gesundheit|Krankenakten?",
    ),
    "ethnicity": (r"ethnic origin|ethnicity", r"origine ethnique", r"ethnische Herkunft"),
    "belief": (r"your religion|religious beliefs?", r"votre religion|convictions religieuses", r"Ihre Religion"),
    "politics": (r"political opinions?", r"opinions politiques", r"politischen? Meinung(?:en)?"),
    "union": (r"trade union membership", r"appartenance syndicale", r"(?:Gewerkschafts|Gewerkschaft)\w*"),
    "sex_life": (
        r"sex life|sexual orientation",
        r"vie sexuelle|orientation sexuelle",
        r"Sexualleben|sexuelle Orientierung",
    ),
    "biometric": (
        r"biometric|fingerprints?|genetic data",
        r"biométriques?|empreintes digitales|données génétiques",
        r"biometrische\w*|Fingerabdrücke|genetische\w*",
    ),
    "criminal": (r"criminal records?", r"casiers? judiciaires?", r"Vorstrafen"),
}
"""By kind: what it is called, in English, French and German. *Something else* has no words of its own."""

_TAKING = (
    (
        r"taken|copied|stolen|stole|accessed|obtained|acquired|seen|saw|viewed|exposed|disclosed|published|leaked|"
        r"affected|involved|concerned|included?s?|contain(?:s|ed)?|lost|part of|g[eo]t hold of|w(?:as|ere) in it|held|"
        r"sent to"
    ),
    (
        r"copi\w+|vol[ée]\w*|consult\w+|expos\w+|concern\w+|touch\w+|conten\w+|contient|perdu\w*|divulgu\w+|obten\w+|"
        r"publi\w+|dérob\w+|compren\w+|figur\w+|f(?:ai|o)n?t partie|accéd\w+|eu accès|envoyé\w*|s[’']y trouv\w+"
    ),
    (
        r"kopiert\w*|gestohlen\w*|entwendet\w*|eingesehen\w*|erbeutet\w*|betroffen\w*|betrifft|betraf\w*|enthalten\w*|"
        r"enthielt\w*|enthält|verloren|offengelegt|veröffentlicht\w*|abgeflossen|abgegriffen|gehör\w+|darunter|"
        r"erlangt\w*|zugegriffen|umfass\w+|standen|waren (?:darin|dabei)|gelangt\w*"
    ),
)
_NOT = (
    r"not|n[’']t|no|none|never|neither|nor|without|nobody",
    r"ne|n[’']\w+|pas|aucune?s?|jamais|sans|ni|personne n",
    r"nicht|keine?\w*|nie|niemals|ohne|weder|niemand",
)
_UNSURE = (
    r"(?:do not|don[’']t|cannot|not yet) (?:know|say|sure)|not (?:yet )?(?:known|clear|certain|sure)|whether|if your",
    r"ne sav\w+ pas|pas (?:encore )?(?:sûrs?|certains?|connu)|ignor\w+ si",
    r"wissen (?:noch )?nicht|nicht (?:sicher|bekannt|klar)|unklar|ob",
)
_CLAUSE = tuple(
    rf";|(?:,|(?<!\s))\s++(?:{words})\b" for words in ("but|however", "mais|toutefois", "aber|jedoch|sondern")
)
_SENTENCE = re.compile(r"(?<=[.!?…])[”“\"»)]*\s+(?=[^\W\d_]|[„“«\"(])")
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+")


@dataclass(frozen=True)
class Claim:
    """`was_taken` False: the text says that it was not. `words` are the text's own, `at` where they stand."""

    kind: str
    was_taken: bool
    words: str
    at: int


def claims_in(text: str, language: str) -> Iterator[Claim]:
    """Sentence by sentence. Nothing in a language that is not searched."""
    if language[:2] not in LANGUAGES:
        return
    tongue = LANGUAGES.index(language[:2])
    leads: bool | None = None
    at = 0
    for line in text.split("\n"):
        if _ITEM.match(line):
            yield from _claims(line, at, tongue, leads)
        elif line.strip():
            leads = None
            for start, sentence in _sentences(line):
                yield from _claims(sentence, at + start, tongue, None)
                leads = _says_taken(sentence, tongue) if _has(_TAKING, sentence, tongue) else None
        at += len(line) + 1


def sentence_at(text: str, at: int) -> str:
    """The sentence, or the item of a list, round this place."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : end if end >= 0 else None]
    return next(sentence for begins, sentence in reversed(list(_sentences(line))) if begins <= at - start)


def _sentences(line: str) -> Iterator[tuple[int, str]]:
    starts = [0, *(found.end() for found in _SENTENCE.finditer(line))]
    for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
        yield start, line[start:end]


def _claims(sentence: str, at: int, tongue: int, leads: bool | None) -> Iterator[Claim]:
    """`leads` is what the sentence above a list says of its items: taken, not taken, or nothing of the kind."""
    of_taking = _has(_TAKING, sentence, tongue)
    for start, clause in _clauses(sentence, tongue):
        taken = _says_taken(clause, tongue) if of_taking else None
        taken = leads if taken is None else taken
        if taken is None:
            continue
        for kind, words in _WORDS.items():
            for found in re.finditer(rf"(?<!\w)(?:{words[tongue]})(?!\w)", clause, re.IGNORECASE):
                yield Claim(kind, taken, found[0], at + start + found.start())


def _clauses(sentence: str, tongue: int) -> Iterator[tuple[int, str]]:
    starts = [0, *(found.start() for found in re.finditer(_CLAUSE[tongue], sentence, re.IGNORECASE))]
    for start, end in zip(starts, [*starts[1:], len(sentence)], strict=True):
        yield start, sentence[start:end]


def _says_taken(clause: str, tongue: int) -> bool | None:
    """Of a sentence with a word of taking."""
    return None if _has(_UNSURE, clause, tongue) else not _has(_NOT, clause, tongue)


def _has(words: Sequence[str], text: str, tongue: int) -> bool:
    return bool(re.search(rf"(?<!\w)(?:{words[tongue]})(?!\w)", text, re.IGNORECASE))
