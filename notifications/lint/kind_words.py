"""How people call kinds of data, and say that something was, or was not, taken: in English, French and German."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from notifications.lint.passages import Passage

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "email": r"e-?mail address(?:es)?",
        "postal_address": r"(?:postal|home|delivery) address(?:es)?",
        "phone": r"(?:tele)?phone numbers?",
        "birth_date": r"dates? of birth|birth dates?",
        "customer_number": r"customer numbers?|membership numbers?",
        "password": r"passwords?",
        "payment_card": r"payment (?:cards?|details)|credit cards?|card (?:numbers?|details)",
        "bank_account": r"bank (?:accounts?|details)|account numbers?|IBANs?",
        "identity_document": r"passports?|identity (?:documents?|cards?)|driving licen[cs]es?",
        "national_number": r"social security numbers?|national insurance numbers?|tax numbers?",
        "health": r"health (?:data|information|records?)|medical (?:data|information|records?)",
        "biometric": r"fingerprints?|biometric data",
        "criminal": r"criminal records?",
    },
    "fr": {
        "email": r"adresses? (?:e-?mail|électroniques?)",
        "postal_address": r"adresses? postales?",
        "phone": r"numéros? de téléphone",
        "birth_date": r"dates? de naissance",
        "customer_number": r"numéros? de client",
        "password": r"mots? de passe",
        "payment_card": r"cartes? (?:bancaires?|de paiement|de crédit)|moyens? de paiement|données de paiement",
        "bank_account": r"comptes? bancaires?|coordonnées bancaires|IBAN",
        "identity_document": r"passeports?|cartes? d[’']identité|pièces? d[’']identité|permis de conduire",
        "national_number": r"numéros? de sécurité sociale|numéros? fisca(?:l|ux)",
        "health": r"données de santé|dossiers? médica(?:l|ux)",
        "biometric": r"empreintes digitales|données biométriques",
        "criminal": r"casiers? judiciaires?",
    },
    "de": {
        "email": r"E-?Mail-Adressen?",
        "postal_address": r"(?:Post)?Anschrift(?:en)?|Postadressen?|Wohnadressen?",
        "phone": r"Telefonnummern?",
        "birth_date": r"Geburtsdat(?:um|en)",
        "customer_number": r"Kundennummern?",
        "password": r"Passw(?:ort|örter)n?",
        "payment_card": r"Zahlungs(?:daten|karten?)|Kreditkarten?\w*|Kartendaten",
        "bank_account": r"Bankverbindung(?:en)?|Kontonummern?|Kontodaten|Bankdaten|IBAN",
        "identity_document": r"Reisep(?:ass|ässe)|Ausweis(?:e|kopien?|dokumente?)?|Führerscheine?",
        "national_number": r"Sozialversicherungsnummern?|Steuernummern?",
        "health": r"Gesundheitsdaten|Krankenakten?",
        "biometric": r"Fingerabdrücke?|biometrische Daten",
        "criminal": r"Strafregister\w*|Vorstrafen",
    },
}
_TAKEN = {
    "en": r"\b(?:taken|copied|stolen|lost|exposed|accessed|seen|included|involved|leaked|affected|part of"
    r"|on (?:it|the list)|in (?:it|the file))\b",
    "fr": r"\b(?:copi\w+|vol\w+|dérob\w+|pris\w*|perdu\w*|exposé\w*|consulté\w*|concerné\w*|figur\w+|contenai\w+)\b",
    "de": r"\b(?:kopiert|gestohlen|entwendet|verloren|eingesehen|betroffen|gelangt|enthalten|stand(?:en)?"
    r"|abgeflossen)\b",
}
_NOT = {
    "en": r"\b(?:not?|never|none|neither|nor|without)\b|n[’']t\b",
    "fr": r"\b(?:ne|pas|aucune?s?|jamais|ni|sans|rien)\b|\bn[’']",
    "de": r"\b(?:nicht|kein\w*|nie|niemals|weder|ohne)\b",
}
_IF = {
    "en": r"\b(?:if|whether|may|might|could|would|unless)\b",
    "fr": r"\b(?:si|s[’']il\w*|peut|peuvent|pourrai\w+|sauf)\b",
    "de": r"\b(?:wenn|falls|ob|kann|können|könnte\w*|sofern)\b",
}


@dataclass(frozen=True)
class Claim:
    """That a kind of data was taken, or was not, of people with all of `guard`. `at` is a place in its passage."""

    kind: str
    words: str
    is_taken: bool
    guard: frozenset[str]
    at: int


def claims_in(passage: Passage, language: str) -> Iterator[Claim]:
    """Nothing is claimed with an if or a may, nor without a word of taking."""
    if language not in _WORDS:
        return
    for start, sentence in passage.sentences():
        if not _has(_TAKEN, language, sentence) or _has(_IF, language, sentence):
            continue
        is_taken = not _has(_NOT, language, sentence)
        for kind, words in _WORDS[language].items():
            for found in re.finditer(rf"\b(?:{words})\b", sentence, re.IGNORECASE):
                at = start + found.start()
                yield Claim(kind, found[0], is_taken, passage.kinds_at[at], at)


def _has(words: dict[str, str], language: str, sentence: str) -> bool:
    return re.search(words[language], sentence, re.IGNORECASE) is not None
