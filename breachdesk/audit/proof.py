"""An answer that waits for its proof: @answers_with_proof on the views of steps that must be provable at once.

The step itself never waits. Its transaction is committed when the view has returned; only then the answer is held back
until the events it recorded stand under a checkpoint, or until BREACHDESK_PROOF_WAIT seconds are over. Then it is
recorded all the same, and the page says that its proof is still to come.
"""

import time
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import connection
from django.http import HttpRequest, HttpResponseBase

from breachdesk.audit.context import events_to_prove

P = ParamSpec("P")
Q = TypeVar("Q", bound=HttpRequest)
LOOK_EVERY = 0.1  # seconds
PENDING = "Recorded, proof pending. Nothing is lost and nothing needs to be done again; the trail is not signed yet."


def answers_with_proof(
    view: Callable[Concatenate[Q, P], HttpResponseBase],
) -> Callable[Concatenate[Q, P], HttpResponseBase]:
    """Stands below @requires. Costs no query when the request recorded nothing that must be proved."""

    @wraps(view)
    def proved(request: Q, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        with events_to_prove() as events:
            response = view(request, *args, **kwargs)
        if events and not wait_for_proof(events, settings.BREACHDESK.proof_wait):
            messages.info(request, PENDING)
        return response

    proved.answers_with_proof = True  # type: ignore[attr-defined]
    return proved


def wait_for_proof(events: Sequence[UUID], seconds: float) -> bool:
    """Whether every one of these events, of those that were committed, is under a checkpoint before the time is over.

    Each look is a query of its own: no transaction is open while it waits.
    """
    deadline = time.monotonic() + seconds
    while not are_proved(events):
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_EVERY)
    return True


def are_proved(events: Sequence[UUID]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT NOT EXISTS (
                   SELECT FROM audit_event LEFT JOIN audit_entry USING (event_id)
                   WHERE event_id = ANY (%s)
                     AND (idx IS NULL OR idx >= (SELECT coalesce(max(size), 0) FROM audit_checkpoint)))""",
            [list(events)],
        )
        return bool(cursor.fetchone()[0])
