"""What can still be done for people whom a notice did not reach: another address, a letter, then the public."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from notifications.letters import Waiting, waiting_for_letters
from notifications.models import Edition, LetterRun, Notice
from notifications.progress import Progress, counted, progress_of
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


def second_of(edition: Edition) -> int:
    return counted(edition, f"second-{_steps_taken(edition)}", lambda: number_with_a_second_address(edition))


def letters_of(edition: Edition) -> Waiting:
    return counted(edition, f"letters-{_steps_taken(edition)}", lambda: waiting_for_letters(edition))


def _steps_taken(edition: Edition) -> str:
    """Changes with each step of the ladder: whoever took one sees at once what is left."""
    runs = LetterRun.objects.filter(edition__notice=edition.notice_id).aggregate(n=Count("pk"), versions=Sum("version"))
    return f"{runs['n']}-{runs['versions']}-{edition.delivery_decisions.count()}"


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
            second_of(edition) if edition.state in SENT else 0,
            letters_of(edition),
            runs.get(edition.pk, []),
        )
        for edition in editions
    ]
