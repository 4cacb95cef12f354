"""Parallel workers migrate once: the first leaves a copy of its database behind, and the others begin with that."""

import psycopg
from django.db import connection
from psycopg import sql

from tests.servers_plugin import cluster_address, is_there, name_of_migrated

LOCK = 0x6D69677261746564  # "migrated"


class MigratedOnce:
    """From the moment it is made to finish() one worker at a time makes its database."""

    def __init__(self) -> None:
        self.name = name_of_migrated()
        self.cluster = psycopg.connect(cluster_address(), autocommit=True)
        self.cluster.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if is_there(self.cluster, self.name):
            connection.settings_dict["TEST"]["TEMPLATE"] = self.name

    def finish(self) -> None:
        """Nobody may be connected to a database while it is copied."""
        if not is_there(self.cluster, self.name):
            connection.close()
            ours = sql.Identifier(connection.settings_dict["NAME"])
            self.cluster.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(self.name), ours))
        self.cluster.close()
