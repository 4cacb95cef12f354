from django import forms


class SearchForm(forms.Form):
    typed = forms.CharField(
        label="Exact email address or customer number",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type a whole email address or customer number."},
    )


class HoldForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why. Auditors read this first."},
    )
