from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from breachdesk.incidents.actions import Facts, StatedMoment
from breachdesk.incidents.kinds import CHOICES
from breachdesk.incidents.models import Incident, Moment
from breachdesk.incidents.moments import NoSuchTime, instant_of, meant_yesterday

COMMON_ZONES = ["Europe/London", "Europe/Dublin", "Europe/Paris", "Europe/Berlin", "UTC", "America/New_York"]
ZONES = [(zone, zone.replace("_", " ")) for zone in [*COMMON_ZONES, *sorted(available_timezones() - {*COMMON_ZONES})]]
HOW_MANY = [("about", "A number"), ("range", "A range"), ("not_known", "Not known yet")]


class MomentFields(forms.Form):
    """A date, a time, a zone and how sure we are: one moment as it is typed."""

    precision = forms.ChoiceField(choices=Moment.Precision, widget=forms.RadioSelect, initial="exact", label="How sure")
    date = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.ChoiceField(choices=ZONES, label="Time zone")
    basis = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), label="How is it known?"
    )
    kind = ""
    must_be_known = False
    suggestion: datetime | None = None

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        data["at"] = None
        if data.get("precision") == Moment.Precision.NOT_KNOWN:
            if self.must_be_known:
                self.add_error("date", "The clocks need a moment to run from. “About” is an answer.")
            return data
        if self._is_blank(data):
            return data
        if not data.get("date") or data.get("time") is None:
            if not self.errors:
                self.add_error("date", "Give both a date and a time. If you are not sure, choose “About”.")
            return data
        data["at"] = self._instant(data)
        return data

    def _is_blank(self, data: Mapping[str, Any]) -> bool:
        """An optional moment that nobody filled in is not stated at all."""
        blank = not data.get("date") and data.get("time") is None and not self.errors
        return blank and not self.must_be_known

    def _instant(self, data: Mapping[str, Any]) -> datetime | None:
        try:
            at = instant_of(data["date"], data["time"], data["zone"])
        except (NoSuchTime, KeyError) as error:
            self.add_error("time", str(error))
            return None
        now = timezone.now()
        if at > now:
            self.suggestion = meant_yesterday(at, now)
            self.add_error("time", "The time is in the future. Give a time that has passed.")
        return at

    def stated(self) -> StatedMoment | None:
        data = self.cleaned_data
        if data["at"] is None and data["precision"] != Moment.Precision.NOT_KNOWN:
            return None
        return StatedMoment(self.kind, data["at"], data["precision"], data["zone"], data["basis"])


class AwareForm(MomentFields):
    kind = Moment.Kind.AWARE
    must_be_known = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["precision"].choices = [choice for choice in Moment.Precision.choices if choice[0] != "not_known"]  # type: ignore[attr-defined]
        self.fields["basis"].label = "How did you become aware?"
        self.fields["basis"].help_text = "Who told whom, and how: a call, a message, an alarm."


class ToldForm(MomentFields):
    kind = Moment.Kind.TOLD_BY_PROCESSOR


class BeganForm(MomentFields):
    kind = Moment.Kind.BEGAN


class CorrectionForm(MomentFields):
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)


class IntakeForm(forms.Form):
    """Tells one filled-in form from the next, so that a double click logs one incident."""

    intake = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class FactsForm(forms.Form):
    what_happened = forms.CharField(
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="What happened",
        error_messages={"required": "Say in a sentence what happened. One line is enough for now."},
    )
    title = forms.CharField(max_length=160, required=False, label="Short title")
    origin = forms.ChoiceField(
        choices=Incident.Origin, widget=forms.RadioSelect, error_messages={"required": "Choose where it began."}
    )
    processor = forms.CharField(max_length=160, required=False, label="Which company?")
    our_role = forms.ChoiceField(choices=Incident.Role, widget=forms.RadioSelect, initial=Incident.Role.CONTROLLER)
    kinds = forms.MultipleChoiceField(choices=CHOICES, widget=forms.CheckboxSelectMultiple, required=False)
    kinds_uncertain = forms.BooleanField(required=False, label="Not sure")
    how_many = forms.ChoiceField(
        choices=HOW_MANY,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one. “Not known yet” is an answer."},
    )
    people_about = forms.IntegerField(min_value=1, max_value=2_000_000_000, required=False, label="About")
    people_low = forms.IntegerField(min_value=1, max_value=2_000_000_000, required=False, label="At least")
    people_high = forms.IntegerField(min_value=1, max_value=2_000_000_000, required=False, label="At most")

    effects = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What it did to people",
        help_text="The effects so far and the likely ones, as the breach register keeps them (Article 33(5)).",
    )
    action_taken = forms.CharField(
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What was done about it",
        help_text="Against the breach and against its effects.",
    )

    @classmethod
    def initial_of(cls, incident: Incident) -> dict[str, Any]:
        known = {name: getattr(incident, name) for name in cls.base_fields if hasattr(incident, name)}
        low, high = incident.people_low, incident.people_high
        if low is None and high is None:
            return known | {"how_many": "not_known"}
        if low == high:
            return known | {"how_many": "about", "people_about": low, "people_low": None, "people_high": None}
        return known | {"how_many": "range"}

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("origin") == Incident.Origin.PROCESSOR and not data.get("processor"):
            self.add_error("processor", "Name the company, or choose “Not known yet” above.")
        if not data.get("kinds") and not data.get("kinds_uncertain"):
            self.add_error("kinds", "Tick what may be included, or “Not sure”.")
        self._clean_people(data)
        return data

    def _clean_people(self, data: dict[str, Any]) -> None:
        match data.get("how_many"):
            case "not_known":
                data["people_low"] = data["people_high"] = None
            case "about":
                data["people_low"] = data["people_high"] = data.get("people_about")
                if not data.get("people_about") and "people_about" not in self.errors:
                    self.add_error("people_about", "Give a number from 1 up, or choose “Not known yet”.")
            case "range":
                low, high = data.get("people_low"), data.get("people_high")
                if low is None and high is None and not {"people_low", "people_high"} & set(self.errors):
                    self.add_error("people_low", "Give at least one of the two numbers.")
                if low and high and low > high:
                    self.add_error("people_high", "“At most” is smaller than “at least”.")

    def facts(self) -> Facts:
        data = self.cleaned_data
        if data["origin"] != Incident.Origin.PROCESSOR:
            data["processor"] = ""
        names = ["what_happened", "title", "origin", "processor", "our_role", "kinds", "kinds_uncertain"]
        return Facts(**{name: data[name] for name in [*names, "people_low", "people_high", "effects", "action_taken"]})


class VersionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def show_refusal(form: forms.Form, refusal: ValidationError) -> None:
    """Puts an action's refusal beside the field it is about, or above the form."""
    if hasattr(refusal, "error_dict"):
        for name, errors in refusal.error_dict.items():
            form.add_error(name if name in form.fields else None, errors)
    else:
        form.add_error(None, refusal)
