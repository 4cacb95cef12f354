from regulators.models.dates import OpenDates
from regulators.models.duties import DutyMet, StatedFact
from regulators.models.filings import Answer, Filing, FilingVersion, Receipt
from regulators.models.reminders import CalendarFeed, Reminder
from regulators.models.signed_pdfs import SignedPdf
from regulators.models.typing import Typing

__all__ = [
    "Answer",
    "CalendarFeed",
    "DutyMet",
    "Filing",
    "FilingVersion",
    "OpenDates",
    "Receipt",
    "Reminder",
    "SignedPdf",
    "StatedFact",
    "Typing",
]
