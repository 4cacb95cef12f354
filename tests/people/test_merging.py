"""Files that overlap: who is the same person, what a further row adds, brings newer or takes off."""

import json
import re
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from breachdesk.audit.models import Event
from breachdesk.incidents.models import Incident
from breachdesk.people import merging
from breachdesk.people.merging import keys_before
from breachdesk.people.models import Person, PersonMatch, Upload
from breachdesk.people.personal import identity_index, personal_of, reference_index, seal_personal
from breachdesk.vault.sealing import SealBroken, cipher_for
from tests.factories import check_upload, make_incident, make_people, make_upload, unguarded

pytestmark = pytest.mark.django_db

HEADING = "customer_id,name,email,street,country,language,data_exposed,minor,vulnerable,deceased\n"
ANA = "7,Ana Ng,ana@home.test,1 Quay,GB,en,name,,,\n"


def listed(*rows: str) -> str:
    return HEADING + "".join(rows)


def people_of(incident: Incident) -> dict[str, dict[str, Any]]:
    """Everybody affected by name, opened, with their plain columns."""
    cipher = cipher_for(incident.pk)
    return {
        personal["full_name"]: personal | {"kinds": person.kinds, "person": person}
        for person in Person.objects.of(incident)
        for personal in [personal_of(cipher, person)]
    }


def rejected_of(upload: Upload) -> list[tuple[int, str]]:
    return list(upload.rejected.by_row().values_list("row_number", "reason"))


def counts_of(upload: Upload) -> tuple[int, int, int]:
    return upload.rows_valid, upload.rows_repeated, upload.rows_rejected


# Who is the same person


@pytest.mark.parametrize(
    ("row", "counts"),
    [
        ("8,ANA  NG,Ana@HOME.test,,,,,,,\n", (0, 1, 0)),  # same address and name
        ("7,Ana Berg,other@home.test,,,,,,,\n", (0, 1, 0)),  # same number, and a word of the name
        ("7,Bo Lind,bo@home.test,,,,,,,\n", (0, 0, 1)),  # same number, another name
        (",Bo Ng,ana@home.test,,,,,,,\n", (1, 0, 0)),  # two people behind one address
        (",Ana Ng,ana@work.test,,,,,,,\n", (1, 0, 0)),  # the same name elsewhere
    ],
)
@pytest.mark.parametrize("same_file", [True, False])
def test_who_is_the_same_person(row: str, counts: tuple[int, int, int], same_file: bool) -> None:
    incident = make_incident()
    if same_file:
        upload = make_people(incident, listed(ANA, row))
        assert counts_of(upload) == (counts[0] + 1, *counts[1:])
    else:
        make_people(incident, listed(ANA))
        upload = make_people(incident, listed(row))
        assert counts_of(upload) == counts
    if counts[2]:
        assert [reason for _, reason in rejected_of(upload)] == ["reference_of_another"]


def test_a_row_between_two_people_is_nobodys() -> None:
    """The number is one's, the address and name the other's: whichever were taken, somebody might not be told."""
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Ana Ng,ana@work.test,,,,,,,\n"))
    upload = make_people(incident, listed("8,Ana Ng,ana@home.test,,,,,,,\n"), purpose="update")
    assert (counts_of(upload), rejected_of(upload)) == ((0, 0, 1), [(2, "reference_of_another")])


def test_without_an_email_address_the_post_says_who_it_is() -> None:
    incident = make_incident()
    text = "name,email,street,postcode,date_of_birth\nBo Lind,,1 Quay,LS1,1980-01-01\n"
    make_people(incident, text)
    upload = make_people(incident, text.replace("1 Quay", "1  QUAY") + "Bo Lind,,1 Quay,LS1,1990-01-01\n")
    assert counts_of(upload) == (1, 1, 0)


def test_a_rejected_row_is_kept_as_it_came() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    upload = make_people(incident, listed("7,Bo Lind, BO@home.test ,,,,,,,\n"))
    row = upload.rejected.get()
    cipher = cipher_for(incident.pk)
    original = cipher.unseal(bytes(row.sealed), table="people_rejectedrow", column="sealed", row=row.pk)
    assert json.loads(original)[:3] == ["7", "Bo Lind", " BO@home.test "]
    assert row.column == "Customer number"


# What a further row does


def test_it_adds_kinds_and_marks_and_changes_nothing_else() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    make_people(incident, listed("9,Ana Ng,ana@home.test,2 Mill,IE,ga,health;name,yes,yes,\n"))
    ana = people_of(incident)["Ana Ng"]
    person = ana["person"]
    assert (ana["street"], ana["reference"], person.country, person.language) == ("1 Quay", "7", "GB", "en")
    assert (ana["kinds"], person.minor, person.vulnerable, person.deceased) == (["name", "health"], True, True, False)


def test_several_rows_of_one_file_add_up() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    row = "7,Ana Ng,ana@home.test,,,,{},,{},\n"
    upload = make_people(
        incident, listed(row.format("health", ""), row.format("orders", "yes"), row.format("name", ""))
    )
    person = people_of(incident)["Ana Ng"]["person"]
    assert (counts_of(upload), person.kinds, person.vulnerable) == ((0, 3, 0), ["name", "health", "orders"], True)
    rows = (
        PersonMatch.objects.filter(upload=upload).order_by("row_number").values_list("row_number", "found_by", "person")
    )
    assert list(rows) == [(n, "identity", person.pk) for n in (2, 3, 4)]


def test_the_merged_row_remembers_its_source_and_can_be_recognised() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    first = make_people(incident, listed("7,Ana Ng,ana@home.test,2 Mill,,,,,,\n"))
    second = make_people(incident, listed("7,Ana Ng,ana@home.test,2 Mill,,,,,,\n", "8,Bo,bo@home.test,,,,,,,\n"))
    one, other = PersonMatch.objects.get(upload=first), PersonMatch.objects.get(upload=second)
    bo = Person.objects.get(upload=second)
    assert bytes(one.row_checksum) == bytes(other.row_checksum) not in (bytes(bo.row_checksum), bytes(16), b"")
    assert bytes(one.row_checksum) != bytes(people_of(incident)["Ana Ng"]["person"].row_checksum)


def test_somebody_who_died_is_held_at_once() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo Lind,bo@home.test,,,,,,,yes\n"))
    assert people_of(incident)["Bo Lind"]["person"].held
    make_people(incident, listed("7,Ana Ng,ana@home.test,,,,,,,yes\n"))
    assert people_of(incident)["Ana Ng"]["person"].held


# Newer data


def test_newer_data_replaces_all_that_the_older_row_said() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    upload = make_people(
        incident, listed("7,Ana Berg,berg@home.test,,DE,de,health,,,\n", "8,Bo,bo@home.test,,,,,,,\n"), purpose="update"
    )
    people = people_of(incident)
    ana = people["Ana Berg"]
    person = ana.pop("person")
    assert (counts_of(upload), sorted(people)) == ((1, 1, 0), ["Ana Berg", "Bo"])
    assert ana == {
        "reference": "7", "full_name": "Ana Berg", "email": "berg@home.test", "kinds": ["name", "health"]
    }  # fmt: skip
    assert (person.country, person.language, person.has_post, person.version) == ("DE", "de", False, 3)


def test_the_first_row_of_a_file_about_somebody_gives_the_values() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    rows = ["7,Ana Berg,berg@home.test,2 Mill,,,,,,\n", "7,Ana Ng,ana@home.test,3 Mill,,,health,,,\n"]
    upload = make_people(incident, listed(*rows, ",Ana Berg,berg@home.test,4 Mill,,,,,,\n"), purpose="update")
    ana = people_of(incident)["Ana Berg"]
    assert (counts_of(upload), ana["street"], ana["kinds"]) == ((0, 3, 0), "2 Mill", ["name", "health"])


def test_newer_data_is_found_by_later_rows_of_the_file_in_another_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("breachdesk.people.working.BATCH", 1)
    test_the_first_row_of_a_file_about_somebody_gives_the_values()
    test_who_is_the_same_person("7,Bo Lind,bo@home.test,,,,,,,\n", (0, 0, 1), same_file=True)


def test_the_next_file_finds_people_by_their_newer_data() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    make_people(incident, listed("7,Ana Berg,berg@home.test,,,,,,,\n"), purpose="update")
    upload = make_people(incident, listed(",Ana Berg,berg@home.test,,,,,,,\n", ",Ana Ng,ana@home.test,,,,,,,\n"))
    assert counts_of(upload) == (1, 1, 0)


# No longer affected


def test_a_list_takes_people_off_and_keeps_them() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo,bo@home.test,,,,,,,\n"))
    upload = make_people(
        incident, listed("7,Ana Ng,ana@home.test,,,,,,,\n", "9,Cy,cy@home.test,,,,,,,\n"), purpose="withdraw"
    )
    assert (counts_of(upload), rejected_of(upload)) == ((0, 1, 1), [(3, "unknown_person")])
    assert sorted(people_of(incident)) == ["Bo"]
    assert Person.objects.known_in(incident).count() == 2


def test_whoever_was_taken_off_stays_off_and_a_later_file_says_so() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    make_people(incident, listed(ANA.replace("1 Quay", "")), purpose="withdraw")
    upload = make_people(incident, listed(ANA.replace("1 Quay", "2 Quay")))
    assert (counts_of(upload), upload.summary["about_withdrawn"], people_of(incident)) == ((0, 1, 0), 1, {})


# Nothing of it counts before it is taken in, and the trail says what changed


def test_nothing_changes_before_the_list_is_taken_in() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    before = Person.objects.filter(incident=incident).values()
    kept = list(before)
    check_upload(make_upload(incident, listed("7,Ana Berg,berg@home.test,,,,health,yes,,yes\n")), "update")
    assert list(before.all()) == kept


def test_the_event_names_every_list_whose_people_it_changed() -> None:
    incident = make_incident()
    first = make_people(incident, listed(ANA))
    second = make_people(incident, listed("8,Bo,bo@home.test,,,,,,,\n"))
    upload = make_people(
        incident, listed("7,Ana Ng,ana@home.test,2 Mill,,,,,,\n", "8,Bo,bo@home.test,2 Mill,,,,,,\n"), purpose="update"
    )
    event = Event.objects.of_type("upload.loaded").newest_first()[0]
    assert {f"people_person/{one.pk}" for one in (first, second, upload)} <= set(event.names)
    assert json.loads(bytes(event.body))["data"]["changed"] == 2


# A name beside another row's address


def test_values_of_two_rows_never_pass_for_one() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo Lind,bo@home.test,,,,,,,\n"))
    cipher = cipher_for(incident.pk)
    person = people_of(incident)["Ana Ng"]["person"]
    mixed = personal_of(cipher, person) | {"email": "bo@home.test"}
    person.sealed = seal_personal(cipher, mixed, person.pk)
    with pytest.raises(SealBroken, match="not those of the row"):
        personal_of(cipher, person)


def test_a_sealed_value_in_another_place_opens_nowhere() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "8,Bo Lind,bo@home.test,,,,,,,\n"))
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE people_person AS p SET sealed = o.sealed, row_checksum = o.row_checksum
               FROM people_person AS o WHERE o.id <> p.id"""
        )
    with pytest.raises(SealBroken):
        people_of(incident)


def test_the_database_refuses_values_from_two_rows_of_one_file() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA))
    upload = make_people(incident, listed("7,Ana Ng,ana@home.test,2 Mill,,,,,,\n"), purpose="update")
    match = PersonMatch.objects.get(upload=upload)
    with pytest.raises(DatabaseError, match="values_come_from_one_row"), transaction.atomic():
        PersonMatch.objects.create(
            upload=upload, person=match.person, row_number=9, row_checksum=b"", found_by="identity", sealed=b"x"
        )


# How somebody known is looked for

_MANY_LIKE_HER = """
INSERT INTO people_person (id, identity_index, reference_index, row_number, incident_id, upload_id, row_checksum,
    sealed, email_index, country, state, language, kinds, minor, vulnerable, deceased, has_email, has_post, held,
    withdrawn, version)
SELECT gen_random_uuid(), uuid_send(gen_random_uuid()), uuid_send(gen_random_uuid()), number, incident_id, upload_id,
    row_checksum, sealed, email_index, country, state, language, kinds, minor, vulnerable, deceased, has_email,
    has_post, held, withdrawn, version
FROM people_person, generate_series(2, %s) AS number
"""


def test_a_filter_holds_the_keys_of_people_and_those_that_newer_data_took_the_place_of() -> None:
    incident = make_incident()
    make_people(incident, listed(ANA, "1,Bo Lind,bo@home.test,,,,,,,\n"))
    make_people(
        incident, listed("7,Ana Berg,berg@home.test,,,,,,,\n", "2,Bo Lind,bo@home.test,,,,,,,\n"), purpose="update"
    )
    upload, cipher = make_upload(incident), cipher_for(incident.pk)
    people = ["berg@home.test\nana berg", "ana@home.test\nana ng", "bo@home.test\nbo lind"]
    keys = [identity_index(cipher, identity) for identity in people]
    keys += [reference_index(cipher, reference) for reference in ("7", "2", "1")]
    strangers = [identity_index(cipher, "ana@home.test\nana berg"), reference_index(cipher, "3")]
    assert keys_before(upload).add(keys + strangers) == [True] * len(keys) + [False] * len(strangers)


def test_the_people_of_a_batch_are_looked_up_by_their_keys_alone() -> None:
    """Not by an index that begins with the incident and goes through all its people, for each batch anew."""
    incident = make_incident()
    make_people(incident, listed(ANA))
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(_MANY_LIKE_HER, [3_000])  # of so few as one, any index will do
        cursor.execute("ANALYZE people_person")  # as autovacuum does: what other tests left there decides nothing
    keys = {"incident": incident.pk, "identities": [bytes(16)] * 2, "references": [bytes(16)] * 2}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as the loader has it
        plan = "\n".join(line for (line,) in merging._run(f"EXPLAIN {merging._KNOWN}", keys))
    conditions = re.findall(r"Index Scan using (\w+) on people_person\s.*\n\s*Index Cond: (.*)", plan)
    assert [name for name, _ in conditions] == ["one_row_per_person", "person_by_reference"], plan
    assert all(re.search(r"incident_id = .* AND \(\w+_index = key\w*\.key\)", one) for _, one in conditions), plan
