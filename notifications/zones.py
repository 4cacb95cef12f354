"""In which time zones somebody may be of whom country and state are known, and until when it is night there for them.

Zones of a country: the column `#TZ` of the IANA database's zone.tab, as the package tzdata ships it. Of the United
States, the only country whose states a list keeps (breachdesk.people.states), a table says which zones a state lies in;
a test holds it against zone.tab. A person is left alone while it is quiet in ANY zone they may be in. Whoever has no
country, or one that zone.tab does not know, is taken to be where the organisation is; so is whoever may be in zones so
far apart that it would never be day in all of them (Antarctica).

Where clocks change, quiet hours begin at the earliest and end at the latest reading of the times that were typed: an
hour that happens twice is quiet both times, and one that is skipped ends no quiet hours early.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from breachdesk.people.countries import COUNTRIES
from breachdesk.people.states import STATES

Place = tuple[str, str]  # country, state; "" where not known
Quiet = tuple[time, time]
Span = tuple[datetime, datetime]

EAST, CENTRAL, MOUNTAIN, WEST = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"
LOOK_AHEAD = timedelta(days=3)


def _each(states: str, *zones: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(states.split(), zones)


def _within(area: str, names: str) -> tuple[str, ...]:
    return tuple(f"{area}/{name}" for name in names.split())


US_ZONES: Mapping[str, tuple[str, ...]] = {
    **_each("CT DE DC GA ME MD MA NH NJ NY NC OH PA RI SC VT VA WV", EAST),
    **_each("AL AR IL IA LA MN MS MO OK WI", CENTRAL),
    **_each("CO MT NM UT WY", MOUNTAIN),
    **_each("CA WA", WEST),
    **_each("KS NE SD TX", CENTRAL, MOUNTAIN),
    **_each("FL TN", EAST, CENTRAL),
    **_each("ID NV OR", "America/Boise", WEST),
    **_each("AK", *_within("America", "Anchorage Juneau Sitka Metlakatla Yakutat Nome Adak")),
    **_each("AZ", "America/Phoenix", MOUNTAIN),
    **_each("HI", "Pacific/Honolulu"),
    **_each(
        "IN",
        CENTRAL,
        *_within("America/Indiana", "Indianapolis Vincennes Winamac Marengo Petersburg Vevay Tell_City Knox"),
    ),
    **_each("KY", EAST, CENTRAL, *_within("America/Kentucky", "Louisville Monticello")),
    **_each("MI", "America/Detroit", "America/Menominee"),
    **_each("ND", CENTRAL, MOUNTAIN, *_within("America/North_Dakota", "Center New_Salem Beulah")),
    **_each("AS", "Pacific/Pago_Pago"),
    **_each("GU MP", "Pacific/Guam"),
    **_each("PR VI", "America/Puerto_Rico"),
    # Post for the forces abroad says nothing of where they are.
    **_each("AA AE AP"),
}


@lru_cache(maxsize=1)
def zones_by_country() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="ascii").splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found[country] = (*found.get(country, ()), zone)
    return found


def zones_of(place: Place, organisation_zone: str) -> tuple[str, ...]:
    """Every zone somebody there may be in; never empty."""
    country, state = place
    zones = US_ZONES.get(state, ()) if country == "US" and state else zones_by_country().get(country, ())
    return zones or (organisation_zone,)


@lru_cache(maxsize=1)
def every_place() -> tuple[Place, ...]:
    """Each that a row of a list may name."""
    return (("", ""), *((country, "") for country in sorted(COUNTRIES)), *(("US", state) for state in sorted(STATES)))


@lru_cache(maxsize=4096)
def _night(zone: str, quiet: Quiet, day: date) -> Span:
    """The quiet hours that begin on this day in this zone."""
    begin, end = quiet
    later = day + timedelta(days=end <= begin)
    return min(_readings(day, begin, zone)), max(_readings(later, end, zone))


def _readings(day: date, clock: time, zone: str) -> list[datetime]:
    """The instants that a local time may mean: two where clocks change, else the same twice."""
    return [datetime.combine(day, clock, ZoneInfo(zone)).replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


def nights(zones: Iterable[str], quiet: Quiet, since: datetime, until: datetime) -> list[Span]:
    """When it is quiet in any of these zones, in order and without overlaps; whole nights, so beyond both ends too."""
    first, days = since.astimezone(UTC).date() - timedelta(days=2), (until - since).days + 5
    every = (_night(zone, quiet, first + timedelta(days=n)) for zone in set(zones) for n in range(days))
    found = sorted(night for night in every if night[1] > since)
    joined: list[Span] = []
    for begin, end in found:
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        elif begin <= until:
            joined.append((begin, end))
    return joined


def quiet_until(zones: Iterable[str], quiet: Quiet, at: datetime) -> datetime | None:
    """When the quiet hours end that it is in; None where it is not quiet."""
    return next((end for begin, end in nights(zones, quiet, at, at + LOOK_AHEAD) if begin <= at), None)


def zones_with_a_day(place: Place, quiet: Quiet, organisation_zone: str, at: datetime) -> tuple[str, ...]:
    """The zones that count for a place: the organisation's, where it would otherwise never be day."""
    zones = zones_of(place, organisation_zone)
    end = quiet_until(zones, quiet, at) if len(zones) > 1 else None
    return (organisation_zone,) if end and end - at > timedelta(days=2) else zones


@lru_cache(maxsize=64)
def quiet_places(quiet: Quiet, organisation_zone: str, minute: datetime) -> Mapping[Place, datetime]:
    """Where it is quiet at this minute or in the one after it, and until when. What is taken now leaves within it."""
    found: dict[tuple[str, ...], datetime | None] = {}
    places: dict[Place, datetime] = {}
    for place in every_place():
        zones = zones_with_a_day(place, quiet, organisation_zone, minute)
        if zones not in found:
            found[zones] = quiet_until(zones, quiet, minute) or quiet_until(zones, quiet, minute + timedelta(minutes=1))
        if end := found[zones]:
            places[place] = end
    return places
