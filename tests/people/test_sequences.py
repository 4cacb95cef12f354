"""Any sequence of overlapping files, taken in, discarded and undone: the people are those of a model in plain Python.

The model knows no SQL and no index. It keeps what was decided about each row, and folds the files that are taken in,
one after the other, over an empty list.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as RolledBack

from breachdesk.incidents.models import Incident
from breachdesk.people import working
from breachdesk.people.actions import discard_upload, undo_upload
from breachdesk.people.models import Person, Tally, Upload
from breachdesk.people.personal import personal_of
from breachdesk.people.working import work_on_upload
from breachdesk.vault.sealing import cipher_for
from tests.factories import check_upload, make_incident, make_upload, make_user, take_in

NAMES = ["Ana Ng", "Ana Berg", "Bo Lind", "Cy Ng"]
EMAILS = ["a@home.test", "b@home.test", ""]
REFERENCES = ["1", "2", "3", ""]
KINDS = ["name", "health", "orders"]
HEADING = "customer_id,name,email,street,country,data_exposed,vulnerable,deceased\n"


@dataclass(frozen=True)
class Row:
    reference: str
    name: str
    email: str
    street: str
    country: str
    kinds: tuple[str, ...]
    vulnerable: bool
    deceased: bool

    @property
    def identity(self) -> tuple[str, ...]:
        return ("mail", self.email, self.name) if self.email else ("post", self.name, self.street)

    @property
    def values(self) -> tuple[str, ...]:
        return self.reference, self.name, self.email, self.street, self.country

    @property
    def line(self) -> str:
        marks = ("yes" if mark else "" for mark in (self.vulnerable, self.deceased))
        return ",".join((*self.values, ";".join(self.kinds), *marks)) + "\n"


rows = st.builds(
    Row,
    reference=st.sampled_from(REFERENCES),
    name=st.sampled_from(NAMES),
    email=st.sampled_from(EMAILS),
    street=st.sampled_from(["1 Quay", "2 Mill"]),
    country=st.sampled_from(["GB", "DE"]),
    kinds=st.lists(st.sampled_from(KINDS), max_size=2, unique=True).map(tuple),
    vulnerable=st.booleans(),
    deceased=st.sampled_from([False, False, False, True]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["add", "add", "update", "withdraw"]), st.lists(rows, min_size=1, max_size=6)),
        st.tuples(
            st.just("discard"), st.tuples(st.sampled_from(["add", "update"]), st.lists(rows, min_size=1, max_size=4))
        ),
        st.tuples(st.just("undo"), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=7,
)


@dataclass
class ModelPerson:
    values: tuple[str, ...]
    identity: tuple[str, ...]
    kinds: frozenset[str]
    vulnerable: bool
    deceased: bool
    withdrawn: bool = False


@dataclass
class ModelFile:
    purpose: str
    decided: list[tuple[str, int, Row]] = field(default_factory=list)  # new, values, more or off; whom; by which row

    def counted(self, *whats: str) -> int:
        return sum(what in whats for what, _, _ in self.decided)


class Model:
    def __init__(self) -> None:
        self.files: list[ModelFile] = []
        self.numbers = count()

    def people(self) -> dict[int, ModelPerson]:
        people: dict[int, ModelPerson] = {}
        for file in self.files:
            fold(people, file)
        return people

    def read(self, purpose: str, listed: list[Row]) -> ModelFile:
        """Decides row by row, the way somebody would with the lists on paper."""
        known, file = self.people(), ModelFile(purpose)
        as_known = {number: (person.identity, person.values[0], person.values[1]) for number, person in known.items()}
        claims: dict[int, tuple[tuple[str, ...], str]] = {}
        given: set[int] = set()
        for row in listed:
            same = {n for n, (identity, _, _) in as_known.items() if identity == row.identity}
            same |= {n for n, (identity, _) in claims.items() if identity == row.identity}
            numbered = {n for n, (_, reference, _) in as_known.items() if reference == row.reference != ""}
            numbered |= {n for n, (_, reference) in claims.items() if reference == row.reference != ""}
            assert len(same) <= 1 >= len(numbered)
            whom = next(iter(same or numbered), None)
            if whom is None and purpose == "withdraw":
                file.decided.append(("unknown", -1, row))
            elif whom is None:
                number = next(self.numbers)
                file.decided.append(("new", number, row))
                as_known[number] = (row.identity, row.reference, row.name)
                given.add(number)
            elif (same and numbered and same != numbered) or (
                not same and not set(row.name.split()) & set(as_known[whom][2].split())
            ):
                file.decided.append(("refused", -1, row))
            elif purpose == "withdraw":
                file.decided.append(("off", whom, row))
            elif purpose == "update" and whom not in given:
                given.add(whom)
                claims[whom] = (row.identity, row.reference)
                file.decided.append(("values", whom, row))
            else:
                file.decided.append(("more", whom, row))
        return file


def fold(people: dict[int, ModelPerson], file: ModelFile) -> None:
    for what, number, row in file.decided:
        if what == "new":
            people[number] = ModelPerson(row.values, row.identity, frozenset(row.kinds), row.vulnerable, row.deceased)
        elif what == "off":
            people[number].withdrawn = True
        elif what in ("values", "more"):
            person = people[number]
            if what == "values":
                person.values, person.identity = row.values, row.identity
            person.kinds |= set(row.kinds)
            person.vulnerable |= row.vulnerable
            person.deceased |= row.deceased


def of_model(model: Model) -> list[tuple[Any, ...]]:
    return sorted(
        (*person.values, *sorted(person.kinds), person.vulnerable, person.deceased, person.deceased, person.withdrawn)
        for person in model.people().values()
    )


def of_database(incident: Incident) -> list[tuple[Any, ...]]:
    cipher = cipher_for(incident.pk)
    return sorted(
        (
            *(personal_of(cipher, person).get(key, "") for key in ("reference", "full_name", "email", "street")),
            person.country,
            *sorted(person.kinds),
            person.vulnerable,
            person.deceased,
            person.held,
            person.withdrawn,
        )
        for person in Person.objects.known_in(incident)
    )


class Sequences(RolledBack):
    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=steps, batch=st.sampled_from([1, 2, 5_000]))
    def test_the_people_are_those_of_the_model(self, steps: list[Any], batch: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(working, "BATCH", batch)
            play(steps)


def play(steps: list[Any]) -> None:
    incident, by, model = make_incident(), make_user("responder"), Model()
    taken: list[tuple[Upload, ModelFile]] = []
    for number, (what, more) in enumerate(steps):
        if what == "undo":
            undo_one(taken, model, more)
        elif what == "discard":
            purpose, listed = more
            upload, _ = read(incident, by, model, number, purpose, listed)
            discard_upload(upload, by=by, ring=False)
            work_on_upload(upload.pk)
        else:
            upload, file = read(incident, by, model, number, what, more)
            taken.append((take_in(upload), file))
            model.files.append(file)
        assert of_database(incident) == of_model(model)
    check_sums(incident, model)


def read(
    incident: Incident, by: Any, model: Model, number: int, purpose: str, listed: list[Row]
) -> tuple[Upload, ModelFile]:
    text = HEADING + "".join(row.line for row in listed)
    upload = check_upload(make_upload(incident, text + "\n" * number, by=by), purpose, "Wrongly listed.")
    file = model.read(purpose, listed)
    expected = (file.counted("new"), file.counted("values", "more", "off"), file.counted("unknown", "refused"))
    assert (upload.rows_valid, upload.rows_repeated, upload.rows_rejected) == expected
    return upload, file


def undo_one(taken: list[tuple[Upload, ModelFile]], model: Model, which: int) -> None:
    """Refused where a later list stands on it; the last one always goes."""
    if not taken:
        return
    place = which % len(taken)
    upload, file = taken[place]
    try:
        undo_upload(upload, reason="Wrong list.", by=upload.uploaded_by, ring=False)
    except ValidationError as refusal:
        if "Undo that one first" not in refusal.messages[0] or place == len(taken) - 1:
            raise
        return
    work_on_upload(upload.pk)
    del taken[place]
    model.files.remove(file)


MATCHES = """
SELECT count(*) FROM people_personmatch AS m JOIN people_upload AS u ON u.id = m.upload_id WHERE u.incident_id = %s
"""


def check_sums(incident: Incident, model: Model) -> None:
    """Every row of every list is somewhere, and the tally says what the model says."""
    tally, people = Tally.objects.of(incident), model.people().values()
    decided = [what for file in model.files for what, _, _ in file.decided]
    with connection.cursor() as cursor:
        cursor.execute(MATCHES, [incident.pk])
        assert cursor.fetchone() == (sum(what in ("values", "more", "off") for what in decided),)
    assert (tally.known, tally.people) == (len(people), sum(not person.withdrawn for person in people))
    assert tally.rows_read == len(decided)
