from regulators.models.duties import DutyMet, StatedFact
from regulators.models.filings import Answer, Filing, FilingVersion, Receipt
from regulators.models.reminders import CalendarFeed, Reminder

__all__ = [
    "Answer",
    "CalendarFeed",
    "DutyMet",
    "Filing",
    "FilingVersion",
    "Receipt",
    "Reminder",
    "StatedFact",
]
