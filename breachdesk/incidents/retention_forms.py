from typing import Any

from django import forms

from breachdesk.incidents.models import Incident
from breachdesk.incidents.retention import Keeping

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=1000, widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": "Give a reason."}
    )


class DatesForm(ReasonForm):
    delete_on = forms.DateField(
        widget=DAY,
        label="Personal data is destroyed on",
        help_text="From this day on the case asks two people to destroy it. Nothing happens by itself.",
        error_messages={"required": "Give a day."},
    )
    index_until = forms.DateField(
        widget=DAY,
        label="The index answers until",
        help_text="As long as somebody may still ask in court whether, and when, they were told.",
        error_messages={"required": "Give a day."},
    )
    field_order = ["delete_on", "index_until", "reason"]

    @classmethod
    def initial_of(cls, keeping: Keeping) -> dict[str, Any]:
        return {"delete_on": keeping.delete_on, "index_until": keeping.index_until}


class ConfirmForm(forms.Form):
    """The reference, typed: nobody destroys the wrong case by a slip of the hand."""

    typed = forms.CharField(max_length=40, required=False)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        self.fields["typed"].label = f"Type {incident.reference} to confirm"

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"].strip()
        if typed.upper() != self.incident.reference:
            raise forms.ValidationError(f"Type {self.incident.reference}, the case you mean. Nothing was destroyed.")
        return typed
