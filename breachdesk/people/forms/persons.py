from datetime import date, datetime, time
from typing import Any

from django import forms
from django.utils import timezone

from breachdesk.people.models import Hold


class SearchForm(forms.Form):
    typed = forms.CharField(
        label="Exact email address or customer number",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type a whole email address or customer number."},
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=1000,
        label="Why do you look?",
        help_text="Once for this incident, until you sign out. It is kept sealed beside the entry in the trail.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why you look: a call from the person, a question of the regulator."},
    )


class ReleaseForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why. Auditors read this first."},
    )


class HoldFields(forms.Form):
    kind = forms.ChoiceField(
        choices=Hold.Kind,
        label="What kind of hold?",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what kind of hold it is."},
    )
    reason = forms.CharField(
        max_length=1000,
        label="Why",
        help_text="Who asked, when, and how that is known. It is kept sealed.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why. Auditors read this first."},
    )
    until = forms.DateField(
        required=False,
        label="Ends by itself on",
        help_text="From the beginning of this day they may get notices again. Leave it open if nobody knows.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Give a day, such as 2026-03-31, or leave it open."},
    )

    def clean_until(self) -> datetime | None:
        """The beginning of the day, in the reader's zone."""
        day: date | None = self.cleaned_data["until"]
        if day is None:
            return None
        moment = timezone.make_aware(datetime.combine(day, time()))
        if moment <= timezone.now():
            raise forms.ValidationError("This day has begun already. Choose a later one, or leave it open.")
        return moment


class HoldForm(HoldFields):
    version = forms.IntegerField(widget=forms.HiddenInput)


class PastedForm(HoldFields):
    pasted = forms.CharField(
        max_length=1_000_000,
        label="Email addresses or customer numbers, one a line",
        help_text="Each must be whole and exact. Up to 5,000 lines. What you paste is matched and then forgotten.",
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={"required": "Paste at least one email address or customer number."},
        strip=False,
    )
    field_order: Any = ["pasted", "kind", "reason", "until"]
