"""How we say times, durations and numbers. The voice of the product in small pieces."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info

from breachdesk.people.languages import language_name

register = template.Library()

Pairs = list[tuple[str, str]]
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
THIN = "\u202f"  # a narrow space that does not break
MINUS = "\u2212"


def pairs_of(span: timedelta) -> Pairs:
    """The two units that matter; seconds only in the last hour, because before that they frighten and do not help."""
    seconds = int(abs(span).total_seconds())
    days, hours, minutes = seconds // 86400, seconds // 3600, seconds % 3600 // 60
    if hours >= 96:
        return [(str(days), "d"), (f"{hours % 24:02}", "h")]
    if hours:
        return [(str(hours), "h"), (f"{minutes:02}", "m")]
    return [(str(minutes), "m"), (f"{seconds % 60:02}", "s")]


def in_zone(value: datetime, zone: str = "") -> datetime:
    return timezone.localtime(value, ZoneInfo(zone) if zone else None)


@register.filter
def moment(value: datetime | None, zone: str = "") -> str:
    """Sun 28 Sep, 21:40; with the year when it is not this one."""
    if not value:
        return "not known"
    local = in_zone(value, zone)
    year = "" if local.year == timezone.localtime(None, local.tzinfo).year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}, {local:%H:%M}"


@register.filter
def short_moment(value: datetime, zone: str = "") -> str:
    """28 Sep, 21:40: for the narrow column of a timeline."""
    local = in_zone(value, zone)
    return f"{local.day} {local:%b}, {local:%H:%M}"


@register.filter
def full_moment(value: datetime | None, zone: str = "") -> str:
    """28 September 2025, 21:40:07 BST: for the record."""
    if not value:
        return "not known"
    local = in_zone(value, zone)
    return f"{local.day} {local:%B %Y, %H:%M:%S %Z}"


@register.filter
def day(value: datetime | date | None, zone: str = "") -> str:
    """Sunday 28 September 2025."""
    if not value:
        return "not known"
    local = in_zone(value, zone) if isinstance(value, datetime) else value
    return f"{local:%A} {local.day} {local:%B %Y}"


@register.filter
def clock(value: datetime | None, zone: str = "") -> str:
    """21:40."""
    return f"{in_zone(value, zone):%H:%M}" if value else ""


@register.filter
def clock_or_day(value: datetime, zone: str = "") -> str:
    """21:40 for today, 28 Sep for another day: what fits a narrow column."""
    local = in_zone(value, zone)
    today = timezone.localtime(None, local.tzinfo).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local.day} {local:%b}"


@register.filter
def iso(value: datetime | None) -> str:
    """What a `datetime` attribute wants."""
    return timezone.localtime(value).isoformat(timespec="seconds") if value else ""


@register.filter
def duration(value: timedelta | int | float | None) -> str:
    """18 h 28 m."""
    if value is None:
        return "not known"
    span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    return " ".join(f"{number}{THIN}{unit}" for number, unit in pairs_of(span))


@register.filter
def since(value: datetime | None) -> str:
    """How long ago: 18 h 28 m."""
    return duration(timezone.now() - value) if value else "never"


@register.filter
def ago(value: datetime) -> str:
    """Just now, 25 m ago, 2 h 00 m ago: seconds would only be restless."""
    span = timezone.now() - value
    if span < timedelta(minutes=1):
        return "just now"
    return f"{duration(span)} ago" if span >= timedelta(hours=1) else f"{int(span / timedelta(minutes=1))}{THIN}m ago"


@register.filter
def t_plus(value: datetime | None, aware_at: datetime | None) -> str:
    """T+53 h: whole hours after we became aware; before it, T-2 h."""
    if not value or not aware_at:
        return ""
    hours = int((value - aware_at).total_seconds() / 3600)
    sign = "+" if value >= aware_at else MINUS
    return f"T{sign}{abs(hours)}{THIN}h"


@register.filter
def count(value: int | None) -> str:
    """428,316; a number that is not known is said so and is never 0."""
    return "not known" if value is None else f"{value:,}"


@register.filter
def words(value: int) -> str:
    """Small numbers as words: two, twelve, 13."""
    return NUMBERS[value] if 0 <= value < len(NUMBERS) else f"{value:,}"


@register.filter
def spaced(name: str) -> str:
    """A key as words: what_happened becomes what happened."""
    return name.replace("_", " ")


@register.filter
def language(code: str) -> str:
    """English, for en."""
    try:
        return str(get_language_info(code)["name"])
    except KeyError:
        return language_name(code)


@register.filter
def share(part: int, whole: int) -> str:
    """62 %: rounded down, so that 100 % means all."""
    return f"{100 * part // whole if whole else 0} %"


@register.filter
def short_hash(value: bytes | memoryview | str | None) -> str:
    """9f2c 41d0 … 21d7."""
    text = value if isinstance(value, str) else bytes(value or b"").hex()
    return f"{text[:4]} {text[4:8]} … {text[-4:]}" if len(text) > 16 else text


@register.filter
def whole_hash(value: bytes | memoryview | str | None) -> str:
    """All of it, in groups of four that can be read aloud."""
    text = value if isinstance(value, str) else bytes(value or b"").hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _ticking(at: datetime, span: timedelta, way: str) -> SafeString:
    spelled = format_html_join(" ", '{}<span class="u">\u202f{}</span>', pairs_of(span))
    return format_html('<time datetime="{}" data-clock="{}">{}</time>', iso(at), way, spelled)


@register.simple_tag
def clock_left(at: datetime) -> SafeString:
    """How long is left until then, ticking where scripts run."""
    return _ticking(at, at - timezone.now(), "left")


@register.simple_tag
def clock_since(at: datetime) -> SafeString:
    """How long it has been, ticking where scripts run."""
    return _ticking(at, timezone.now() - at, "since")


@register.simple_tag
def zone_line() -> str:
    """All times are London time (BST, UTC+1)."""
    now = timezone.localtime()
    name = timezone.get_current_timezone_name()
    hours, minutes = divmod(int((now.utcoffset() or timedelta()).total_seconds()) // 60, 60)
    if name == "UTC":
        return "All times are UTC"
    city = getattr(now.tzinfo, "key", name).rpartition("/")[2].replace("_", " ")
    return f"All times are {city} time ({now:%Z}, UTC{hours:+d}{f':{minutes:02}' if minutes else ''})"
