"""Email addresses: the syntax that mail systems take, and the form by which two spellings are the same address."""

import re

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
    parts = split_address(text)
    return None if parts is None else f"{parts[0]}@{parts[1]}"


def split_address(text: str) -> tuple[str, str] | None:
    """The same in two: what stands before the @, and the domain behind it."""
    found = _ORDINARY.fullmatch(text) if len(text) <= _ORDINARY_LENGTH else None
    if found is None:
        local, sign, domain = (_ask_library(text) or "").rpartition("@")
        return (local, domain) if sign else None
    local, domain, top = found.groups()
    return None if top.lower() in _NEVER_GLOBAL else (local, domain.lower())


def _ask_library(text: str) -> str | None:
    from email_validator import EmailNotValidError, validate_email

    try:
        # test_environment lets *.test through; whether a domain is a reserved one is a question of its own.
        return validate_email(text, check_deliverability=False, test_environment=True, strict=True).normalized
    except EmailNotValidError:
        return None


def address_key(address: str) -> str:
    """Equal for two spellings of one mailbox: no provider in use tells capital letters apart."""
    return address.casefold()


# RFC 2606 and RFC 6761; the last five are those that email-validator refuses as special-use.
RESERVED_TOPS = frozenset({"test", "example", "invalid", "localhost", "local", "arpa", "onion"})
RESERVED_DOMAINS = frozenset({"example.com", "example.net", "example.org", "example.edu"})

# RFC 2142 and what companies use besides: more than one person reads these, or nobody does.
ROLE_NAMES = frozenset({
    "abuse", "accounting", "accounts", "admin", "administrator", "billing", "bookings", "buchhaltung", "careers",
    "contact", "contacto", "contato", "contatti", "customerservice", "customer-service", "datenschutz",
    "do-not-reply", "donotreply", "do_not_reply", "dpo", "einkauf", "enquiries", "enquiry", "feedback", "finance",
    "help", "helpdesk", "hello", "hostmaster", "hr", "info", "information", "inquiries", "invoices", "it", "jobs",
    "kontakt", "kundenservice", "legal", "mailer-daemon", "marketing", "media", "newsletter", "no-reply",
    "no.reply", "no_reply", "noc", "noreply", "notifications", "office", "orders", "postmaster", "press",
    "privacy", "purchasing", "rechnung", "rechnungen", "reception", "recruitment", "root", "sales", "security",
    "service", "services", "spam", "support", "team", "unsubscribe", "ventas", "vertrieb", "verwaltung",
    "webmaster", "www", "zentrale",
})  # fmt: skip


def is_reserved(domain: str) -> bool:
    """Whether nobody can own the domain, so that mail to it reaches nobody (or a stranger who listens)."""
    parts = domain.rstrip(".").casefold().split(".")
    return parts[-1] in RESERVED_TOPS or ".".join(parts[-2:]) in RESERVED_DOMAINS


def is_role(local: str) -> bool:
    """Whether what stands before the @ names a desk, not a person; a tag behind a plus sign changes nothing."""
    return local.partition("+")[0].casefold() in ROLE_NAMES


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]
