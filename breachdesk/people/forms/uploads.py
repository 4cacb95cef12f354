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
