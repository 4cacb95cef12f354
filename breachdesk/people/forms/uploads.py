"""What is asked of a file of affected people: the file itself, what its columns are, why it looks as it does."""

from collections.abc import Iterable
from typing import Any

from django import forms

from breachdesk.people.uploads import SealedUpload


class SealedFileField(forms.FileField):
    """A file that the request's handler has sealed on its way in; its content is not looked at here."""

    def to_python(self, data: Any) -> Any:
        if data and not isinstance(data, SealedUpload):
            raise forms.ValidationError("The file did not arrive sealed. Nothing was kept; hand it in on this page.")
        return super().to_python(data)


class UploadForm(forms.Form):
    file = SealedFileField(
        label="Drop the list of people anywhere on this page, or choose it",
        help_text="The first row names the columns. Any encoding; you see real rows before anything is stored.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.tab,.txt,.xlsx,.zip,.gz"}),
        error_messages={
            "required": "Choose the file first.",
            "empty": "The file is empty. Choose the list with the people in it.",
        },
    )


class ReasonForm(forms.Form):
    """Why something is taken back."""

    reason = forms.CharField(
        max_length=1000,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why. Auditors read this first."},
    )


class ExplanationForm(forms.Form):
    """One text for each thing that must be explained before a list is taken in, by the key of its signal."""

    prefix = "why"

    def __init__(self, *args: Any, signals: Iterable[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signals = list(signals)
        for signal in self._signals:
            self.fields[signal.key] = forms.CharField(
                max_length=1000,
                label="Why is that right?",
                widget=forms.Textarea(attrs={"rows": 2, "aria-describedby": f"signal-{signal.key}"}),
                error_messages={"required": f"{signal.sentence} Say why that is right, or discard the file."},
            )

    @property
    def signals(self) -> list[tuple[Any, forms.BoundField]]:
        return [(signal, self[signal.key]) for signal in self._signals]
