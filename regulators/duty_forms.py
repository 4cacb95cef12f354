"""What people answer about a case, about us, and about a duty that was met. They read what was typed and never save."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from breachdesk.incidents.forms import MomentFields, show_refusal
from breachdesk.incidents.models import Moment
from regulators.actions import Statement, Told
from regulators.models import StatedFact
from regulators.positions import Question
from regulators.standing import Duty

YES, NO, NOT_KNOWN = "yes", "no", "not_known"
YES_NO = [(YES, "Yes"), (NO, "No"), (NOT_KNOWN, "Not known")]
LIST_FROM = 8  # from so many choices on, a list to pick from


class AskedForm(forms.Form):
    """One question: yes or no, one choice, or several; *not known* is always an answer."""

    basis = forms.CharField(
        required=False,
        max_length=1000,
        label="How do you know?",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, question: Question, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.question = question
        self.fields["value"] = _field_of(question)
        self.order_fields(["value", "basis"])

    @classmethod
    def initial_of(cls, fact: StatedFact | None) -> dict[str, Any]:
        if fact is None:
            return {}
        value = {True: YES, False: NO, None: NOT_KNOWN}.get(fact.value) if not isinstance(fact.value, list) else None
        return {"value": value or fact.value, "basis": fact.basis}

    def statement(self) -> Statement:
        value = self.cleaned_data["value"]
        if not self.question.choices:
            value = {YES: True, NO: False}.get(value)
        elif value == NOT_KNOWN:
            value = None
        return Statement(self.question.key, value, self.cleaned_data["basis"])


def _field_of(question: Question) -> forms.Field:
    if question.several:
        return forms.MultipleChoiceField(
            choices=question.choices, label=question.label, required=False, widget=forms.CheckboxSelectMultiple
        )
    choices = [*question.choices, (NOT_KNOWN, "Not known")] if question.choices else YES_NO
    widget = forms.Select if len(choices) > LIST_FROM else forms.RadioSelect
    wrong = {"required": "Choose one. “Not known” is an answer."}
    return forms.ChoiceField(choices=choices, label=question.label, widget=widget, error_messages=wrong)


class ToldForm(MomentFields):
    """When and how somebody was told, and why so late where it was."""

    kind = Moment.Kind.AWARE  # only its fields are used
    must_be_known = True
    how = forms.CharField(
        max_length=1000,
        label="How were they told?",
        help_text="By whom, by which way, to which address, under which reference.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say how they were told: by whom, by which way, to which address."},
    )
    delay_reason = forms.CharField(
        max_length=1000,
        required=False,
        label="Why was it late?",
        help_text="Only if it was after the end of the period.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, duty: Duty, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.duty = duty
        del self.fields["basis"], self.fields["precision"]
        for name, wrong in (("date", "Say on which day they were told."), ("time", "Say at what time they were told.")):
            self.fields[name].required = True
            self.fields[name].error_messages["required"] = wrong

    def told(self) -> Told:
        one, data = self.duty.obligation, self.cleaned_data
        return Told(
            one.regime.id, one.duty.id, one.place, data["at"], data["how"], self.duty.due.at, data["delay_reason"]
        )

    def show(self, refusal: ValidationError) -> None:
        if hasattr(refusal, "error_dict") and "told_at" in refusal.error_dict:
            refusal.error_dict["time"] = refusal.error_dict.pop("told_at")
        show_refusal(self, refusal)
