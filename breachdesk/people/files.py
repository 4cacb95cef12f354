"""What the screens say of the files of an incident, worked out only when a page asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from breachdesk.people.gate import Signal, needs_explaining, signals_of
from breachdesk.people.models import Reading, Tally, Upload
from breachdesk.people.numbers import Numbers
from breachdesk.people.reading import REASONS, Reason
from breachdesk.people.reading.plan import ShownColumn, plan_of, shown_plan
from breachdesk.vault.sealing import KeyDestroyed, cipher_for

State, Purpose = Upload.State, Upload.Purpose
MARKS = ["minors", "vulnerable", "deceased", "without_email", "without_contact", "without_country"]
SUMMARISED = [*MARKS, "countries", "states", "languages", "kinds"]


@dataclass(frozen=True)
class ReasonLine:
    reason: Reason
    rows: int
    first: int


def reasons_of(upload: Upload) -> list[ReasonLine]:
    return [ReasonLine(REASONS[line["reason"]], line["rows"], line["first"]) for line in upload.rejected.by_reason()]


def spoken(seconds: float) -> str:
    """12 s; 3 min 41 s."""
    if seconds < 1:
        return "under a second"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def people(number: int) -> str:
    return f"{number:,} {'person' if number == 1 else 'people'}"


@dataclass(frozen=True)
class FileOnPage:
    """An upload with its place among the incident's files."""

    number: int
    upload: Upload

    @property
    def headline(self) -> str:
        upload = self.upload
        match upload.state:
            case State.RECEIVED:
                return f"{upload.file_name} waits for its columns to be matched"
            case State.QUEUED:
                return f"{upload.file_name} waits to be read"
            case State.READING:
                return f"{upload.file_name} is being read"
            case State.CHECKED:
                return self._waiting
            case State.ACCEPTED:
                return f"{people(upload.rows_valid)} are being taken in"
            case State.LOADED:
                return self._done
            case State.LEAVING:
                return f"What came with {upload.file_name} is being taken out"
            case State.GONE:
                return f"Nothing of {upload.file_name} is kept"
            case _:
                return f"{upload.file_name} could not be read"

    @property
    def _waiting(self) -> str:
        if self.upload.purpose == Purpose.WITHDRAW:
            return f"{people(self.upload.rows_repeated)} would be no longer affected"
        return f"{people(self.upload.rows_valid)} would come in"

    @property
    def _done(self) -> str:
        if self.upload.purpose == Purpose.WITHDRAW:
            return f"{people(self.upload.rows_repeated)} are no longer affected by this file"
        return f"{people(self.upload.rows_valid)} came in with this file"

    @property
    def explanation(self) -> str:
        match self.upload.state:
            case State.CHECKED:
                return f"All {self.upload.rows_read:,} rows are read. Nobody counts before somebody decides."
            case State.LOADED:
                return "They are on the list and count. That can be undone until something was sent to one of them."
            case State.GONE:
                return (
                    "Its rows and the file itself are deleted. That it was here, and who decided, stays in the trail."
                )
            case State.FAILED:
                return "Nobody was added, and the file is deleted."
            case State.RECEIVED:
                return "Nothing is read before somebody has said what its columns are."
            case State.QUEUED | State.READING:
                return "Nobody counts before somebody has seen the result."
            case _:
                return "All of it happens in one step, or nothing."

    @property
    def accept_said(self) -> str:
        upload = self.upload
        match upload.purpose:
            case Purpose.WITHDRAW:
                return f"Take {people(upload.rows_repeated)} off the affected"
            case Purpose.UPDATE:
                return f"Take in {people(upload.rows_valid)} and update {upload.rows_repeated:,}"
            case _:
                return f"Take in {people(upload.rows_valid)}"

    @property
    def new_said(self) -> str:
        return "New people"

    @property
    def known_said(self) -> str:
        match self.upload.purpose:
            case Purpose.WITHDRAW:
                return "No longer affected"
            case Purpose.UPDATE:
                return "Known, brought up to date"
            case _:
                return "Known already, merged"

    @property
    def known_rows_said(self) -> str:
        match self.upload.purpose:
            case Purpose.WITHDRAW:
                return "about people no longer affected"
            case Purpose.UPDATE:
                return "with newer data of people we knew"
            case _:
                return "about people we knew"

    @property
    def decided_said(self) -> str:
        return "Discarded" if self.upload.state in (State.LEAVING, State.GONE) else "Taken in"

    @property
    def waits_said(self) -> str:
        """A file that is read, or waits for a decision, keeps the next one waiting."""
        first = Upload.objects.before(self.upload).first()
        return f"Waits for {first.file_name}" if first else "Waits for a worker"

    @property
    def is_counted(self) -> bool:
        return self.upload.state in (State.CHECKED, State.ACCEPTED, State.LOADED)

    @property
    def may_be_undone(self) -> bool:
        return self.upload.state == State.LOADED

    @property
    def parts(self) -> list[tuple[str, str, int]]:
        return [
            ("delivered", self.new_said, self.upload.rows_valid),
            ("unknown", self.known_said, self.upload.rows_repeated),
            ("bounced", "Not accepted", self.upload.rows_rejected),
        ]

    @cached_property
    def reading(self) -> Reading:
        """How far a worker is with it; nothing read yet, while none is."""
        reading: Reading = getattr(self.upload, "reading", None) or Reading(upload=self.upload)
        return reading

    @property
    def milestone(self) -> str:
        """What is said aloud: at each quarter, and when the state changes."""
        if self.upload.state == State.READING and (quarter := self.reading.share // 25 * 25):
            return f"{quarter} per cent of {self.upload.file_name} are read."
        return f"{self.upload.file_name}: {self.upload.get_state_display()}."

    @property
    def took(self) -> str:
        return spoken(self.upload.seconds)

    @property
    def left(self) -> str:
        left = self.reading.seconds_left
        return "" if left is None else f"about {spoken(left)} left"

    @cached_property
    def reasons(self) -> list[ReasonLine]:
        return reasons_of(self.upload)

    @cached_property
    def to_explain(self) -> list[Signal]:
        return needs_explaining(self.upload)

    @property
    def findings(self) -> list[Signal]:
        """Whatever was noticed; while somebody decides, without what stands above to be explained."""
        waits = self.upload.state == State.CHECKED
        return [signal for signal in signals_of(self.upload) if not (waits and signal.needs_explaining)]

    @property
    def care(self) -> list[tuple[str, int]]:
        return [line for line in self.numbers.to_look_after if line[1]]

    @property
    def plan(self) -> list[ShownColumn]:
        """How its columns are read; nothing before it is confirmed, and nothing once the incident's key is gone."""
        if self.upload.sealed_plan is None:
            return []
        try:
            return shown_plan(plan_of(cipher_for(self.upload.incident_id), self.upload))
        except KeyDestroyed:
            return []

    @cached_property
    def numbers(self) -> Numbers:
        return OfOneFile(self.upload)


class OfOneFile(Numbers):
    """What its people are, from the summary that was made while it was read."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(upload.incident)
        self.summary = upload.summary

    @cached_property
    def tally(self) -> Tally:
        return Tally(**{name: self.summary[name] for name in SUMMARISED if name in self.summary})


def numbered(uploads: Iterable[Upload]) -> list[FileOnPage]:
    """Newest first, as they come; the oldest is number 1."""
    listed = list(uploads)
    return [FileOnPage(len(listed) - place, upload) for place, upload in enumerate(listed)]
