"""Roles belong to the whole cluster, which parallel tests share: whoever breaks one on purpose must be alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

LOCK = 0x726F6C6573  # "roles"


@contextmanager
def roles_in_use(*, alone: bool = False) -> Iterator[None]:
    """Together with others who need the roles as they are, or alone."""
    take = "SELECT pg_advisory_lock(%s)" if alone else "SELECT pg_advisory_lock_shared(%s)"
    with psycopg.connect(make_conninfo(os.environ["DATABASE_URL"], dbname="postgres"), autocommit=True) as cluster:
        cluster.execute(take, [LOCK])
        yield
