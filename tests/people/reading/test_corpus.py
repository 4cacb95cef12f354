"""Every nasty file, with what must come of it."""

import io

import pytest
from django.core.exceptions import ValidationError

from breachdesk.people.reading.tables import inspect, open_table
from tests.people.reading.nasty import Nasty
from tests.people.reading.nasty_files import NASTY_FILES


def named(nasty: Nasty) -> str:
    return nasty.name


READ = [nasty for nasty in NASTY_FILES if not nasty.refusal]
REFUSED = [nasty for nasty in NASTY_FILES if nasty.refusal]


def test_there_are_enough_of_them_and_each_has_its_name():
    assert len(NASTY_FILES) >= 60
    assert len({nasty.name for nasty in NASTY_FILES}) == len(NASTY_FILES)


@pytest.mark.parametrize("nasty", READ, ids=named)
def test_its_rows_are_read_or_rejected(nasty):
    file = io.BytesIO(nasty.make())
    inspection = inspect(file, nasty.wanted)
    table = open_table(file, inspection.source)
    assert (inspection.headings, table.headings) == (nasty.headings, nasty.headings)
    records = list(table.records())
    assert [(record.number, record.fields) for record in records] == nasty.rows
    assert {record.number: record.problem for record in records if record.problem} == nasty.problems
    assert list(table.records()) == records
    assert 0 < table.bytes_read <= len(file.getvalue())


@pytest.mark.parametrize("nasty", READ, ids=named)
def test_its_preview_is_what_will_be_read(nasty):
    file = io.BytesIO(nasty.make())
    inspection = inspect(file, nasty.wanted)
    read = dict(nasty.rows)
    assert inspection.sample or not read
    assert {record.number: record.fields for record in inspection.sample if not record.problem}.items() <= read.items()
    assert nasty.certain in (None, inspection.certain)
    assert nasty.notes in " ".join(inspection.notes)


@pytest.mark.parametrize("nasty", REFUSED, ids=named)
def test_it_is_refused_with_a_sentence(nasty):
    file = io.BytesIO(nasty.make())
    with pytest.raises(ValidationError) as refused:
        read_all(file, nasty)
    assert nasty.refusal in refused.value.messages[0]
    assert refused.value.messages[0].endswith(".")


def read_all(file, nasty):
    try:
        source = inspect(file, nasty.wanted).source
    except ValidationError:
        assert nasty.when == "inspected"
        raise
    assert nasty.when == "read", "inspect() has let it pass"
    list(open_table(file, source).records())
