"""Two people decide in the same moment, over connections of their own: one wins, the other reads a sentence."""

import threading
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from notifications.actions import approve_edition, reject_edition, submit_for_review, withdraw
from notifications.models import Edition
from tests.factories import make_edition_in_review, make_user, open_everything

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*steps: Callable[[], object]) -> list[str]:
    """What each was told: nothing if it was done."""
    together, told = threading.Barrier(len(steps)), [""] * len(steps)

    def run(number: int, step: Callable[[], object]) -> None:
        try:
            together.wait(60)
            step()
        except ValidationError as refusal:
            told[number] = " ".join(refusal.messages)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return told


def test_one_wins_and_the_other_reads_a_sentence() -> None:
    edition = make_edition_in_review()
    author, first, second = edition.authors.get().author, make_user("approver"), make_user("approver")
    others: list[Callable[[Edition, int], object]] = [
        lambda on, seen: approve_edition(on, expected_version=seen, by=second),
        lambda on, seen: withdraw(on, expected_version=seen, by=author),
        lambda on, seen: reject_edition(on, reason="Say when.", expected_version=seen, by=second),
    ]
    for other in others:
        waiting, seen = edition, edition.version
        for who in (first, second):
            open_everything(waiting, by=who)
        told = at_once(
            lambda: approve_edition(waiting, expected_version=seen, by=first),  # noqa: B023
            lambda: other(waiting, seen),  # noqa: B023
        )
        assert sorted(map(bool, told)) == [False, True], told
        assert "Nothing was changed" in "".join(told)
        now = Edition.objects.with_incident().get(pk=edition.pk)
        assert now.approvals.in_force().count() == int(now.state == Edition.State.APPROVED)
        draft = now if now.state == Edition.State.DRAFT else withdraw(now, by=author)
        edition = submit_for_review(draft, by=author)
