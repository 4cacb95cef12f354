from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.html import format_html

from breachdesk.accounts.models import User
from breachdesk.people.languages import LANGUAGES, language_name
from notifications.letter_pages import WINDOWS
from notifications.starters import STARTERS

LANGUAGE_CHOICES = sorted(((tag, names[0]) for tag, names in LANGUAGES.items()), key=lambda choice: choice[1])


class NoticeForm(forms.Form):
    title = forms.CharField(
        max_length=160,
        label="Name of the notice",
        help_text="Only colleagues see it, for example “Customer notice”.",
        error_messages={"required": "Give the notice a short name. Only colleagues see it."},
    )
    default_language = forms.ChoiceField(
        choices=LANGUAGE_CHOICES,
        initial="en",
        label="Language for everybody without their own",
        help_text="People whose language has no edition get this one.",
    )
    starter = forms.ChoiceField(
        choices=[(one.key, one.name) for one in STARTERS.values()],
        label="Begin with",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you begin with. You can change every word of it."},
    )


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=[], label="Language")

    def __init__(self, *args: Any, wanted: dict[str, int], **kwargs: Any) -> None:
        """Languages that people in the list read come first, with their number."""
        super().__init__(*args, **kwargs)
        read = [(tag, f"{language_name(tag)}: {number:,} people") for tag, number in wanted.items()]
        others = [choice for choice in LANGUAGE_CHOICES if choice[0] not in wanted]
        self.fields["language"].choices = [("Read by people in the list", read), ("Others", others)]  # type: ignore[attr-defined]


class TextForm(forms.Form):
    """The editor. A text with faults may be kept; only its length is refused here."""

    subject = forms.CharField(
        max_length=160,
        required=False,
        label="Subject",
        help_text="Say what happened. No “urgent”, no “action required”. The same for everybody.",
    )
    body = forms.CharField(
        max_length=20_000,
        required=False,
        strip=False,
        label="Message",
        widget=forms.Textarea(attrs={"rows": 30, "spellcheck": "true"}),
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class OverruleForm(forms.Form):
    """Which failing checks, and why the notice may go out all the same."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    checks = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        label="You take the responsibility for",
        error_messages={"required": "Choose at least one.", "invalid_choice": "That check is not failing any more."},
    )
    reason = forms.CharField(
        max_length=1000,
        label="Why may it go out all the same?",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why. It stands on the review page, in the trail and in the bundle."},
    )

    def __init__(self, *args: Any, failing: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["checks"].choices = failing  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    """The state of the page that asked, a reason, and a reference typed to confirm what cannot be undone."""

    version = forms.IntegerField()
    confirm = forms.CharField(required=False)
    reason = forms.CharField(
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say what must change. The author reads this first."},
    )

    def __init__(self, *args: Any, must_match: str = "", reason_needed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.must_match = must_match
        self.fields["reason"].required = reason_needed

    def clean_confirm(self) -> str:
        typed: str = self.cleaned_data["confirm"].strip()
        if self.must_match and typed != self.must_match:
            raise forms.ValidationError(f"Type {self.must_match} to confirm. Nothing was changed.")
        return typed


class WindowForm(forms.Form):
    """For which envelopes letters are printed."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    window = forms.ChoiceField(
        choices=[(one.key, one.name) for one in WINDOWS.values()],
        widget=forms.RadioSelect,
        label="Envelopes",
        error_messages={"required": "Choose the envelopes that the letters are printed for."},
    )


class PostedForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    on = forms.DateField(
        label="Posted on",
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"required": "Say on which day they were posted."},
    )
    how = forms.CharField(
        max_length=300,
        label="By whom, and how",
        help_text="For example the printer, the class of mail and the number of the order.",
        error_messages={"required": "Say who posted them and how."},
    )


class ReasonForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=1000,
        label="Why?",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Say why. It stands in the trail."},
    )


class FindForm(forms.Form):
    find = forms.CharField(
        max_length=254, required=False, label="Email address or customer number", help_text="Exactly as in the list."
    )


class TestSendForm(forms.Form):
    """The version of the page that asked, and the colleagues who get a test."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    colleagues = forms.TypedMultipleChoiceField(
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        label="Who gets it",
        error_messages={
            "required": "Choose at least one colleague.",
            "invalid_choice": "Somebody you chose has no account here any more. Choose again.",
        },
    )

    def __init__(self, *args: Any, known: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = [(str(user.pk), format_html("{} <small>{}</small>", user.name, user.email)) for user in known]
        self.fields["colleagues"].choices = shown  # type: ignore[attr-defined]
