"""What pages and the form say of an edition's schedule: its sentences, what is foreseen, and how far it has come."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Count, Max
from django.utils import timezone

from breachdesk.incidents.forms import ZONES
from breachdesk.incidents.moments import NoSuchTime, instant_of
from breachdesk.people.countries import country_name
from breachdesk.people.states import STATES
from notifications import pace
from notifications.editions import the_organisation
from notifications.forecasting import Forecast, forecast
from notifications.models import Delivery, Edition, Pace
from notifications.progress import Progress, shared
from notifications.recipients import last_event
from notifications.schedule import SUGGESTED_CANARY, SUGGESTED_QUIET, Hotline, Rate, Schedule, ScheduleFault, in_force
from notifications.segments import people_of
from notifications.zones import Place, quiet_places

WAVES = [("", "No waves"), ("size", "So many people each time"), ("hotline", "As many as the hotline can answer")]
RATES = ("per_minute", "per_domain", "at_once")
KEPT_SECONDS = 20.0
SHOWN_PLACES = 6


class ScheduleForm(forms.Form):
    """Every part may stay empty. `schedule` is what was typed, once the form is valid."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    start_date = forms.DateField(
        required=False, label="Day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    start_time = forms.TimeField(
        required=False, label="Time", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    zone = forms.ChoiceField(choices=ZONES, label="Time zone")
    late_after = forms.IntegerField(
        required=False,
        label="Minutes after which it does not start by itself",
        help_text="If nothing of ours was running at that time, a person decides instead.",
    )
    quiet_from = forms.TimeField(
        required=False, label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False, label="Until", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    per_minute = forms.IntegerField(required=False, label="Messages a minute, in all")
    per_domain = forms.IntegerField(required=False, label="Messages a minute, to addresses of one domain")
    at_once = forms.IntegerField(required=False, label="At the same time, to addresses of one domain")
    waves = forms.ChoiceField(required=False, choices=WAVES, label="Waves", widget=forms.RadioSelect)
    wave_size = forms.IntegerField(required=False, label="People in a wave")
    wave_hours = forms.IntegerField(required=False, label="Hours from one wave to the next")
    calls_per_hour = forms.IntegerField(required=False, label="Calls the hotline answers in an hour")
    share = forms.DecimalField(
        required=False, max_digits=4, decimal_places=1, label="Per cent of the people who will call"
    )
    canary = forms.IntegerField(
        required=False,
        label="How many go first",
        help_text="Then it pauses by itself, and you look before the others get it. 0 or empty: no pause.",
    )
    schedule = Schedule()

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.schedule = _schedule_from(data)
            except (ScheduleFault, NoSuchTime) as fault:
                field = getattr(fault, "field", "start_time")
                self.add_error(field if field in self.fields else None, str(fault))
        return data


def _schedule_from(data: dict[str, Any]) -> Schedule:
    day, at = data["start_date"], data["start_time"]
    if (day is None) != (at is None):
        raise ScheduleFault("start_time" if day else "start_date", "Give both a day and a time, or neither.")
    if (data["quiet_from"] is None) != (data["quiet_until"] is None):
        missing = "quiet_until" if data["quiet_from"] else "quiet_from"
        raise ScheduleFault(missing, "Quiet hours need both a beginning and an end, or neither.")
    parts: dict[str, Any] = {name: data[name] for name in RATES}
    if day:
        parts |= {"start_at": instant_of(day, at, data["zone"]), "zone": data["zone"]}
        parts |= {"late_after": data["late_after"]} if data["late_after"] is not None else {}
    if data["quiet_from"] is not None:
        parts["quiet"] = data["quiet_from"], data["quiet_until"]
    return Schedule(**parts, **_waves_from(data), canary=data["canary"] or 0)


def _waves_from(data: dict[str, Any]) -> dict[str, Any]:
    hours = data["wave_hours"]
    if data["waves"] == "size":
        return {"wave_size": data["wave_size"] or 0, "wave_hours": hours}
    if data["waves"] != "hotline":
        return {}
    hotline = Hotline(data["calls_per_hour"] or 0, int((data["share"] or 0) * 10))
    known = hours and hotline.calls_per_hour > 0 and hotline.thousandths > 0
    return {"wave_size": hotline.size(hours) if known else 1, "wave_hours": hours or 0, "hotline": hotline}


def initial_of(edition: Edition, zone: str) -> dict[str, Any]:
    """What the form begins with: what is set, or what we suggest where nothing ever was."""
    kept = Schedule.from_json(edition.schedule)
    quiet = kept.quiet or (SUGGESTED_QUIET if not edition.schedule else (None, None))
    local = timezone.localtime(kept.start_at, timezone=ZoneInfo(kept.zone)) if kept.start_at else None
    return {
        "version": edition.version,
        "start_date": local.date() if local else None,
        "start_time": local.time() if local else None,
        "zone": kept.zone or zone,
        "late_after": kept.late_after,
        "quiet_from": quiet[0],
        "quiet_until": quiet[1],
        "per_minute": kept.per_minute,
        "per_domain": kept.per_domain,
        "at_once": kept.at_once,
        "waves": "hotline" if kept.hotline else "size" if kept.wave_size else "",
        "wave_size": kept.wave_size if not kept.hotline else None,
        "wave_hours": kept.wave_hours,
        "calls_per_hour": kept.hotline.calls_per_hour if kept.hotline else None,
        "share": f"{kept.hotline.thousandths / 10:g}" if kept.hotline else None,
        "canary": kept.canary if edition.schedule else SUGGESTED_CANARY,
    }


class RateForm(forms.Form):
    """How fast it goes from now on; `rate` is None for what was approved."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    per_minute = forms.IntegerField(required=False, label="Messages a minute, in all")
    per_domain = forms.IntegerField(required=False, label="Messages a minute, to one domain")
    at_once = forms.IntegerField(required=False, label="At the same time, to one domain")
    reason = forms.CharField(
        max_length=1000, label="Why?", error_messages={"required": "Say why: it stands in the trail."}
    )

    @property
    def rate(self) -> Rate | None:
        return None if "approved" in self.data else Rate(**{name: self.cleaned_data[name] for name in RATES})


def initial_rate(edition: Edition) -> dict[str, Any]:
    schedule = in_force(edition.schedule, edition.rate)
    return {"version": edition.version} | {name: getattr(schedule, name) for name in RATES}


@dataclass(frozen=True)
class Timing:
    """An edition's schedule as a page shows it."""

    schedule: Schedule
    sentences: list[str]
    forecast: Forecast
    is_armed: bool
    is_missed: bool

    @property
    def is_set(self) -> bool:
        return self.schedule != Schedule()


def timing_of(edition: Edition, schedule: Schedule | None = None) -> Timing:
    """Of what is kept, or of what is being typed."""
    schedule, now = schedule or Schedule.from_json(edition.schedule), timezone.now()
    begins_at = edition.started_at or max(now, schedule.start_at or now)
    foreseen = forecast(
        schedule, people_by_place(edition), begins_at=begins_at, organisation_zone=the_organisation().zone
    )
    is_late = edition.state == Edition.State.APPROVED and bool(schedule.start_at) and not edition.armed_at
    is_missed = is_late and schedule.start_at is not None and schedule.start_at < now
    return Timing(schedule, schedule.sentences(), foreseen, edition.armed_at is not None, is_missed)


def people_by_place(edition: Edition) -> Counter[Place]:
    """Counted once, until something happens in the case."""
    return _people_by_place(edition.pk, last_event(edition.notice.incident))


@lru_cache(maxsize=16)
def _people_by_place(edition_id: UUID, _last_event: int) -> Counter[Place]:
    edition = Edition.objects.with_incident().get(pk=edition_id)
    rows = people_of(edition).order_by().values_list("country", "state").annotate(people=Count("pk"))
    return Counter({(country, state): people for country, state, people in rows})


@dataclass(frozen=True)
class Asleep:
    place: str
    people: int
    until: datetime


@dataclass(frozen=True)
class Limited:
    """How far an edition under limits has come."""

    schedule: Schedule
    first: int
    taken: int
    wave: int
    waves: int | None
    room: int
    next_wave_at: datetime | None
    is_canary_over: bool
    asleep: list[Asleep]
    asleep_people: int
    forecast: Forecast | None

    @property
    def is_canary(self) -> bool:
        return bool(self.first) and not self.is_canary_over


def limited_of(edition: Edition, progress: Progress) -> Limited | None:
    """None for an edition without limits, and for one that has not begun."""
    schedule = in_force(edition.schedule, edition.rate)
    if not schedule.is_limited or edition.started_at is None:
        return None
    people = edition.recipients_count or 0
    kept = Pace.objects.filter(edition=edition, domain=b"").first() or Pace()
    asleep, foreseen = _rest_of(edition, schedule, kept, progress)
    return Limited(
        schedule,
        first=schedule.canary_of(people),
        taken=kept.taken,
        wave=kept.wave,
        waves=-(-people // schedule.wave_size) if schedule.wave_size else None,
        room=max(0, kept.wave_ends_with - kept.taken),
        next_wave_at=pace.next_wave_at(schedule, kept),
        is_canary_over=kept.canary_at is not None,
        asleep=asleep[:SHOWN_PLACES],
        asleep_people=sum(one.people for one in asleep),
        forecast=foreseen,
    )


Rest = tuple[list[Asleep], Forecast | None]


def _rest_of(edition: Edition, schedule: Schedule, kept: Pace, progress: Progress) -> Rest:
    """Where who still waits lives, and when they have got it. One count for all who watch."""
    key = f"rest-{edition.pk}-{edition.version}"
    return shared(key, lambda: _asleep_and_foreseen(edition, schedule, kept, progress), at_least=KEPT_SECONDS)


def _asleep_and_foreseen(edition: Edition, schedule: Schedule, kept: Pace, progress: Progress) -> Rest:
    waiting = Delivery.objects.filter(edition=edition, next_at__isnull=False).order_by()
    rows = waiting.values_list("person__country", "person__state").annotate(people=Count("pk"))
    people = {(country, state): number for country, state, number in rows}
    zone, now = the_organisation().zone, timezone.now()
    quiet = quiet_places(schedule.quiet, zone, now.replace(second=0, microsecond=0)) if schedule.quiet else {}
    asleep = [Asleep(_place_name(place), number, quiet[place]) for place, number in people.items() if place in quiet]
    wave = (kept.wave_at, max(0, kept.wave_ends_with - kept.taken)) if kept.wave_at else None
    seen = as_fast_as_seen(schedule, progress)
    foreseen = forecast(seen, people, begins_at=now, organisation_zone=zone, wave=wave) if people else None
    return sorted(asleep, key=lambda one: (-one.people, one.place)), foreseen and _with_domains(edition, foreseen)


def as_fast_as_seen(schedule: Schedule, progress: Progress) -> Schedule:
    """No faster than the way out was seen to be: now, or where something else holds it up, in the last hour."""
    seen = progress.capacity if schedule.quiet or schedule.wave_size else progress.per_minute or progress.capacity
    rates = [rate for rate in (schedule.per_minute, seen) if rate]
    return replace(schedule, per_minute=min(rates, default=None), per_domain=None, at_once=None)


def _with_domains(edition: Edition, foreseen: Forecast) -> Forecast:
    """Whoever was put back for a domain's limit has a time already, and the last of them ends it."""
    last = Pace.objects.filter(edition=edition).aggregate(last=Max("queued_until"))["last"]
    if last is None or foreseen.ends_at is None or last <= foreseen.ends_at:
        return foreseen
    return replace(foreseen, ends_at=last, is_held_up=True)


def _place_name(place: Place) -> str:
    country, state = place
    name = country_name(country) if country else "No country given"
    return f"{STATES[state]}, {name}" if state in STATES else name
