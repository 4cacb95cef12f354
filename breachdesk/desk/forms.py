"""Filters. They are read from the address, so that a filtered page can be sent to a colleague."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django import forms

from breachdesk.accounts.models import User
from breachdesk.desk.register import LABELS, Reported
from breachdesk.incidents.models import Incident


class DayInput(forms.DateInput):
    input_type = "date"


class TrailFilter(forms.Form):
    PRODUCT = "product"
    EVERYTHING = "everything"
    GROUPS: ClassVar[dict[str, tuple[str, frozenset[str]]]] = {
        "incident": ("Facts and clocks", frozenset({"incident", "moment", "assessment", "notification"})),
        "people": ("Affected people", frozenset({"upload", "people", "person"})),
        "notices": ("Notices and sends", frozenset({"notice", "edition", "delivery", "mail_event"})),
        "filings": ("Duties and filings", frozenset({"filing", "duty", "fact", "position"})),
        "decisions": ("Decisions asked for", frozenset({"decision"})),
        "staff": ("Colleagues and settings", frozenset({"user", "organisation"})),
        "proof": (
            "Proof, exports and erasure",
            frozenset({"trail", "checkpoint", "signing_key", "bundle", "report", "proof", "privacy"}),
        ),
        "installation": ("The installation", frozenset({"key", "backup", "clock", "heartbeat", "roles"})),
    }

    who = forms.ChoiceField(label="Who", required=False)
    what = forms.ChoiceField(label="What", required=False)
    on = forms.ChoiceField(label="About", required=False)
    start = forms.DateField(label="From", required=False, widget=DayInput)
    end = forms.DateField(label="To", required=False, widget=DayInput)

    def __init__(self, *args: Any, objects: Sequence[tuple[str, str]] = (), **kwargs: Any) -> None:
        """`objects` is what the case holds, as (id, name); without any, nothing is offered."""
        super().__init__(*args, **kwargs)
        if objects:
            self.fields["on"].choices = [("", "Everything in the case"), *objects]  # type: ignore[attr-defined]
        else:
            del self.fields["on"]
        colleagues = [(str(user.pk), user.name) for user in User.objects.by_name()]
        self.fields["who"].choices = [("", "Everyone"), *colleagues, (self.PRODUCT, "BreachDesk itself")]  # type: ignore[attr-defined]
        groups = [(key, label) for key, (label, _) in self.GROUPS.items()]
        self.fields["what"].choices = [("", "What people did"), *groups, (self.EVERYTHING, "Everything")]  # type: ignore[attr-defined]


class IncidentFilter(forms.Form):
    q = forms.CharField(
        label="Reference or title", required=False, max_length=160, widget=forms.TextInput(attrs={"type": "search"})
    )
    status = forms.ChoiceField(
        label="State", required=False, choices=[("", "Open and closed"), *Incident.Status.choices]
    )
    origin = forms.ChoiceField(label="Where", required=False, choices=[("", "Anywhere"), *Incident.Origin.choices])


class RegisterFilter(forms.Form):
    year = forms.TypedChoiceField(label="Became aware", required=False, coerce=int, empty_value=None)
    reported = forms.ChoiceField(
        label="Reported", required=False, choices=[("", "Yes and no"), *((one.value, LABELS[one]) for one in Reported)]
    )
    origin = forms.ChoiceField(label="Origin", required=False, choices=[("", "Anywhere"), *Incident.Origin.choices])
    words = forms.CharField(
        label="Contains", required=False, max_length=160, widget=forms.TextInput(attrs={"type": "search"})
    )

    def __init__(self, *args: Any, years: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["year"].choices = [("", "Any time"), *((year, str(year)) for year in years)]  # type: ignore[attr-defined]


class BundleForm(forms.Form):
    recipient = forms.CharField(
        label="Who is it for?",
        help_text="Kept in the trail, sealed.",
        max_length=200,
        required=True,
        error_messages={"required": "Say who gets it: the authority, our lawyers, a court."},
    )
    private = forms.BooleanField(
        label="Open what was typed, and name colleagues",
        help_text="Reasons, facts and texts in the words of whoever wrote them. Without it the bundle holds hashes of "
        "them, which can be opened later. People of the lists are never named.",
        required=False,
    )


class LetterCostForm(forms.Form):
    cost = forms.DecimalField(
        min_value=Decimal("0.01"),
        max_value=Decimal(1000),
        decimal_places=2,
        label="What one letter costs, in US dollars",
        help_text="Paper, print, envelope and postage.",
        widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"}),
    )


class PublishedForm(forms.Form):
    """When and how a public notice was made."""

    at = forms.DateTimeField(
        label="Published at",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"required": "Say when it was published."},
    )
    how = forms.CharField(
        max_length=1000,
        label="Where, and for how long",
        help_text="The address on your website, the media and their dates, and on which numbers it rests.",
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say where it was published."},
    )
