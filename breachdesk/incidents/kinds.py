"""Kinds of personal data, in the words of screens, notices and forms."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    label: str
    phrase: str  # as it stands in a sentence to the person: "your name"
    special: bool = False  # special category, GDPR Article 9(1) or 10


KINDS: dict[str, Kind] = {
    "name": Kind("Names", "your name"),
    "email": Kind("Email addresses", "your email address"),
    "postal_address": Kind("Postal addresses", "your postal address"),
    "phone": Kind("Phone numbers", "your phone number"),
    "birth_date": Kind("Dates of birth", "your date of birth"),
    "customer_number": Kind("Customer or loyalty numbers", "your customer number"),
    "orders": Kind("Orders and purchases", "what you bought from us"),
    "password": Kind("Passwords or keys", "your password"),
    "payment_card": Kind("Payment cards", "your payment card details"),
    "bank_account": Kind("Bank accounts", "your bank account details"),
    "identity_document": Kind("Identity documents", "a copy of your identity document"),
    "national_number": Kind("National identity or tax numbers", "your national identity number"),
    "location": Kind("Location", "where you were"),
    "messages": Kind("Messages and recordings", "messages between you and us"),
    "health": Kind("Health", "information about your health", special=True),
    "ethnicity": Kind("Racial or ethnic origin", "your ethnic origin", special=True),
    "belief": Kind("Religion or belief", "your religion or belief", special=True),
    "politics": Kind("Political opinions", "your political opinions", special=True),
    "union": Kind("Trade union membership", "your trade union membership", special=True),
    "sex_life": Kind("Sex life or orientation", "your sex life or orientation", special=True),
    "biometric": Kind("Biometric or genetic data", "your biometric or genetic data", special=True),
    "criminal": Kind("Criminal records", "your criminal record", special=True),
    "other": Kind("Something else", "other information about you"),
}

CHOICES = [(key, kind.label) for key, kind in KINDS.items()]


def labels_of(kinds: list[str]) -> list[str]:
    """In the order of KINDS, whatever order they were ticked in."""
    return [kind.label for key, kind in KINDS.items() if key in kinds]
