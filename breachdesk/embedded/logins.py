"""The demo's processes sign in to the database as production's do: each as itself, with the rights of its own role."""

import hmac
from collections.abc import Mapping
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from breachdesk.desk.database_roles import LOGINS
from breachdesk.embedded.folders import write_private


def as_login(environment: Mapping[str, str], login: str) -> dict[str, str]:
    return dict(environment) | {"DATABASE_URL": address_of(login, environment["DATABASE_URL"])}


def address_of(login: str, owner: str) -> str:
    """Roles belong to the whole cluster: whoever shares one, as parallel tests do, must come to the same password."""
    secret = str(conninfo_to_dict(owner).get("password", ""))
    password = hmac.digest(secret.encode(), f"password of {login}".encode(), "sha256").hex()
    return make_conninfo(owner, user=login, password=password)


def write_addresses(folder: Path, owner: str) -> list[str]:
    """Files for sync_database_roles --logins, readable by their owner alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for login in LOGINS:
        write_private(folder / login, address_of(login, owner).encode())
    return [str(folder / login) for login in LOGINS]
