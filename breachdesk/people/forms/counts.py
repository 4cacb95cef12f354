from typing import Any

from django import forms

from breachdesk.people.models import CountEntry

HOW_MANY = [("about", "A number"), ("range", "A range"), ("not_known", "Not known yet")]
BASES = [("", "Choose one"), *(choice for choice in CountEntry.Basis.choices if choice[0] != CountEntry.Basis.LIST)]
MOST = 2_147_483_647


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=MOST, widget=forms.NumberInput(attrs={"min": 1})
    )


class CountForm(forms.Form):
    """A number, a range or not known: whatever of the other two was typed before is left aside."""

    how_many = forms.ChoiceField(
        choices=HOW_MANY,
        widget=forms.RadioSelect,
        initial="about",
        error_messages={"required": "Say whether it is a number, a range or not known."},
    )
    number = _number("How many")
    low = _number("At least")
    high = _number("At most")
    basis = forms.ChoiceField(
        choices=BASES, label="What it rests on", error_messages={"required": "Say what the count rests on."}
    )
    source = forms.CharField(
        max_length=300,
        label="Who or what says so",
        help_text="A message, a query, a meeting, with its date. No names of affected people.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say who or what says so: somebody will ask."},
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        match data.get("how_many"):
            case "about" if data.get("number") is None and "number" not in self.errors:
                self.add_error("number", "Give a number from 1 up, or choose “Not known yet”.")
            case "range" if data.get("low") is None and data.get("high") is None and not self.errors:
                self.add_error("low", "Give at least one of the two numbers.")
        return data

    def stated(self) -> dict[str, Any]:
        """As state_count() takes it."""
        data = self.cleaned_data
        low, high = {
            "about": (data["number"], data["number"]),
            "range": (data["low"], data["high"]),
            "not_known": (None, None),
        }[data["how_many"]]
        return {"low": low, "high": high, "basis": data["basis"], "source": data["source"]}
