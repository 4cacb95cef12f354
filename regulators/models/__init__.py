from regulators.models.duties import DutyMet, StatedFact
from regulators.models.filings import Answer, Filing, FilingVersion, Receipt

__all__ = ["Answer", "DutyMet", "Filing", "FilingVersion", "Receipt", "StatedFact"]
