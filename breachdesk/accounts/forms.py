"""What is asked about colleagues and about the organisation. Forms check and never save."""

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html

from breachdesk.accounts.models import Organisation, User
from breachdesk.accounts.permissions import ROLES

DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]{2,4})?")


def zones() -> list[tuple[str, str]]:
    named = sorted(
        zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
    )
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in named)]


def role_choices() -> list[tuple[str, str]]:
    return [(key, format_html("{}<small>{}</small>", role.label, role.purpose)) for key, role in ROLES.items()]


def name_what_is_needed(form: forms.BaseForm) -> None:
    """Instead of "This field is required", which says nothing above a long form."""
    for field in form.fields.values():
        field.error_messages["required"] = f"{field.label} is needed."


class LinesField(forms.CharField):
    """Several short entries, one a line or with commas between; each must have the shape of `pattern`."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"})

    def __init__(self, pattern: re.Pattern[str], wrong: str, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.pattern, self.wrong = pattern, wrong

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        entries = list(dict.fromkeys(re.split(r"[\s,;]+", super().clean(value).strip())))
        for entry in filter(None, entries):
            if not self.pattern.fullmatch(entry):
                raise ValidationError(self.wrong.format(entry=entry))
        return [entry for entry in entries if entry]


class VersionedForm(forms.Form):
    """Carries the version its page showed, so that nobody overwrites what they have not seen."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)


class InviteForm(forms.Form):
    name = forms.CharField(max_length=120, label="Name", help_text="As colleagues know them.")
    email = forms.EmailField(label="Work email", help_text="The link to choose a password goes here.")
    roles = forms.MultipleChoiceField(
        choices=role_choices, widget=forms.CheckboxSelectMultiple, label="What they may do"
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_what_is_needed(self)


class RolesForm(VersionedForm):
    roles = forms.MultipleChoiceField(
        choices=role_choices, widget=forms.CheckboxSelectMultiple, label="What they may do"
    )


class DeputyForm(VersionedForm):
    deputy = forms.ModelChoiceField(
        queryset=User.objects.none(),
        required=False,
        label="Who stands in",
        empty_label="Nobody",
        help_text="Is asked when a decision has waited too long. Only colleagues with the same roles are listed.",
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["deputy"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = User.objects.able_to_stand_in_for(user).by_name()


class RemoveForm(VersionedForm):
    reason = forms.CharField(
        max_length=300, label="Why?", help_text="Kept sealed with the event, for whoever asks later."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].error_messages["required"] = "Say why: the trail keeps the reason."


if TYPE_CHECKING:
    OrganisationModelForm = forms.ModelForm[Organisation]
else:
    OrganisationModelForm = forms.ModelForm


class OrganisationForm(OrganisationModelForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
    zone = forms.ChoiceField(
        choices=zones, label="Time zone", help_text="Times in filings and notices are in this zone."
    )
    allowed_links = LinesField(
        DOMAIN,
        "“{entry}” is not a domain. Write it without https:// and without a path, such as example.com.",
        label="Domains that notices may link to",
        help_text="One a line, such as halden-rowe.example. Subdomains must be named.",
    )
    languages = LinesField(
        LANGUAGE,
        "“{entry}” is not a language code. Use codes such as en, fr, de or pt-BR.",
        label="Languages we write in",
        help_text="Codes such as en, fr, de; the first is the one we fall back to.",
    )
    website = forms.URLField(assume_scheme="https", required=False, label="Website")
    deputy_after = forms.IntegerField(
        min_value=1,
        max_value=72,
        label="Hours until the deputies are asked",
        help_text="When nobody has approved, signed off or decided by then.",
    )

    class Meta:
        model = Organisation
        fields: ClassVar[list[str]] = [
            "legal_name",
            "short_name",
            "address",
            "sector",
            "company_number",
            "ico_registration",
            "zone",
            "dpo_name",
            "dpo_email",
            "dpo_phone",
            "sender_name",
            "sender_email",
            "reply_to",
            "hotline",
            "website",
            "allowed_links",
            "languages",
            "approvers_needed",
            "deputy_after",
            "version",
        ]
        widgets = {"address": forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"})}
        labels = {
            "legal_name": "Legal name",
            "short_name": "The name people know",
            "address": "Postal address",
            "sector": "Sector",
            "company_number": "Company number",
            "ico_registration": "ICO registration number",
            "dpo_name": "Name",
            "dpo_email": "E-mail address",
            "dpo_phone": "Phone number",
            "sender_name": "Name that notices come from",
            "sender_email": "Address that notices come from",
            "reply_to": "Address for answers",
            "hotline": "Hotline for customers",
            "approvers_needed": "Approvals that a notice needs",
        }
        help_texts = {
            "legal_name": "As it stands in the company register.",
            "sender_email": "Its domain must let our relay send for it (SPF, DKIM and DMARC).",
            "reply_to": "Somebody must read it: customers will write.",
            "ico_registration": "Such as ZA000000.",
            "hotline": "Number and hours, as a notice should say them.",
            "approvers_needed": "For notices that are submitted from now on. Authors never approve.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_what_is_needed(self)
        self.initial["deputy_after"] = int(self.instance.deputy_after.total_seconds() // 3600)
        self.initial["version"] = self.instance.version if self.instance.is_known else 0

    def clean_deputy_after(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["deputy_after"])

    @property
    def sections(self) -> list[tuple[str, str, list[tuple[forms.BoundField, str]]]]:
        return [(title, why, [(self[name], WIDTHS.get(name, "")) for name in names]) for title, why, names in SECTIONS]


SECTIONS = [
    (
        "Who we are",
        "In every filing and at the foot of every notice.",
        ["legal_name", "short_name", "address", "sector", "company_number", "ico_registration", "zone"],
    ),
    (
        "Data protection officer",
        "Regulators and customers turn to them.",
        ["dpo_name", "dpo_email", "dpo_phone"],
    ),
    (
        "How we write to customers",
        "What a notice carries, and where people can check that it is genuine.",
        ["sender_name", "sender_email", "reply_to", "hotline", "website", "allowed_links", "languages"],
    ),
    (
        "Who decides",
        "A notice goes out once people who wrote none of it have approved it.",
        ["approvers_needed", "deputy_after"],
    ),
]
WIDTHS = {
    "company_number": "mid",
    "ico_registration": "mid",
    "zone": "mid",
    "dpo_phone": "mid",
    "languages": "mid",
    "approvers_needed": "short",
    "deputy_after": "short",
}
