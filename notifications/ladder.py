"""What can still be done for people whom a notice did not reach: another address, a letter, then the public."""

from dataclasses import dataclass

from notifications.letters import Waiting, waiting_for_letters
from notifications.models import Edition, LetterRun, Notice
from notifications.progress import Progress, progress_of
from notifications.second_addresses import number_with_a_second_address

SENT = (Edition.State.SENDING, Edition.State.PAUSED, Edition.State.FINISHED)


@dataclass(frozen=True)
class Rungs:
    """Of one edition: how its messages stand, who can be tried at a second address, who can get a letter, and the
    letters so far."""

    edition: Edition
    progress: Progress
    second: int
    letters: Waiting
    runs: list[LetterRun]

    @property
    def is_sent(self) -> bool:
        return self.edition.state in SENT


def rungs_of(notice: Notice) -> list[Rungs]:
    """Of each edition that was approved, in the order of languages."""
    editions = notice.editions.begun().with_incident().in_order()
    runs: dict[object, list[LetterRun]] = {}
    for run in LetterRun.objects.filter(edition__notice=notice).latest_first():
        runs.setdefault(run.edition_id, []).append(run)
    return [
        Rungs(
            edition,
            progress_of(edition),
            number_with_a_second_address(edition) if edition.state in SENT else 0,
            waiting_for_letters(edition),
            runs.get(edition.pk, []),
        )
        for edition in editions
    ]
