"""What is asked of a file before it is read: how, what each of its columns becomes, and what it is for."""

from collections.abc import Iterable
from typing import Any

from django import forms

from breachdesk.incidents.kinds import KINDS
from breachdesk.people.models import ColumnMapping, Upload
from breachdesk.people.reading.dates import ORDERS
from breachdesk.people.reading.dialect import DELIMITERS
from breachdesk.people.reading.encodings import ENCODINGS
from breachdesk.people.reading.fields import EXTRA, FIELDS, KIND, extra_name, label_of
from breachdesk.people.reading.reasons import ALLOWABLE
from breachdesk.people.reading.source import Inspection

Choice = tuple[str, str]
Choices = list[Choice | tuple[str, list[Choice]]]

GROUPS: dict[str, tuple[str, ...]] = {
    "Who they are": ("reference", "full_name", "given_name", "family_name", "salutation"),
    "How they are reached": (
        "email", "email_2", "phone", "street", "street_2", "postcode", "city", "state", "post_country",
    ),
    "What counting and routing need": ("country", "language", "born_on", "minor", "vulnerable", "deceased"),
    "Who answers for a child": ("guardian_name", "guardian_email", "guardian_phone"),
}  # fmt: skip
ROWS_THAT_MAY_NAME = 10
NAMED = "columns"  # how the fields of the columns begin: columns-0, columns-1


def becomes_choices(heading: str, chosen: str) -> Choices:
    """All that a column may become; `chosen` is among them whatever it is."""
    groups: Choices = [("", "Not stored")]
    groups += [(group, [(key, FIELDS[key].label) for key in keys]) for group, keys in GROUPS.items()]
    kinds = [(KIND + key, f"Yes or no: {kind.label.lower()}") for key, kind in KINDS.items()]
    groups.append(("What was exposed", [("kinds", "All kinds of data, listed"), *kinds]))
    extras = {EXTRA + name for name in [extra_name(heading.replace("_", " ").replace(".", " "))] if name}
    extras |= {chosen} if chosen.startswith(EXTRA) else set()
    if extras:
        groups.append(("For the wording of notices", [(key, label_of(key)) for key in sorted(extras)]))
    return groups


class SourceForm(forms.Form):
    """Only what the file leaves open: a workbook has no encoding, and a text no sheets."""

    member = forms.ChoiceField(label="File in the zip")
    sheet = forms.ChoiceField(label="Sheet")
    encoding = forms.ChoiceField(label="Encoding")
    delimiter = forms.ChoiceField(label="Columns are separated by")
    header_row = forms.TypedChoiceField(label="Columns are named in", coerce=int)

    def __init__(self, inspection: Inspection) -> None:
        source = inspection.source
        super().__init__(initial=source.as_json())
        self._offer("member", [(name, name) for name in inspection.members], least=2)
        self._offer("sheet", [(name, name) for name in inspection.sheets], least=2)
        is_text = bool(inspection.encodings)
        self._offer("encoding", _encodings(inspection.encodings), least=1 if is_text else 99)
        self._offer(
            "delimiter", [(sign, name.capitalize()) for sign, name in DELIMITERS.items()], least=1 if is_text else 99
        )
        rows = sorted({*range(1, ROWS_THAT_MAY_NAME + 1), source.header_row} - {0})
        self._offer("header_row", [*((str(row), f"Row {row:,}") for row in rows), ("0", "No row: name them by number")])

    def _offer(self, name: str, choices: Iterable[Any], least: int = 1) -> None:
        listed = list(choices)
        if len(listed) < least:
            del self.fields[name]
        else:
            self.fields[name].choices = listed  # type: ignore[attr-defined]


def _encodings(likely: list[str]) -> Choices:
    if not likely:
        return []
    others = [(key, label) for key, label in ENCODINGS.items() if key not in likely]
    return [("Likely", [(key, ENCODINGS[key]) for key in likely]), ("Others", others)]


class MatchForm(forms.Form):
    """`shown` says what the preview beside it was made of."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    shown = forms.CharField(widget=forms.HiddenInput)
    date_order = forms.ChoiceField(
        choices=[("", "The dates tell by themselves"), *ORDERS.items()],
        required=False,
        label="Dates of birth",
    )
    allow = forms.MultipleChoiceField(
        choices=list(ALLOWABLE.items()),
        required=False,
        label="Rows that are turned away unless you allow them",
        widget=forms.CheckboxSelectMultiple,
    )
    purpose = forms.ChoiceField(
        choices=Upload.Purpose.choices,
        label="This file",
        widget=forms.RadioSelect,
        error_messages={"required": "Say what the file is for."},
    )
    reason = forms.CharField(
        max_length=1000,
        required=False,
        label="Why are these people no longer affected?",
        help_text="Nobody is deleted: they stay on the list as no longer affected, with this reason in the trail.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    keep_as = forms.CharField(
        max_length=80,
        required=False,
        label="Keep these choices as",
        help_text="The name of the source, such as “Larkfield deliveries”. Everybody who loads lists sees it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    use = forms.ModelChoiceField(
        ColumnMapping.objects.all(), required=False, label="From an earlier file", empty_label="None"
    )

    def __init__(self, *args: Any, headings: list[str], becomes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for place, (heading, chosen) in enumerate(zip(headings, becomes, strict=True)):
            self.fields[f"{NAMED}-{place}"] = forms.ChoiceField(
                choices=becomes_choices(heading, chosen),
                initial=chosen,
                required=False,
                label=f"{heading} becomes",
                widget=forms.Select(attrs={"class": "mini full", "aria-label": f"{heading} becomes"}),
            )
        self.columns = len(headings)

    @property
    def chosen(self) -> list[str]:
        """What each column is to become, as confirmed."""
        return [self.cleaned_data[f"{NAMED}-{place}"] for place in range(self.columns)]
