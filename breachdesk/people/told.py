"""How many of an incident's people were told: known to the apps above, which send, and register in their
`about_people.py` who counts it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.module_loading import autodiscover_modules

from breachdesk.incidents.models import Incident
from breachdesk.people.models import Tally


@dataclass(frozen=True)
class Told:
    """Distinct people, however many messages each got.

    `handed_over` and, of them, `reached` are people who are still to be told; `left_out` were told, and then put on
    hold, taken off the list or lost their address.
    """

    handed_over: int = 0
    reached: int = 0
    left_out: int = 0


Counter = Callable[[Incident, Tally], Told]
_COUNTERS: list[Counter] = []


def counts_told(counter: Counter) -> Counter:
    """Registers the one way by which people are told; a second would count the same people twice."""
    if _COUNTERS and _COUNTERS[0].__qualname__ != counter.__qualname__:
        raise RuntimeError(f"{_COUNTERS[0].__qualname__} counts who was told already.")
    _COUNTERS[:] = [counter]
    return counter


def tally_and_told(incident: Incident, tally: Tally | None = None) -> tuple[Tally, Told]:
    """Both of one moment: who is put on hold between the two counts must not be in one and missing from the other.

    A tally that was read before is read again only if it is out of date.
    """
    autodiscover_modules("about_people")
    tally = tally or Tally.objects.of(incident)
    while True:
        told = _COUNTERS[0](incident, tally) if _COUNTERS else Told()
        if Tally.objects.moment_of(incident) == tally.counted_at:
            return tally, told
        tally = Tally.objects.of(incident)
