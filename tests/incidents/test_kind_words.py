"""What a text says was taken, or was not, in plain words: and what only sounds like it."""

import pytest

from breachdesk.incidents.kind_words import claims_in


def said(text: str, language: str) -> tuple[set[str], set[str]]:
    claims = list(claims_in(text, language))
    assert all(text[one.at :].startswith(one.words) for one in claims)
    return {one.kind for one in claims if one.was_taken}, {one.kind for one in claims if not one.was_taken}


@pytest.mark.parametrize(
    ("language", "text", "taken", "not_taken"),
    [
        ("en", "Your name and email address were taken, but not your password.", "name email", "password"),
        ("en-GB", "This was copied:\n\n- your name\n- your home address\n\nCall us.", "name postal_address", ""),
        ("en", "No passwords were taken. Your date of birth was seen.", "birth_date", "password"),
        ("en", "Passwords and payment cards were not affected.", "", "password payment_card"),
        (
            "fr",
            "Votre nom et votre adresse e-mail ont été copiés, mais pas votre mot de passe.",
            "name email",
            "password",
        ),
        ("fr", "Sont concernés :\n- votre numéro de téléphone\n- vos commandes", "phone orders", ""),
        ("fr", "Vos coordonnées bancaires n’ont pas été touchées.", "", "bank_account"),
        ("de", "Ihr Name wurde kopiert. Ihr Passwort ist nicht betroffen.", "name", "password"),
        ("de", "Betroffen sind:\n- Ihre Telefonnummer\n- Ihre Kreditkartendaten", "phone payment_card", ""),
        ("de", "Kopiert wurden Gesundheitsdaten, aber keine Kontonummern.", "health", "bank_account"),
    ],
)
def test_what_it_says(language: str, text: str, taken: str, not_taken: str) -> None:
    assert said(text, language) == (set(taken.split()), set(not_taken.split()))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Change your password. We will never ask for your card number."),
        ("en", "We do not know yet whether your payment card was copied."),
        ("en", "If your bank account is affected, call the phone number below."),
        ("en", "Write to us by email, or use the postal address below."),
        ("fr", "Changez votre mot de passe. Nous ne savons pas si votre carte bancaire a été copiée."),
        ("de", "Ändern Sie Ihr Passwort. Unklar ist, ob Ihre Kontonummer kopiert wurde."),
        ("es", "Su nombre fue copiado."),
    ],
)
def test_what_it_does_not_say(language: str, text: str) -> None:
    assert said(text, language) == (set(), set())
