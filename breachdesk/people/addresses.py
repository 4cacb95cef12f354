"""Email addresses: the syntax that mail systems take, and the form by which two spellings are the same address."""

import re

from email_validator import EmailNotValidError, validate_email

# The ordinary shape, for which the answer of email-validator is known without asking it: on 430,000 rows it would
# take longer than everything else together. Up to 64 characters no part can be too long; a hyphen never stands
# beside another, so no label can be an encoded one (xn--).
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_ORDINARY = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+([A-Za-z]{{2,63}}))")
_ORDINARY_LENGTH = 64
_NEVER_GLOBAL = frozenset({"arpa", "invalid", "local", "localhost", "onion"})  # email_validator.SPECIAL_USE_...


def checked_address(text: str) -> str | None:
    """The address with its domain in lower case, or None when no mail system would take it (RFC 5321, 6531)."""
    found = _ORDINARY.fullmatch(text) if len(text) <= _ORDINARY_LENGTH else None
    if found is None:
        return _ask_library(text)
    domain = found[2].lower()
    return None if found[3].lower() in _NEVER_GLOBAL else f"{found[1]}@{domain}"


def _ask_library(text: str) -> str | None:
    try:
        # test_environment lets *.test through; whether a domain is a reserved one is a question of its own.
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except EmailNotValidError:
        return None


def address_key(address: str) -> str:
    """Equal for two spellings of one mailbox: no provider in use tells capital letters apart."""
    return address.casefold()
