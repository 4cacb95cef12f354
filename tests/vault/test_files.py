import csv
import io
import zipfile
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


@pytest.mark.parametrize("size", EDGES)
def test_it_is_read_at_any_place(tmp_path, size):
    content = content_of(size)
    write(tmp_path / "upload", content)
    with SealedReader(tmp_path / "upload", CIPHER, FILE) as file:
        assert (file.seek(0, io.SEEK_END), file.tell(), file.read(1)) == (size, size, b"")
        for place in [size, size // 2, 0, max(size - 1, 0), size + 100, min(CHUNK_BYTES, size), size // 3]:
            assert file.seek(place) == place
            assert io.BufferedReader(_Kept(file)).read(70_000) == content[place : place + 70_000]
        assert file.seek(0) == 0
        assert file.seek(min(size, 5), io.SEEK_CUR) == min(size, 5)
        with pytest.raises(ValueError, match="before the beginning"):
            file.seek(-size - 1, io.SEEK_END)


class _Kept(io.RawIOBase):
    """What closes this leaves the file open."""

    def __init__(self, file):
        self.file = file

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.file.readinto(buffer)


@settings(max_examples=20)
@given(places=st.lists(st.tuples(st.integers(0, 3 * CHUNK_BYTES), st.integers(1, 2 * CHUNK_BYTES)), max_size=12))
def test_random_places_give_what_the_file_has_there(tmp_path_factory, places):
    content = content_of(2 * CHUNK_BYTES + 77)
    path = tmp_path_factory.mktemp("files") / "upload"
    write(path, content)
    with SealedReader(path, CIPHER, FILE) as file:
        for place, size in places:
            file.seek(place)
            piece = file.read(size)
            assert piece == content[place : place + len(piece)]
            assert bool(piece) == (place < len(content))


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_the_end_of_a_cut_file_is_not_believed(tmp_path, kept):
    path = tmp_path / "upload"
    write(path, content_of(2 * CHUNK_BYTES + 5))
    path.write_bytes(path.read_bytes()[: len(MAGIC) + kept * SEALED_BYTES])
    with SealedReader(path, CIPHER, FILE) as file, pytest.raises(SealBroken, match="cut short"):
        file.seek(0, io.SEEK_END)


def test_the_end_of_a_file_that_grew_is_not_believed(tmp_path):
    path = tmp_path / "upload"
    write(path, content_of(CHUNK_BYTES))
    whole = path.read_bytes()
    for more in [b"x", whole[len(MAGIC) :]]:
        path.write_bytes(whole + more)
        with SealedReader(path, CIPHER, FILE) as file, pytest.raises(SealBroken):
            file.seek(0, io.SEEK_END)


def test_a_swapped_chunk_is_refused_wherever_the_reading_comes_from(tmp_path):
    path = tmp_path / "upload"
    write(path, content_of(3 * CHUNK_BYTES + 5))
    stored = path.read_bytes()[len(MAGIC) :]
    a, b, c, end = (stored[i * SEALED_BYTES : (i + 1) * SEALED_BYTES] for i in range(4))
    path.write_bytes(MAGIC + a + c + b + end)
    with SealedReader(path, CIPHER, FILE) as file:
        assert file.seek(0, io.SEEK_END) == 3 * CHUNK_BYTES + 5
        file.seek(CHUNK_BYTES + 10)
        with pytest.raises(SealBroken, match="chunk 2"):
            file.read(10)


def test_a_zip_is_read_in_it(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("first.csv", content_of(90_000))
        archive.writestr("second.csv", content_of(100_000))
    write(tmp_path / "upload", packed.getvalue())
    with (
        SealedReader(tmp_path / "upload", CIPHER, FILE) as file,
        zipfile.ZipFile(io.BufferedReader(file)) as archive,
    ):
        assert archive.read("second.csv") == content_of(100_000)
        assert archive.read("first.csv") == content_of(90_000)
