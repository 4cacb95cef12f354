"""What a row is judged by, besides the row: who our own staff are, and whether made-up addresses pass."""

from dataclasses import dataclass

from django.conf import settings

from breachdesk.accounts.models import Organisation, User
from breachdesk.people.addresses import address_key, domain_of

# Where anybody may have a mailbox: that our sender has one too makes nobody there our staff.
_OPEN_TO_ALL = frozenset({
    "aol.com", "free.fr", "freenet.de", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com",
    "icloud.com", "laposte.net", "libero.it", "live.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com",
    "orange.fr", "outlook.com", "proton.me", "protonmail.com", "qq.com", "seznam.cz", "t-online.de", "web.de",
    "wp.pl", "yahoo.com", "yahoo.co.jp", "ymail.com", "163.com",
})  # fmt: skip


@dataclass(frozen=True)
class RowContext:
    staff: frozenset[str] = frozenset()  # as address_key() gives them
    own_domains: frozenset[str] = frozenset()
    reserved_domains: bool = False  # addresses such as ana@example.com reach nobody


def context_here() -> RowContext:
    """Every colleague's address, also of those who have left, and the domains that the organisation writes from.

    Addresses at domains that exist for examples only pass in the demo alone, where all mail is caught.
    """
    organisation = Organisation.current()
    ours = {domain_of(address_key(address)) for address in (organisation.sender_email, organisation.reply_to)}
    staff = frozenset(map(address_key, User.objects.values_list("email", flat=True)))
    return RowContext(staff, frozenset(ours - {""} - _OPEN_TO_ALL), settings.BREACHDESK.demo)
