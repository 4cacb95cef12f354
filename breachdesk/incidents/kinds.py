"""Kinds of personal data, in the words of screens, notices and forms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    label: str
    phrase: str  # as it stands in a list to the person: "your name"
    french: str
    german: str
    special: bool = False  # special category, GDPR Article 9(1) or 10

    def phrase_in(self, language: str) -> str:
        """In English where we have no words of the language."""
        return {"fr": self.french, "de": self.german}.get(language[:2], self.phrase)


PHRASED = {"en", "fr", "de"}
"""Languages in which every kind has its phrase."""


KINDS: dict[str, Kind] = {
    "name": Kind("Names", "your name", "votre nom", "Ihr Name"),
    "email": Kind("Email addresses", "your email address", "votre adresse e-mail", "Ihre E-Mail-Adresse"),
    "postal_address": Kind("Postal addresses", "your postal address", "votre adresse postale", "Ihre Postanschrift"),
    "phone": Kind("Phone numbers", "your phone number", "votre numéro de téléphone", "Ihre Telefonnummer"),
    "birth_date": Kind("Dates of birth", "your date of birth", "votre date de naissance", "Ihr Geburtsdatum"),
    "customer_number": Kind(
        "Customer or loyalty numbers", "your customer number", "votre numéro de client", "Ihre Kundennummer"
    ),
    "orders": Kind(
        "Orders and purchases",
        "what you bought from us",
        "ce que vous avez acheté chez nous",
        "was Sie bei uns gekauft haben",
    ),
    "password": Kind("Passwords or keys", "your password", "votre mot de passe", "Ihr Passwort"),
    "payment_card": Kind(
        "Payment cards",
        "your payment card details",
        "les données de votre carte de paiement",
        "die Daten Ihrer Zahlungskarte",
    ),
    "bank_account": Kind(
        "Bank accounts", "your bank account details", "vos coordonnées bancaires", "Ihre Bankverbindung"
    ),
    "identity_document": Kind(
        "Identity documents",
        "a copy of your identity document",
        "une copie de votre pièce d’identité",
        "eine Kopie Ihres Ausweises",
    ),
    "national_number": Kind(
        "National identity or tax numbers",
        "your national identity number",
        "votre numéro national d’identité",
        "Ihre nationale Identitätsnummer",
    ),
    "location": Kind("Location", "where you were", "les lieux où vous étiez", "wo Sie waren"),
    "messages": Kind(
        "Messages and recordings",
        "messages between you and us",
        "des messages entre vous et nous",
        "Nachrichten zwischen Ihnen und uns",
    ),
    "health": Kind(
        "Health",
        "information about your health",
        "des informations sur votre santé",
        "Angaben zu Ihrer Gesundheit",
        special=True,
    ),
    "ethnicity": Kind(
        "Racial or ethnic origin",
        "your ethnic origin",
        "votre origine ethnique",
        "Ihre ethnische Herkunft",
        special=True,
    ),
    "belief": Kind(
        "Religion or belief",
        "your religion or belief",
        "votre religion ou vos convictions",
        "Ihre Religion oder Weltanschauung",
        special=True,
    ),
    "politics": Kind(
        "Political opinions",
        "your political opinions",
        "vos opinions politiques",
        "Ihre politischen Meinungen",
        special=True,
    ),
    "union": Kind(
        "Trade union membership",
        "your trade union membership",
        "votre appartenance syndicale",
        "Ihre Mitgliedschaft in einer Gewerkschaft",
        special=True,
    ),
    "sex_life": Kind(
        "Sex life or orientation",
        "your sex life or orientation",
        "votre vie ou votre orientation sexuelle",
        "Ihr Sexualleben oder Ihre sexuelle Orientierung",
        special=True,
    ),
    "biometric": Kind(
        "Biometric or genetic data",
        "your biometric or genetic data",
        "vos données biométriques ou génétiques",
        "Ihre biometrischen oder genetischen Daten",
        special=True,
    ),
    "criminal": Kind(
        "Criminal records", "your criminal record", "votre casier judiciaire", "Ihre Vorstrafen", special=True
    ),
    "other": Kind(
        "Something else", "other information about you", "d’autres informations sur vous", "andere Angaben über Sie"
    ),
}

CHOICES = [(key, kind.label) for key, kind in KINDS.items()]


def labels_of(kinds: list[str]) -> list[str]:
    """In the order of KINDS, whatever order they were ticked in."""
    return [kind.label for key, kind in KINDS.items() if key in kinds]
