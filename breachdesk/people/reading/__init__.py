"""Any file of customers to clean rows, in bounded memory."""

from breachdesk.people.reading.reasons import REASONS, Reason
from breachdesk.people.reading.rows import BadRow, CleanRow, read_rows

__all__ = ["REASONS", "BadRow", "CleanRow", "Reason", "read_rows"]
