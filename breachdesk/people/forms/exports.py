from typing import Any

from django import forms

from breachdesk.people.countries import country_name
from breachdesk.people.exports import COLUMNS
from breachdesk.people.models import PeopleExport

USUAL = ["reference", "full_name", "given_name", "family_name", "email", "country"]


class ExportForm(forms.Form):
    which = forms.ChoiceField(
        choices=PeopleExport.Which,
        label="Whose data?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whose data the file holds."},
    )
    country = forms.ChoiceField(required=False, label="Which country?")
    columns = forms.MultipleChoiceField(
        choices=list(COLUMNS.items()),
        initial=USUAL,
        label="What does the file hold?",
        help_text="Only what whoever gets it needs.",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one column."},
    )
    reason = forms.CharField(
        max_length=1000,
        label="What is it for, and who gets it?",
        help_text="Whoever allows it decides by this. It is kept sealed.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what the file is for, and who gets it."},
    )

    def __init__(self, *args: Any, countries: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = sorted((country_name(code), code) for code in countries if code)
        self.fields["country"].choices = [("", "Choose one"), *((code, name) for name, code in named)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("which") != PeopleExport.Which.COUNTRY:
            data["country"] = ""
        elif not data.get("country") and "country" not in self.errors:
            self.add_error("country", "Choose the country.")
        return data


class DecisionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)


class RefuseForm(DecisionForm):
    reason = forms.CharField(
        max_length=1000,
        label="Why not?",
        help_text="Whoever asked reads it.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why not. Whoever asked reads it."},
    )
