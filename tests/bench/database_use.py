"""What the database used: processor time of all its processes, dead ones included, and bytes of its log of writes."""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench.measuring import cpu_of_all


@dataclass(frozen=True)
class Used:
    cpu: float
    wal: int

    def __sub__(self, before: "Used") -> "Used":
        return Used(self.cpu - before.cpu, self.wal - before.wal)


class Database:
    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        backend = Path(f"/proc/{self._one('SELECT pg_backend_pid()')}/stat").read_text()
        self.postmaster = int(backend.rpartition(")")[2].split()[1])

    def _one(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return int(row[0])

    def used(self) -> Used:
        return Used(cpu_of_all(self.postmaster), self._one("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def settle(self) -> None:
        """What earlier work left to do is done before something else is measured."""
        self.connection.execute("VACUUM (ANALYZE) notifications_delivery")

    def close(self) -> None:
        self.connection.close()
