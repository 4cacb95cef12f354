"""The ruler: where each thing stands between awareness and the deadline, in per cent of the window, mostly 72 hours."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from breachdesk.desk.templatetags.say import duration

HOURS = 72
A_WEEK = 7 * 24
LABEL_ROOM = 11.0  # per cent; two labels closer than this would run into each other


@dataclass(frozen=True)
class Mark:
    """`state` is planned, done, due or over; a deadline is drawn as the diamond, everything else as a circle."""

    at: datetime
    label: str
    state: str = "planned"
    deadline: bool = False


@dataclass(frozen=True)
class Placed:
    x: float
    label: str
    state: str
    deadline: bool
    label_shown: bool
    anchor: str


@dataclass(frozen=True)
class Ruler:
    aware_at: datetime
    now: datetime
    marks: list[Mark] = field(default_factory=list)
    hours: int = HOURS

    @property
    def span(self) -> timedelta:
        return timedelta(hours=self.hours)

    def x_of(self, at: datetime) -> float:
        """Per cent of the window, kept inside it."""
        return round(min(max((at - self.aware_at) / self.span, 0.0), 1.0) * 100, 2)

    @property
    def used(self) -> float:
        return self.x_of(self.now)

    @property
    def passed(self) -> bool:
        return self.now >= self.aware_at + self.span

    @property
    def now_label(self) -> str:
        if self.passed:
            return f"{self.hours} h passed"
        return f"now, T+{int((self.now - self.aware_at).total_seconds() // 3600)} h"

    @property
    def now_anchor(self) -> str:
        return anchor_of(self.used)

    @property
    def ticks(self) -> list[tuple[float, int, str, str]]:
        """Every twelve hours a tick, every 24 a longer one with its label: (x, y2, label, anchor)."""
        step = max(self.hours // 6, 1)
        return [self._tick(hour) for hour in range(0, self.hours + 1, step)]

    def _tick(self, hour: int) -> tuple[float, int, str, str]:
        x = round(hour / self.hours * 100, 2)
        label = "aware" if hour == 0 else f"{hour} h" if self.hours <= A_WEEK else f"day {round(hour / 24)}"
        labelled = hour % max(self.hours // 3, 1) == 0
        return (x, 32 if labelled else 29, label if labelled else "", anchor_of(x))

    @property
    def placed(self) -> list[Placed]:
        """Marks from left to right; a label that would run into another one is left to the sentence."""
        taken, placed = [self.used], []
        for mark in sorted(self.marks, key=lambda mark: (not mark.deadline, mark.at)):
            x = self.x_of(mark.at)
            shown = all(abs(x - other) >= LABEL_ROOM for other in taken)
            if shown:
                taken.append(x)
            placed.append(Placed(x, mark.label, mark.state, mark.deadline, shown, anchor_of(x)))
        return sorted(placed, key=lambda mark: mark.x)

    @property
    def sentence(self) -> str:
        """The whole picture in words, for those who do not see it."""
        used = min(self.now - self.aware_at, self.span)
        said = [f"{self.hours} hours from awareness: {duration(used)} used."]
        said += [
            f"{mark.label} at T+{self._hours_to(mark)} h." for mark in sorted(self.marks, key=lambda mark: mark.at)
        ]
        return " ".join(said)

    def _hours_to(self, mark: Mark) -> int:
        return int((mark.at - self.aware_at).total_seconds() // 3600)


def anchor_of(x: float) -> str:
    return "start" if x < 6 else "end" if x > 94 else "middle"
