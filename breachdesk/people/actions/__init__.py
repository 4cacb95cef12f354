"""What people do with lists of affected people, and with the people on them."""

from breachdesk.people.actions.counting import state_count
from breachdesk.people.actions.exporting import (
    approve_export,
    ask_export,
    download_export,
    make_export,
    refuse_export,
    withdraw_export,
)
from breachdesk.people.actions.holding import hold_caller, hold_people, hold_person, release_hold, release_person
from breachdesk.people.actions.looking import begin_looking, find_people, reveal_person
from breachdesk.people.actions.mappings import remove_mapping, save_mapping
from breachdesk.people.actions.rejected import download_rejected
from breachdesk.people.actions.uploads import (
    accept_upload,
    discard_upload,
    match_columns,
    receive_upload,
    undo_upload,
)

__all__ = [
    "accept_upload",
    "approve_export",
    "ask_export",
    "begin_looking",
    "discard_upload",
    "download_export",
    "download_rejected",
    "find_people",
    "hold_caller",
    "hold_people",
    "hold_person",
    "make_export",
    "match_columns",
    "receive_upload",
    "refuse_export",
    "release_hold",
    "release_person",
    "remove_mapping",
    "reveal_person",
    "save_mapping",
    "state_count",
    "undo_upload",
    "withdraw_export",
]
