"""One small form per question. They read what was typed and never save."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.http import QueryDict

from breachdesk.audit.canonical import time_of, time_text
from breachdesk.incidents.forms import ZONES
from breachdesk.incidents.moments import NoSuchTime, instant_of
from regulators.actions import NewAnswer
from regulators.catalogue.schema import Kind, Question
from regulators.models import Filing, Receipt
from regulators.sheet import Given, Part, Sheet, fingerprint_of, tidy
from regulators.unsaved import Words
from regulators.wording import PARTS

NOT_KNOWN = "not_known"
MOST_TYPED = 20_000  # characters; the form's own limit is counted on the page and refused at sign-off
MANY = 8  # from so many choices on, a list to pick from
LARGEST = 2**53 - 1


def date_field(label: str = "", *, missing: str = "") -> forms.DateField:
    """`missing`: what is said where there must be one."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=bool(missing), widget=widget, error_messages={"required": missing})


def time_field(label: str, *, missing: str = "") -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=bool(missing), widget=widget, error_messages={"required": missing})


class Digits(forms.IntegerField):
    """A whole number as people write it: 428,316 or 428 316."""

    widget = forms.TextInput(attrs={"inputmode": "numeric"})

    def to_python(self, value: Any) -> int | None:
        text = "".join(str(value).replace(",", "").split()) if value not in self.empty_values else None
        return super().to_python(text)

    def prepare_value(self, value: Any) -> Any:
        return f"{value:,}" if isinstance(value, int) else value


class Days(forms.CharField):
    """Days, one a line, as a date input writes them: 2026-11-21. The value is a list of them, or None."""

    widget = forms.Textarea(attrs={"rows": 2, "placeholder": "2026-11-21"})

    def clean(self, value: Any) -> list[str] | None:
        text: str = super().clean(value)
        try:
            return [date.fromisoformat(line).isoformat() for line in text.replace(",", " ").split()] or None
        except ValueError:
            raise ValidationError("Write each day as 2026-11-21, one a line.") from None

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value


class AnswerForm(forms.Form):
    """Fields by the question's kind, and, where the form allows it, *not yet known* with a promised date."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    shown = forms.CharField(widget=forms.HiddenInput, max_length=16)

    def __init__(self, given: Given, data: Mapping[str, Any] | None = None) -> None:
        self.given, self.question = given, given.question
        initial = {"version": given.version, "shown": given.fingerprint, **initial_of(given)}
        super().__init__(data, prefix=given.key, initial=initial)
        self.fields |= fields_of(self.question)
        if self.question.not_known:
            self._add_not_known(self.question.not_known)

    def _add_not_known(self, label: str) -> None:
        if self.question.kind not in {Kind.CHOICE, Kind.YES_NO}:
            box = forms.CheckboxInput(attrs={"value": NOT_KNOWN})
            self.fields["not_known"] = forms.BooleanField(required=False, label=label, widget=box)
        self.fields["promised_on"] = date_field("We will send it by")
        self.fields["so_far"] = forms.CharField(
            label="What we know so far, and who is finding out",
            max_length=1000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2}),
        )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        data["value"] = None if self.errors else self._value_of(data)
        if self._is_not_known(data):
            data["value"] = None
            if not data.get("promised_on") and "promised_on" not in self.errors:
                self.add_error("promised_on", "Promise a day: “not yet known” is an answer with a date.")
        else:
            data["promised_on"], data["so_far"] = None, ""
        return data

    def _is_not_known(self, data: Mapping[str, Any]) -> bool:
        return data.get("not_known") is True or data.get("value") == NOT_KNOWN

    def _value_of(self, data: dict[str, Any]) -> Any:
        match self.question.kind:
            case Kind.TEXT | Kind.LONG_TEXT:
                return tidy(data["value"]) or None
            case Kind.CHOICES:
                return [value for value in self.question.values if value in data["value"]] or None
            case Kind.DATE:
                return data["value"].isoformat() if data["value"] else None
            case Kind.MOMENT:
                return self._moment_of(data)
            case Kind.MONEY:
                return self._money_of(data)
            case Kind.PERCENT:
                return None if data["value"] is None else f"{data['value']:f}"
            case Kind.CONTACT:
                contact = {part: tidy(data[part]) for part in PARTS}
                return contact if any(contact.values()) else None
            case _:
                return None if data["value"] == "" else data["value"]

    def _moment_of(self, data: dict[str, Any]) -> dict[str, str] | None:
        if not data["date"] and data["time"] is None:
            return None
        if not data["date"] or data["time"] is None:
            self.add_error("date", "Give both a date and a time. If you are not sure, choose “About”.")
            return None
        try:
            at = instant_of(data["date"], data["time"], data["zone"])
        except NoSuchTime as error:
            self.add_error("time", str(error))
            return None
        return {"at": time_text(at), "zone": data["zone"], "precision": data["precision"]}

    def _money_of(self, data: dict[str, Any]) -> dict[str, str] | None:
        amount, currency = data["amount"], data["currency"].strip().upper()
        if amount is None and not currency:
            return None
        if amount is None or not currency:
            self.add_error("amount", "Give both an amount and its currency, as EUR.")
            return None
        return {"amount": f"{amount:f}", "currency": currency}

    @property
    def is_changed(self) -> bool:
        """Whether the person changed what the page showed; what came back untouched is nobody's answer."""
        data = self.cleaned_data
        fingerprint = fingerprint_of(data["value"], data.get("promised_on"), data.get("so_far", ""))
        return bool(fingerprint != data["shown"])

    @property
    def says_the_same(self) -> bool:
        """Whether what was typed is what the answer says now, whatever the page showed."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        return fingerprint_of(data["value"], data.get("promised_on"), data.get("so_far", "")) == self.given.fingerprint

    @property
    def names(self) -> list[str]:
        """Of its boxes on the page, hidden ones too."""
        return [self.add_prefix(name) for name in self.fields]

    def new_answer(self) -> NewAnswer:
        data = self.cleaned_data
        return NewAnswer(data["version"], data["value"], data.get("promised_on"), data.get("so_far", ""))

    @property
    def typed(self) -> int:
        """Characters in the box now, for the counter."""
        return len(tidy(str(self["value"].value() or "")))

    @property
    def other_errors(self) -> list[str]:
        """Errors of the answer as a whole and of its hidden fields."""
        return [*self.non_field_errors(), *self.errors.get("version", []), *self.errors.get("shown", [])]


def fields_of(question: Question) -> dict[str, forms.Field]:
    match question.kind:
        case Kind.TEXT:
            return {"value": forms.CharField(required=False, max_length=MOST_TYPED)}
        case Kind.LONG_TEXT:
            area = forms.Textarea(attrs={"rows": 4})
            return {"value": forms.CharField(required=False, max_length=MOST_TYPED, widget=area)}
        case Kind.CHOICE | Kind.YES_NO:
            return {"value": _choice_field(question)}
        case Kind.CHOICES:
            boxes = forms.CheckboxSelectMultiple()
            choices = [(value, question.label_of(value)) for value in question.values]
            return {"value": forms.MultipleChoiceField(required=False, choices=choices, widget=boxes)}
        case Kind.NUMBER:
            return {"value": Digits(required=False, min_value=0, max_value=LARGEST)}
        case Kind.DATE:
            return {"value": date_field()}
        case Kind.DATES:
            return {"value": Days(required=False)}
        case Kind.MOMENT:
            return moment_fields()
        case Kind.MONEY:
            return money_fields()
        case Kind.PERCENT:
            return {"value": forms.DecimalField(required=False, min_value=0, max_value=100, decimal_places=2)}
        case Kind.URL:
            return {"value": forms.URLField(required=False, max_length=2_000, assume_scheme="https")}
        case _:
            return {
                "name": forms.CharField(required=False, max_length=120),
                "email": forms.EmailField(required=False, max_length=254),
                "phone": forms.CharField(required=False, max_length=40),
                "address": forms.CharField(required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})),
            }


def money_fields() -> dict[str, forms.Field]:
    letters = RegexValidator(r"^\s*[A-Za-z]{3}\s*$", "Write the currency in three letters, as EUR.")
    return {
        "amount": forms.DecimalField(
            required=False, label="Amount", min_value=0, max_digits=18, decimal_places=2, localize=False
        ),
        "currency": forms.CharField(required=False, label="Currency", max_length=5, validators=[letters]),
    }


def _choice_field(question: Question) -> forms.ChoiceField:
    choices = [(value, question.label_of(value)) for value in question.values]
    if question.not_known:
        choices.append((NOT_KNOWN, question.not_known))
    if len(choices) < MANY:
        return forms.ChoiceField(required=False, choices=choices, widget=forms.RadioSelect)
    return forms.ChoiceField(required=False, choices=[("", "Choose one"), *choices])


def moment_fields() -> dict[str, forms.Field]:
    sure = [("exact", "Exactly"), ("about", "About")]
    return {
        "date": date_field("Date"),
        "time": time_field("Time"),
        "zone": forms.ChoiceField(choices=ZONES, label="Time zone"),
        "precision": forms.ChoiceField(choices=sure, initial="exact", widget=forms.RadioSelect, label="How sure"),
    }


def initial_of(given: Given) -> dict[str, Any]:
    shared = {"promised_on": given.promised_on, "so_far": given.so_far}
    chosen = given.question.kind in {Kind.CHOICE, Kind.YES_NO}
    if given.promised_on:
        return {**shared, "value": NOT_KNOWN} if chosen else {**shared, "not_known": True, "zone": "Europe/London"}
    match given.question.kind:
        case Kind.MOMENT:
            return _initial_moment(given.value)
        case Kind.CONTACT | Kind.MONEY:
            return dict(given.value or {})
        case _:
            return {"value": given.value}


def _initial_moment(value: dict[str, str] | None) -> dict[str, Any]:
    if value is None:
        return {"zone": "Europe/London"}
    local = time_of(value["at"]).astimezone(ZoneInfo(value["zone"]))
    return {**value, "date": local.date(), "time": local.time()}


@dataclass(frozen=True)
class Row:
    given: Given
    form: AnswerForm
    unsaved: Words | None = None

    @property
    def state(self) -> str:
        return "invalid" if self.form.errors else self.given.state

    @property
    def overtaken(self) -> bool:
        """Somebody changed the answer under the words that wait here."""
        return self.unsaved is not None and str(self.form["version"].value()) != str(self.given.version)


@dataclass(frozen=True)
class PartRows:
    part: Part
    rows: list[Row]

    @property
    def is_open(self) -> bool:
        """A complete section is folded away, unless something in it needs another look."""
        return not self.part.is_complete or any(row.unsaved or row.form.errors for row in self.rows)


def rows_of(
    sheet: Sheet, data: Mapping[str, Any] | None = None, unsaved: Mapping[str, Words] | None = None
) -> list[PartRows]:
    """With `data`, only questions that were on the page are bound to it; with `unsaved`, those that have such words."""

    def row(given: Given) -> Row:
        words = (unsaved or {}).get(given.key)
        if words:
            return Row(given, AnswerForm(given, words.data), words)
        return Row(given, AnswerForm(given, data if data is not None and f"{given.key}-version" in data else None))

    return [PartRows(part, [row(given) for given in part.asked]) for part in sheet.parts if part.asked]


def show_refusals(rows: list[PartRows], refusal: ValidationError) -> None:
    """Puts each refusal beside the answer it is about, with the newest version, so that saving again is a choice."""
    by_question = refusal.message_dict if hasattr(refusal, "error_dict") else {}
    for row in (row for part in rows for row in part.rows):
        if reasons := by_question.get(row.given.key):
            row.form.add_error(None, reasons)
            # What the person typed stays; only what it would replace is brought up to date.
            data = cast("QueryDict", row.form.data).copy()
            data[f"{row.given.key}-version"] = str(row.given.version)
            data[f"{row.given.key}-shown"] = row.given.fingerprint
            row.form.data = data


class SubmissionForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    way = forms.ChoiceField(choices=Receipt.Way, label="How it was sent")
    date = date_field("Sent on", missing="Say on which day it was sent.")
    time = time_field("At", missing="Say at what time it was sent.")
    zone = forms.ChoiceField(choices=ZONES, label="Time zone")
    authority_reference = forms.CharField(required=False, max_length=80, label="Their case reference")
    delay_reason = forms.CharField(
        required=False,
        max_length=1000,
        label="Why was it late?",
        help_text="Only if it was sent after the end of the period, and the report does not say so itself.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    file = forms.FileField(required=False, label="Receipt, PDF or email")

    @classmethod
    def of(cls, filing: Filing, zone: str, data: Any = None, files: Any = None) -> "SubmissionForm":
        return cls(data, files, initial={"version": filing.version, "zone": zone, "way": Receipt.Way.ONLINE})

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                data["submitted_at"] = instant_of(data["date"], data["time"], data["zone"])
            except NoSuchTime as error:
                self.add_error("time", str(error))
        return data


class StepForm(forms.Form):
    """Moves a filing on, from the version the page showed."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        required=False, max_length=1000, label="What has to change", widget=forms.Textarea(attrs={"rows": 2})
    )
