"""Kinds of exposed data as files list them, in a column of their own or one column for each kind."""

import re
from functools import lru_cache

from breachdesk.incidents.kinds import KINDS
from breachdesk.people.reading.headings import spelled

OTHER_WORDS: dict[str, str] = {
    "name": "names|full name|first name|last name|Name|Vorname|Nachname|nom|nombre|nome|naam|imię i nazwisko|namn|"
    "navn|nimi|jméno|όνομα|isim|氏名|姓名",
    "email": "e-mail|email|email address|mail|E-Mail-Adresse|courriel|correo|correo electrónico|posta elettronica|"
    "e-mailadres|adres e-mail|e-post|sähköposti|e-posta|メールアドレス|邮箱",
    "postal_address": "address|postal address|home address|Adresse|Anschrift|adresse postale|dirección|indirizzo|"
    "morada|adres|adress|osoite|adresa|διεύθυνση|住所|地址",
    "phone": "phone|phone number|telephone|mobile|Telefon|Telefonnummer|téléphone|teléfono|telefono|telefone|"
    "telefoon|puhelin|τηλέφωνο|電話番号|电话",
    "birth_date": "date of birth|dob|birth date|birthday|Geburtsdatum|date de naissance|fecha de nacimiento|"
    "data di nascita|data de nascimento|geboortedatum|data urodzenia|födelsedatum|fødselsdato|syntymäaika|"
    "datum narození|doğum tarihi|生年月日|出生日期",
    "customer_number": "customer id|customer number|loyalty number|member number|Kundennummer|numéro client|"
    "número de cliente|numero cliente|klantnummer|numer klienta|kundnummer|kundenummer|顧客番号|客户编号",
    "orders": "orders|order history|purchases|purchase history|Bestellungen|commandes|pedidos|ordini|bestellingen",
    "password": "password|passwords|credentials|Passwort|mot de passe|contraseña|wachtwoord|hasło|lösenord|"
    "パスワード|密码",
    "payment_card": "card|credit card|payment card|card number|Kreditkarte|carte bancaire|tarjeta|carta di credito|"
    "creditcard|クレジットカード|银行卡",
    "bank_account": "iban|bank account|account number|Bankverbindung|Kontonummer|rib|cuenta bancaria|conto corrente|"
    "bankrekening|口座番号",
    "identity_document": "passport|id document|identity document|id card|Ausweis|Personalausweis|Reisepass|"
    "passeport|pasaporte|passaporto|paspoort|paszport|パスポート|护照",
    "national_number": "ssn|social security number|national insurance number|nino|tax number|tax id|Steuernummer|"
    "numéro de sécurité sociale|dni|nif|codice fiscale|bsn|pesel|personnummer|cpr|身份证号",
    "location": "location|gps|Standort|localisation|ubicación|posizione|locatie",
    "messages": "messages|chats|recordings|Nachrichten|mensajes|messaggi|berichten",
    "health": "health|medical|medical records|diagnosis|Gesundheit|Gesundheitsdaten|santé|salud|salute|gezondheid|"
    "zdrowie|健康|病历", "ethnicity": "ethnicity|ethnic origin|race", "belief": "religion|belief|Religion",
    "politics": "politics|political opinions", "union": "union|trade union|union membership|Gewerkschaft",
    "sex_life": "sexual orientation|sex life", "biometric": "biometric|biometrics|fingerprint|genetic|dna",
    "criminal": "criminal record|convictions|offences", "other": "other|Sonstiges|autre|otro|altro|overig",
}  # fmt: skip


def _words() -> dict[str, str]:
    table = {spelled(word): key for key, words in OTHER_WORDS.items() for word in words.split("|")}
    table |= {spelled(kind.label): key for key, kind in KINDS.items()}
    return table | {spelled(key): key for key in KINDS}


KIND_OF_WORD = _words()
_BETWEEN = re.compile(r"[;,|\n\[\]{}\"]+")
_SAYING_SO = re.compile(
    r"\b(?:exposed|leaked|stolen|compromised|affected|breached|has|kind|data|is|betroffen|expose|in breach)\b"
)


@lru_cache(maxsize=4096)
def kinds_listed(text: str) -> tuple[str, ...] | None:
    """The kinds in the order of the text, each once; None when a word in it is not known."""
    words = [spelled(part) for part in _BETWEEN.split(text)]
    keys = [KIND_OF_WORD.get(word) for word in words if word]
    return None if None in keys else tuple(key for key in dict.fromkeys(keys) if key)


def kind_in_heading(heading: str) -> str | None:
    """The kind that a column of yes and no is about: `email exposed`, `leaked_passwords`, `Health`."""
    plain = spelled(heading)
    return KIND_OF_WORD.get(plain) or KIND_OF_WORD.get(" ".join(_SAYING_SO.sub(" ", plain).split()))
