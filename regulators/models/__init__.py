from regulators.models.filings import Answer, Filing, FilingVersion, Receipt

__all__ = ["Answer", "Filing", "FilingVersion", "Receipt"]
