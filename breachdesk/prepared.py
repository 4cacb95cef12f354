"""run(): one SQL statement on Django's connection, as fast as it can be, for the few places that run it all the time.

By psycopg's own cursor: parameters are bound on the server and the statement is planned once for each connection.
Django's cursor would write them into the text and have every execution parsed and planned anew.
"""

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Django switches psycopg's preparing off, also where it is asked for by name. This lets it be asked for, and no more.
NEVER_BY_ITSELF = 2**31


class Column:
    """Many values of one type as one parameter, in the server's own binary form of an array.

    A list is adapted value by value, by a Python object each: for the ten columns of a settled window that was half of
    what the database cost its client.
    """

    __slots__ = ("data",)
    element: ClassVar[int]  # types by their numbers in pg_type
    array: ClassVar[int]
    packed: ClassVar["staticmethod[[Any], bytes]"]

    def __init__(self, values: Iterable[Any]) -> None:
        items = list(map(self.packed, values))
        head = _HEAD.pack(1, 1, self.element, len(items), 1) if items else _HEAD_OF_NONE.pack(0, 0, self.element)
        self.data = head + b"".join(items)


_HEAD, _HEAD_OF_NONE = struct.Struct(">iiIii"), struct.Struct(">iiI")
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)


def _bytes(value: bytes | None) -> bytes:
    return _NULL if value is None else _LENGTH(len(value)) + value


def _uuid(value: UUID) -> bytes:
    return b"\0\0\0\x10" + value.int.to_bytes(16, "big")


@lru_cache(4096)
def _text(value: str) -> bytes:
    return _bytes(value.encode())


@lru_cache(4096)
def _integer(value: int | None) -> bytes:
    return _bytes(None if value is None else _LENGTH(value))


class Uuids(Column):
    element, array, packed = 2950, 2951, staticmethod(_uuid)


class Bytes(Column):
    element, array, packed = 17, 1001, staticmethod(_bytes)


class Texts(Column):
    element, array, packed = 25, 1009, staticmethod(_text)


class Integers(Column):
    element, array, packed = 23, 1007, staticmethod(_integer)


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> Buffer:
        return obj.data


_COLUMNS = (Uuids, Bytes, Texts, Integers)
_DUMPERS = {kind: type(f"_{kind.__name__}", (_AsItIs,), {"oid": kind.array}) for kind in _COLUMNS}


def run(statement: str, parameters: Mapping[str, Any], *, binary: bool = False) -> psycopg.Cursor[Any]:
    """In the transaction that is open on this thread's connection. Errors are Django's; reading is the caller's.

    `binary` asks for the answer's columns in that form: cheaper where many rows of bytes and ids come back.
    """
    connection.ensure_connection()
    if connection.connection.prepare_threshold is None:
        connection.connection.prepare_threshold = NEVER_BY_ITSELF
        for kind, dumper in _DUMPERS.items():
            connection.connection.adapters.register_dumper(kind, dumper)
    with connection.wrap_database_errors:
        return psycopg.Cursor(connection.connection).execute(statement, parameters, prepare=True, binary=binary)
