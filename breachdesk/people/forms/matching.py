"""What is asked of a file before it is read: how, what each of its columns becomes, and what it is for."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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


@cache
def usual_choices() -> Choices:
    """All that any column may become."""
    groups: Choices = [("", "Not stored")]
    groups += [(group, [(key, FIELDS[key].label) for key in keys]) for group, keys in GROUPS.items()]
    kinds = [(KIND + key, f"Yes or no: {kind.label.lower()}") for key, kind in KINDS.items()]
    return [*groups, ("What was exposed", [("kinds", "All kinds of data, listed"), *kinds])]


def wording_of(heading: str, chosen: str) -> list[Choice]:
    """The placeholder that a column may become under its own name, besides; and the one that was chosen."""
    extras = {EXTRA + name for name in [extra_name(heading.replace("_", " ").replace(".", " "))] if name}
    extras |= {chosen} if chosen.startswith(EXTRA) else set()
    return [(key, label_of(key)) for key in sorted(extras)]


class ColumnField(forms.Field):
    """What one column becomes: one of the usual choices, or its own wording."""

    default_error_messages = forms.ChoiceField.default_error_messages

    def __init__(self, heading: str, chosen: str) -> None:
        self.wording = wording_of(heading, chosen)
        label, widget = f"{heading} becomes", ColumnSelect(heading, self.wording)
        super().__init__(required=False, initial=chosen, label=label, widget=widget)

    def clean(self, value: Any) -> str:
        chosen = str(value or "")
        if chosen not in _usual_keys() and chosen not in dict(self.wording):
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": chosen}
            )
        return chosen


class ColumnSelect(forms.Select):
    """Django's own list, whose options it would make by a template each: 20,000 of them for a file of 500 columns.

    What all columns share is written once; a column adds its own wording and says which option is chosen.
    """

    def __init__(self, heading: str, wording: list[Choice]) -> None:
        super().__init__(attrs={"class": "mini full", "aria-label": f"{heading} becomes"})
        self.wording = wording

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        options = _usual_options() + _options([("For the wording of notices", self.wording)] if self.wording else [])
        chosen = format_html('<option value="{}"', value or "")
        marked = SafeString(options.replace(f"{chosen}>", f"{chosen} selected>", 1))
        return format_html(
            '<select name="{}"{}>\n{}</select>', name, flatatt(self.build_attrs(self.attrs, attrs)), marked
        )


@cache
def _usual_keys() -> frozenset[str]:
    return frozenset(
        key for value, said in usual_choices() for key, _ in ([(value, said)] if isinstance(said, str) else said)
    )


@cache
def _usual_options() -> SafeString:
    return _options(usual_choices())


def _options(choices: Choices) -> SafeString:
    return format_html_join("", "{}", ((_group(value, said),) for value, said in choices))


def _group(value: str, said: str | list[Choice]) -> SafeString:
    if isinstance(said, str):
        return format_html('<option value="{}">{}</option>\n', value, said)
    return format_html('<optgroup label="{}">\n{}</optgroup>\n', value, _options([*said]))


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
            self.fields[f"{NAMED}-{place}"] = ColumnField(heading, chosen)
        self.columns = len(headings)

    @property
    def chosen(self) -> list[str]:
        """What each column is to become, as confirmed."""
        return [self.cleaned_data[f"{NAMED}-{place}"] for place in range(self.columns)]
