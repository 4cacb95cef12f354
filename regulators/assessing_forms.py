"""A score's inputs and a decision as they are typed. They read and never save."""

from collections.abc import Mapping
from typing import Any

from django import forms

from breachdesk.incidents.assessment import Context, Inputs, Recipient
from breachdesk.incidents.models import Assessment, Decision
from breachdesk.incidents.scales import CIRCUMSTANCES, EASE, LADDERS, Category, Extent, Identification

NOT_AFFECTED = ""
YES_NO = [("yes", "Yes"), ("no", "No")]
YES_NO_NOT_KNOWN = [*YES_NO, ("not_known", "Not known")]
ANSWERS = {"yes": True, "no": False}
RECIPIENTS = [
    (Recipient.NOBODY, "Nobody"),
    (Recipient.TRUSTED, "Somebody we trust, who confirmed that it is deleted"),
    (Recipient.KNOWN, "Somebody we know and do not trust"),
    (Recipient.UNKNOWN, "Nobody knows"),
]


def radios(label: str, choices: Any, **kwargs: Any) -> forms.ChoiceField:
    wrong = {"required": f"“{label}” has no answer yet. Choose one."}
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, error_messages=wrong, **kwargs)


class ScoreForm(forms.Form):
    identification = radios(
        "How easily does the data say whose it is?",
        [(level.value, words[1].capitalize()) for level, words in EASE.items()],
    )
    malicious = radios("Did somebody mean to do harm?", YES_NO)
    recipient = radios("Who may have it now?", RECIPIENTS)
    unintelligible = radios("Is it unreadable to them (encrypted or hashed, the key safe)?", YES_NO_NOT_KNOWN)
    insider = radios("Is one of our own people behind it?", YES_NO_NOT_KNOWN)
    note = forms.CharField(
        required=False,
        max_length=4000,
        label="Notes on the factors",
        help_text="What the score does not say: the particular people, the consequences, how lasting they are.",
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for category, ladder in LADDERS.items():
            steps = [(str(step), f"{_points(ladder.base + step)}: {words}") for step, words in ladder.steps.items()]
            self.fields[category] = radios(
                ladder.label, [(NOT_AFFECTED, "Not among the data"), *steps], required=False, initial=NOT_AFFECTED
            )
        for name, words in CIRCUMSTANCES.items():
            self.fields[name] = radios(
                name.capitalize(), [(extent, text.capitalize()) for extent, text in words.items()]
            )
        self.order_fields([*LADDERS, "identification", *CIRCUMSTANCES, "malicious", "recipient"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not any(data.get(category) for category in LADDERS):
            self.add_error(Category.SIMPLE, "Say of at least one category how far it is affected.")
        return data

    @classmethod
    def initial_of(cls, assessment: Assessment | None) -> dict[str, Any]:
        """As it was scored last."""
        if assessment is None:
            return {}
        kept: Mapping[str, Any] = assessment.inputs
        words = {True: "yes", False: "no", None: "not_known"}
        return {
            **{category: str(step) for category, step in kept["contexts"]},
            **{name: kept[name] for name in ("identification", "recipient", *CIRCUMSTANCES)},
            "malicious": words[kept["is_malicious"]],
            "unintelligible": words[kept["is_unintelligible"]],
            "insider": words[kept["by_insider"]],
            "note": assessment.note,
        }

    def inputs(self, *, people: int | None, kinds: frozenset[str]) -> Inputs:
        data = self.cleaned_data
        return Inputs(
            contexts=tuple(Context(category, int(data[category])) for category in LADDERS if data[category]),
            identification=Identification(data["identification"]),
            confidentiality=Extent(data["confidentiality"]),
            integrity=Extent(data["integrity"]),
            availability=Extent(data["availability"]),
            is_malicious=ANSWERS[data["malicious"]],
            people=people,
            is_unintelligible=ANSWERS.get(data["unintelligible"]),
            kinds=kinds,
            recipient=Recipient(data["recipient"]),
            by_insider=ANSWERS.get(data["insider"]),
        )


def _points(sum_of: int) -> int:
    return min(4, max(1, sum_of))


class DecisionForm(forms.Form):
    about = forms.ChoiceField(choices=Decision.About, widget=forms.HiddenInput)
    tell = forms.ChoiceField(
        label="Decision",
        choices=[("yes", "Tell them"), ("no", "Do not tell them")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether to tell them or not."},
    )
    reason = forms.CharField(
        max_length=4000,
        label="Reason",
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Give the reason. The authority may ask for it, above all after a no."},
    )
    expected = forms.UUIDField(required=False, widget=forms.HiddenInput)

    @property
    def tells(self) -> bool:
        return ANSWERS[self.cleaned_data["tell"]]
