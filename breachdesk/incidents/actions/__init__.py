from breachdesk.incidents.actions.assessing import make_assessment
from breachdesk.incidents.actions.cases import (
    Facts,
    StatedMoment,
    change_facts,
    close_incident,
    open_incident,
    state_moment,
)
from breachdesk.incidents.actions.deciding import Verdict, decide_notification
from breachdesk.incidents.actions.keeping import (
    ask_destruction,
    confirm_destruction,
    hold_incident,
    lapse_requests,
    refuse_destruction,
    release_incident,
    set_retention,
    withdraw_destruction,
)

__all__ = [
    "Facts",
    "StatedMoment",
    "Verdict",
    "ask_destruction",
    "change_facts",
    "close_incident",
    "confirm_destruction",
    "decide_notification",
    "hold_incident",
    "lapse_requests",
    "make_assessment",
    "open_incident",
    "refuse_destruction",
    "release_incident",
    "set_retention",
    "state_moment",
    "withdraw_destruction",
]
