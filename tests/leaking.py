"""The shapes in which a name can leak: what a search for a canary has to look for."""

import base64
from urllib.parse import quote


def shapes(name: str) -> list[bytes]:
    """In lower case, to be looked for in lower case: as it is, in UTF-16, in an address, in hex and in base64."""
    found = {name.lower().encode(), name.encode("utf-16-le").lower(), quote(name).lower().encode()}
    found |= {name.encode().hex().encode(), name.lower().encode().hex().encode()}
    for said in (name.encode(), name.lower().encode()):
        for lead in range(3):
            # The signs of base64 that depend on nothing but the name, whatever stands before and behind it.
            whole = base64.b64encode(b"\0" * lead + said)
            found.add(whole[-(-lead * 8 // 6) : (len(said) + lead) * 8 // 6].lower())
    return sorted(found)
