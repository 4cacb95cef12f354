"""What an audience can be chosen from: what is really in the list, with the number of people beside each choice."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, F

from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from breachdesk.people.languages import language_name
from breachdesk.people.models import Person, PersonMatch, Upload
from notifications.audience import HAD, MISSED, Audience, Earlier, audience_from
from notifications.audience_words import place_name
from notifications.forms import LANGUAGE_CHOICES
from notifications.laws import places_of
from notifications.models import Notice
from notifications.recipients import kinds_of, last_event

ORDERED = 4
Choice = tuple[str, str]
ASIDE = {
    "minors": ("Minors", "minors; their guardians read it"),
    "vulnerable": ("Vulnerable people", "vulnerable people"),
    "deceased": ("People who have died", "people who have died; their next of kin read it"),
}
SAID_OF_WHO = {
    "had": "Who had it, or may have had it",
    "missed": "Whom it did not reach: bounced, refused, held up or cancelled",
    "never": "Who was not among its people",
}


@dataclass
class Numbers:
    """People of a case who can be reached by email, by what an audience is chosen from; `people` are those affected."""

    people: int = 0
    places: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    aside: Counter[str] = field(default_factory=Counter)
    lists: Counter[UUID] = field(default_factory=Counter)


def numbers_of(incident: Incident) -> Numbers:
    return _numbers(incident.pk, last_event(incident))


@lru_cache(maxsize=16)
def _numbers(incident_id: UUID, _last_event: int) -> Numbers:
    incident = Incident.objects.get(pk=incident_id)
    known = Person.objects.known_in(incident).reachable_by_email().order_by()
    columns = ("withdrawn", "country", "state", "language", "kinds", "minor", "vulnerable", "deceased", "upload")
    found = Numbers()
    for withdrawn, *row, number in known.values_list(*columns).annotate(people=Count("*")):
        if withdrawn:
            found.aside["no_longer"] += number
        else:
            _add(found, incident, row, number)
    matches = PersonMatch.objects.filter(person__in=known.filter(withdrawn=False)).exclude(upload=F("person__upload"))
    for upload, number in matches.values_list("upload").annotate(people=Count("person", distinct=True)):
        found.lists[upload] += number
    return found


def _add(found: Numbers, incident: Incident, row: list[Any], number: int) -> None:
    country, part, language, kinds, minor, vulnerable, deceased, upload = row
    found.people += number
    found.places.update(places_of([(country, part, number)]))
    found.languages[language.split("-")[0]] += number
    found.lists[upload] += number
    for kind in kinds_of(kinds, incident):
        found.kinds[kind] += number
    for key, is_one in (("minors", minor), ("vulnerable", vulnerable), ("deceased", deceased)):
        found.aside[key] += number if is_one else 0


def told_by(notice: Notice) -> Mapping[str, int]:
    """How many people of its case had an earlier notice, were missed by it, or were never among its people."""
    return _told_by(notice.pk, last_event(notice.incident, messages=True))


@lru_cache(maxsize=16)
def _told_by(notice_id: UUID, _last_event: int) -> Mapping[str, int]:
    incident = Incident.objects.get(notices=notice_id)
    reachable = Person.objects.of(incident).reachable_by_email()
    rows = reachable.filter(deliveries__notice=notice_id).order_by().values_list("deliveries__state")
    states = dict(rows.annotate(people=Count("*")))
    return {
        "had": sum(states.get(state, 0) for state in HAD),
        "missed": sum(states.get(state, 0) for state in MISSED),
        "never": numbers_of(incident).people - sum(states.values()),
    }


class AudienceForm(forms.Form):
    """All groups of an audience, and the order of languages. What is chosen stays a choice if nobody is left of it."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    affected = forms.ChoiceField(widget=forms.RadioSelect, required=False, label="Who")
    places = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False, label="They live in")
    not_in = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False, label="But not in")
    languages = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False, label="They read")
    kinds = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, label="Any of these was taken of them"
    )
    minors = forms.ChoiceField(widget=forms.RadioSelect, required=False)
    vulnerable = forms.ChoiceField(widget=forms.RadioSelect, required=False)
    deceased = forms.ChoiceField(widget=forms.RadioSelect, required=False)
    earlier = forms.ChoiceField(required=False, label="An earlier notice")
    who = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False, label="Of that notice")
    lists = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, label="They stand in any of these lists"
    )

    def __init__(self, *args: Any, notice: Notice, **kwargs: Any) -> None:
        self.notice, self.chosen = notice, audience_from(notice.audience)
        kwargs["initial"] = _initial(notice, self.chosen) | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        self.numbers = numbers_of(notice.incident)
        self._set("affected", _affected(self.numbers))
        for key in ("places", "not_in"):
            self._set(key, _by_country(_counted(self.numbers.places, getattr(self.chosen, key), place_name)))
        self._set("languages", _counted(self.numbers.languages, self.chosen.languages, language_name))
        self._set("kinds", _counted(self.numbers.kinds, self.chosen.kinds, lambda kind: KINDS[kind].label))
        for key, (label, words) in ASIDE.items():
            self.fields[key].label = label
            self._set(key, _with_or_without(words, self.numbers.aside[key]))
        self._set_earlier()
        self._set_lists()
        for number in range(ORDERED):
            first = "Nothing: they wait" if number == 0 else "Nothing more"
            self.fields[f"order_{number}"] = forms.ChoiceField(
                required=False, label=f"{number + 1}.", choices=[("", first), *LANGUAGE_CHOICES]
            )

    def _set(self, key: str, choices: list[Choice]) -> None:
        self.fields[key].choices = choices  # type: ignore[attr-defined]

    def _set_earlier(self) -> None:
        before = Notice.objects.of(self.notice.incident).begun_before(self.notice)
        self._set("earlier", [("", "None"), *((str(one.pk), _with_told(one)) for one in before)])
        self._set("who", list(SAID_OF_WHO.items()))

    def _set_lists(self) -> None:
        loaded = Upload.objects.of(self.notice.incident).loaded().newest_first()
        numbers = self.numbers.lists
        self._set("lists", [(str(one.pk), _beside(one.file_name, numbers[one.pk])) for one in loaded])

    @property
    def uses_more(self) -> bool:
        """Whether something is chosen in the part that is folded away."""
        return any(self[key].value() for key in ("not_in", "vulnerable", "deceased", "earlier", "who", "lists"))

    @property
    def tried_in_turn(self) -> list[forms.BoundField]:
        return [self[f"order_{number}"] for number in range(ORDERED)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        try:
            self.audience = self._audience(data)
        except ValidationError as refusal:
            self.add_error("who", refusal)
        self.order = [tag for number in range(ORDERED) if (tag := data.get(f"order_{number}"))]
        return data

    def _audience(self, data: Mapping[str, Any]) -> Audience:
        if data.get("who") and not data.get("earlier"):
            raise ValidationError("Choose the earlier notice of which these people are.")
        if data.get("earlier") and not data.get("who"):
            raise ValidationError("Choose who of the earlier notice is meant.")
        return Audience(
            places=tuple(data.get("places", ())),
            not_in=tuple(data.get("not_in", ())),
            languages=tuple(data.get("languages", ())),
            kinds=tuple(data.get("kinds", ())),
            minors=data.get("minors", ""),
            vulnerable=data.get("vulnerable", ""),
            deceased=data.get("deceased", ""),
            affected=data.get("affected", ""),
            earlier=Earlier(UUID(data["earlier"]), tuple(data["who"])) if data.get("earlier") else None,
            lists=tuple(UUID(one) for one in data.get("lists", ())),
        )


def _initial(notice: Notice, audience: Audience) -> dict[str, Any]:
    said = audience.to_json()
    earlier = said.pop("earlier", {})
    order = {f"order_{number}": tag for number, tag in enumerate(notice.fallback[:ORDERED])}
    return {"version": notice.version, **said, "earlier": earlier.get("notice"), "who": earlier.get("who", []), **order}


def _affected(numbers: Numbers) -> list[Choice]:
    return [
        ("", _beside("Everybody who is affected", numbers.people)),
        ("no_longer", _beside("Everybody who is no longer affected", numbers.aside["no_longer"])),
    ]


def _counted(numbers: Counter[str], chosen: Iterable[str], name: Any) -> list[Choice]:
    """Most people first; what is chosen and has nobody any more comes last."""
    kept = {choice: numbers[choice] for choice, _ in numbers.most_common()} | {
        choice: numbers[choice] for choice in chosen
    }
    return [(choice, _beside(_capital(name(choice)), number)) for choice, number in kept.items()]


def _by_country(choices: list[Choice]) -> list[Choice]:
    """The parts of a country follow it."""
    countries = list(dict.fromkeys(place.partition("-")[0] for place, _ in choices))
    return sorted(choices, key=lambda choice: (countries.index(choice[0].partition("-")[0]), "-" in choice[0]))


def _with_told(notice: Notice) -> str:
    told = told_by(notice)
    return f"{notice.title}: {told['had']:,} had it, {told['missed']:,} not reached, {told['never']:,} not among them"


def _with_or_without(words: str, number: int) -> list[Choice]:
    return [
        ("", "Everybody"),
        ("without", f"Without {words.partition(';')[0]}"),
        ("only", _beside(f"Only {words}", number)),
    ]


def _beside(words: str, number: int | None) -> str:
    return words if number is None else f"{words}: {number:,}"


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
