"""Why a row is not accepted, in words that tell a person what to do about it."""

from dataclasses import dataclass

from breachdesk.incidents.kinds import KINDS


@dataclass(frozen=True)
class Reason:
    label: str
    advice: str


REASONS: dict[str, Reason] = {
    "columns": Reason(
        "The number of columns differs from the heading",
        "Look for a comma inside a text without quotation marks, or for a quotation mark that is never closed.",
    ),
    "unreadable": Reason(
        "The row cannot be read", "A quotation mark opens here and is not closed. Close or remove it."
    ),
    "row_too_long": Reason(
        "The row is longer than any row about a person",
        "Look for a quotation mark that opens here and is not closed; it swallows the rows behind it.",
    ),
    "empty": Reason("The row is empty", "Remove it, or fill it in."),
    "too_long": Reason("A text is longer than its column allows", "Shorten it, or look for a shifted column."),
    "characters": Reason(
        "It holds control or text-direction characters",
        "Export again without them; they do not print, and can make a name look like another.",
    ),
    "encoding": Reason(
        "The text was read in a wrong encoding",
        "MÃ¼ller is Müller, read wrongly. If many rows look like this, choose another encoding for the file; if few, "
        "correct them.",
    ),
    "entities": Reason(
        "The text holds codes of web pages",
        "M&uuml;ller is Müller, as a web page writes it. Export as plain text, or write the letter itself.",
    ),
    "no_result": Reason(
        "A formula of the spreadsheet has no result here",
        "Cells such as #N/A or #REF! hold no value. Correct the formula, or write the value itself.",
    ),
    "digits": Reason(
        "A spreadsheet program has cut digits off a number",
        "4.47912E+11 was a longer number, and others may look the same now. Export the column as text.",
    ),
    "name": Reason("The name is missing", "Fill in the name."),
    "address": Reason("The email address is malformed", "Correct the address, or leave it empty and give a street."),
    "reserved_domain": Reason(
        "The email address is at a domain that exists for examples only",
        "Nobody can receive mail there. Find the real address, or leave it empty and give a street.",
    ),
    "role_address": Reason(
        "Several people read this email address",
        "Give the person’s own address. If this one is right, allow shared addresses where the columns are matched.",
    ),
    "own_staff": Reason(
        "It is the email address of our own staff",
        "Remove the row if it was for testing. If colleagues are customers, allow them where the columns are matched.",
    ),
    "contact": Reason("No email and no postal address", "Find another way to reach this person."),
    "phone": Reason(
        "The phone number cannot be one",
        "Write it with its country code, such as +44 1632 960123, or leave it empty.",
    ),
    "country": Reason("The country is unknown", "Write its two-letter code, such as GB, or its English name."),
    "state": Reason(
        "The state of the United States is unknown",
        "Write its two letters, such as CA, or its name; or leave it empty.",
    ),
    "language": Reason("The language is unknown", "Write a code such as en or pt-BR, or leave it empty."),
    "birth_date": Reason("The date of birth is not a date", "Write it as 1984-05-31, or leave it empty."),
    "birth_year": Reason(
        "The year of birth has two digits", "24 may be a child or be a hundred years old. Write all four digits."
    ),
    "birth_order": Reason(
        "Day and month of the date of birth can be mistaken",
        "Say where the columns are matched which of them comes first, or write it as 1984-05-31.",
    ),
    "yes_no": Reason("The mark is neither yes nor no", "Write yes or no, or leave it empty."),
    "kinds": Reason("A kind of exposed data is unknown", f"Use these words: {', '.join(KINDS)}."),
    # Told while the rows meet the people who are known already, see merging.py.
    "reference_of_another": Reason(
        "The customer number belongs to somebody of another name",
        "Two people cannot share a number. Correct it, or leave it empty and they stay two.",
    ),
    "unknown_person": Reason(
        "Nobody of this name and address is among the people",
        "Check the spelling; only people we know can be taken off.",
    ),
}

# Somebody may say for a file that these are right after all.
ALLOWABLE = {
    "role_address": "Take addresses that several people read, such as info@ or office@",
    "own_staff": "Take our own staff: they are customers too",
}
