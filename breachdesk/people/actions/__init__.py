"""What people do with lists of affected people, and with the people on them."""

from breachdesk.people.actions.counting import state_count
from breachdesk.people.actions.holding import hold_person, release_person
from breachdesk.people.actions.looking import find_people, reveal_person
from breachdesk.people.actions.uploads import (
    accept_upload,
    discard_upload,
    match_columns,
    receive_upload,
    undo_upload,
)

__all__ = [
    "accept_upload",
    "discard_upload",
    "find_people",
    "hold_person",
    "match_columns",
    "receive_upload",
    "release_person",
    "reveal_person",
    "state_count",
    "undo_upload",
]
