"""Any file of customers to clean rows, in bounded memory."""

from breachdesk.people.reading.rows import REASONS, BadRow, CleanRow, PeopleFile, Reason

__all__ = ["REASONS", "BadRow", "CleanRow", "PeopleFile", "Reason"]
