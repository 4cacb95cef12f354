from breachdesk.incidents.views.cases import close, facts, incident_of, moment, new
from breachdesk.incidents.views.keeping import (
    dates,
    decide_destruction,
    destroy,
    hold,
    release,
    retention,
    withdraw_destruction,
)

__all__ = [
    "close",
    "dates",
    "decide_destruction",
    "destroy",
    "facts",
    "hold",
    "incident_of",
    "moment",
    "new",
    "release",
    "retention",
    "withdraw_destruction",
]
