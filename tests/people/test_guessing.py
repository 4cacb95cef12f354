"""What a column probably is: from its heading in sixteen languages, from its contents, and from both."""

import pytest

from breachdesk.people.reading.corrections import BOOKKEEPING
from breachdesk.people.reading.fields import FIELDS
from breachdesk.people.reading.guessing import LEAST_SURE, Guesses, guess_plan, guesses_of
from breachdesk.people.reading.headings import AMBIGUOUS_NAMES, FIELD_OF_HEADING, HEADINGS, spelled
from breachdesk.people.reading.samples import masked_sample
from tests.people.rows import inspection_of

LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "fi", "cs", "el", "tr", "ja", "zh"]


def guessed(text: str) -> list[str]:
    return [guess.becomes for guess in guesses_of(inspection_of(text)).columns]


def only(heading: str, *values: str) -> str:
    return guesses_of(inspection_of("\n".join([f'"{heading}"', *values]))).columns[0].becomes


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_field_is_known_by_its_headings_in_each_language(language) -> None:
    of_one_field = [(heading, field) for field in FIELDS for heading in HEADINGS[field][language].split("|")]
    known = [(heading, field) for heading, field in of_one_field if spelled(heading) not in AMBIGUOUS_NAMES]
    assert [(heading, only(heading)) for heading, _ in known] == known


def test_no_heading_stands_for_two_fields() -> None:
    for field, languages in HEADINGS.items():
        for heading in "|".join(languages.values()).split("|"):
            assert spelled(heading) in AMBIGUOUS_NAMES or FIELD_OF_HEADING[spelled(heading)][0] == field, heading


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("customer_id,First_Name,lastName,E-MAIL", ["reference", "given_name", "family_name", "email"]),
        ("Vorname,Name,E-Mail,PLZ,Ort", ["given_name", "family_name", "email", "postcode", "city"]),
        ("Nom,Prénom,Courriel,Pays", ["family_name", "given_name", "email", "country"]),
        ("Nombre,Apellidos,Correo", ["given_name", "family_name", "email"]),
        ("Nome,Cognome,Email", ["given_name", "family_name", "email"]),
        ("Nome,Indirizzo e-mail", ["full_name", "email"]),
        ("Ad,Soyad,E-posta", ["given_name", "family_name", "email"]),
        ("氏名,メールアドレス,生年月日", ["full_name", "email", "born_on"]),
        ("姓,名,邮箱,手机", ["family_name", "given_name", "email", "phone"]),
        ("name,email", ["full_name", "email"]),
        ("Billing Postcode,Customer First Name,Work E-mail", ["postcode", "given_name", "email"]),
        ("Email,Email (2)", ["email", "email_2"]),
        ("SRC_SYS,UPD_TS,order id,Notiz", ["", "", "", ""]),
    ],
)  # fmt: skip
def test_headings_of_real_files(heading, expected) -> None:
    assert guessed(heading) == expected


@pytest.mark.parametrize(
    ("heading", "values", "expected"),
    [
        ("a", ["ana@example.com", "bo@example.org"], "email"),
        ("a", ["+44 1632 960123", "0171 5550100"], "phone"),
        ("a", ["DE", "Frankreich", "GB"], "country"),
        ("a", ["de", "en-GB", "fr"], "language"),
        ("a", ["1984-05-31", "31.12.1970"], "born_on"),
        ("a", ["2024-05-31", "2025-01-02"], ""),
        ("a", ["name;email", "phone"], "kinds"),
        ("a", ["BA1 1AA", "SW1A 2AA"], "postcode"),
        ("a", ["12345", "23456"], ""),
        ("a", ["yes", "no"], ""),
        ("email", ["yes", "no", "no"], "kind:email"),
        ("leaked passwords", ["1", "0"], "kind:password"),
        ("Health", ["ja", "nein"], "kind:health"),
        ("Geburtsdatum", ["ja", "nein"], "kind:birth_date"),
        ("minor", ["yes", "no"], "minor"),
        ("email", ["Gold", "Silver", "Black"], ""),
        ("email", ["ana@example.com", "nobody"], "email"),
        ("date of birth", ["31/05/84", "01/02/70"], "born_on"),
        ("date of birth", ["GB", "IE"], "country"),
        ("a", [], ""),
    ],
)
def test_contents_tell_and_contradict(heading, values, expected) -> None:
    assert only(heading, *values) == expected


def test_every_guess_says_why_and_how_sure() -> None:
    guesses = guesses_of(inspection_of("E-Mail,x,Vorname\nana@example.com,zz,Ana\nbo@example.com,y,Bo"))
    email, nothing, name = guesses.columns
    assert (email.sure, email.label) == (99, "Email")
    assert email.why == "The heading says so. 2 of 2 values in the sample look like email addresses."
    assert (nothing.sure, nothing.why) == (0, "Neither the heading nor the values tell.")
    assert (name.sure, name.why) == (90, "The heading is German for it.")
    assert email.samples == ("•••@•••••••.•••", "••@•••••••.•••")


def test_two_columns_for_one_field_leave_the_less_likely_to_the_user() -> None:
    first, second = guesses_of(inspection_of("contact,E-Mail\na@example.com,b@example.com")).columns
    assert (first.becomes, second.becomes) == ("", "email")
    assert first.why == "It could be Email too, but “E-Mail” is likelier. Choose for yourself."
    alike = guesses_of(inspection_of("Mail,Email address\na@example.com,b@example.com")).columns
    assert [guess.becomes for guess in alike] == ["email", ""]


def test_a_contradicted_heading_says_so() -> None:
    (guess,) = guesses_of(inspection_of("email\nGold\nSilver\nana@example.com")).columns
    assert guess.sure < LEAST_SURE
    assert guess.why == "The heading says Email, but only 1 of 3 values in the sample look like email addresses."


@pytest.mark.parametrize(
    ("dates", "order", "asks"),
    [
        (["31/05/1984", "01/02/1970"], "dmy", False),
        (["05/31/1984", "01/02/1970"], "mdy", False),
        (["03/04/1980", "01/02/1970"], "", True),
        (["31/05/1984", "05/31/1984"], "", True),
        (["03.04.1980"], "dmy", False),
        (["1984-05-31"], "", False),
        (["31 May 1984"], "", False),
    ],
)
def test_the_order_of_dates_is_told_from_the_whole_sample(dates, order, asks) -> None:
    guesses = guesses_of(inspection_of("\n".join(["name,email,dob", *(f"A,a@example.com,{day}" for day in dates)])))
    assert (guesses.date_order, guesses.asks_date_order, guesses.plan.date_order) == (order, asks, order)


def test_our_own_columns_of_a_correction_are_not_stored() -> None:
    heading = ",".join(f'"{each}"' for each in [*BOOKKEEPING, "Name", "Phone"])
    guesses: Guesses = guesses_of(inspection_of(f"{heading}\n2,,x,y,'=1,'+44 1632 960123"))
    assert [guess.becomes for guess in guesses.columns] == [""] * 4 + ["full_name", "phone"]
    assert "our own note" in guesses.columns[0].why.lower()


def test_rows_of_another_shape_tell_nothing() -> None:
    inspection = inspection_of("email,x\na@example.com,1\nbroken")
    assert guess_plan(inspection).columns[0].becomes == "email"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jürgen Müller", "•ü•••• •ü••••"),
        ("JÃ¼rgen", "•Ã¼••••"),
        ("ana.ng@example.com", "•••.••@•••••••.•••"),
        ("+44 1632 960123", "+•• •••• ••••••"),
        ("Παπαδόπουλος", "Παπαδό••••••"),
        ("王伟", "王•"),
        ("王", "•"),
        ("Zoë", "••ë"),
        ("", ""),
        ("x " * 60, "• " * 19 + "•…"),
    ],
)
def test_samples_are_masked_and_still_tell_the_encoding(text, shown) -> None:
    assert masked_sample(text) == shown
