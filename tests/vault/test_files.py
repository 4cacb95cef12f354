import csv
import io
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.vault.files import CHUNK_BYTES, MAGIC, SEALED_BYTES, SealedReader, SealedWriter
from breachdesk.vault.sealing import Cipher, SealBroken

FILE = uuid4()
CIPHER = Cipher(uuid4(), bytes(range(32)), bytes(32))
EDGES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]


def content_of(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def write(path, content, file_id=FILE):
    with SealedWriter(path, CIPHER, file_id) as file:
        file.write(content)


def read(path, file_id=FILE):
    with SealedReader(path, CIPHER, file_id) as file:
        return io.BufferedReader(file).read()


@pytest.mark.parametrize("size", EDGES)
def test_what_was_written_is_read(tmp_path, size):
    write(tmp_path / "upload", content_of(size))
    assert read(tmp_path / "upload") == content_of(size)


@settings(max_examples=30)
@given(pieces=st.lists(st.binary(max_size=CHUNK_BYTES // 2), max_size=8))
def test_it_does_not_matter_in_what_pieces(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("files") / "upload"
    with SealedWriter(path, CIPHER, FILE) as file:
        for piece in pieces:
            file.write(piece)
    assert read(path) == b"".join(pieces)


def test_a_table_can_be_read_line_by_line(tmp_path):
    write(tmp_path / "upload", "name,email\nÅsa,asa@customer.example\n".encode() * 9000)
    with SealedReader(tmp_path / "upload", CIPHER, FILE) as file:
        lines = list(csv.reader(io.TextIOWrapper(io.BufferedReader(file), "utf-8", newline="")))
    assert (len(lines), lines[-1]) == (18000, ["Åsa", "asa@customer.example"])


def test_nothing_of_the_content_or_the_mode_is_open(tmp_path):
    write(tmp_path / "upload", b"asa@customer.example " * 9000)
    assert b"customer" not in (tmp_path / "upload").read_bytes()
    assert (tmp_path / "upload").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_file_cut_at_a_chunks_edge_is_refused(tmp_path, kept):
    path = tmp_path / "upload"
    write(path, content_of(2 * CHUNK_BYTES + 5))
    path.write_bytes(path.read_bytes()[: len(MAGIC) + kept * SEALED_BYTES])
    with pytest.raises(SealBroken, match="cut short"):
        read(path)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "upload"
    write(path, b"short")
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(SealBroken):
            read(path)


def test_swapped_doubled_and_dropped_chunks_are_refused(tmp_path):
    path = tmp_path / "upload"
    write(path, content_of(3 * CHUNK_BYTES + 5))
    stored = path.read_bytes()[len(MAGIC) :]
    a, b, c, end = (stored[i * SEALED_BYTES : (i + 1) * SEALED_BYTES] for i in range(4))
    for chunks in [(b, a, c, end), (a, c, end), (a, b, c, c, end), (a, b, c, end, end), (b, c, end)]:
        path.write_bytes(MAGIC + b"".join(chunks))
        with pytest.raises(SealBroken):
            read(path)


def test_another_files_bytes_are_refused(tmp_path):
    write(tmp_path / "upload", b"rows", uuid4())
    with pytest.raises(SealBroken):
        read(tmp_path / "upload")


def test_an_error_while_writing_leaves_no_file(tmp_path):
    with pytest.raises(TypeError), SealedWriter(tmp_path / "upload", CIPHER, FILE) as file:
        file.write(content_of(2 * CHUNK_BYTES) + "text")
    assert list(tmp_path.iterdir()) == []


def test_it_never_writes_over_a_file_being_written(tmp_path):
    writer = SealedWriter(tmp_path / "upload", CIPHER, FILE)
    with pytest.raises(FileExistsError):
        SealedWriter(tmp_path / "upload", CIPHER, FILE)
    writer.discard()
