"""What must be explained before a list is taken in, and what is quiet."""

import csv
import json
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from breachdesk.audit.models import Event
from breachdesk.embedded.invented_people import write_people
from breachdesk.incidents.models import Incident
from breachdesk.limits import GATE_LIMITS
from breachdesk.people.actions import accept_upload
from breachdesk.people.gate import SENTENCES, Facts, Signal, Watch, needs_explaining, percent, signals_of
from breachdesk.people.models import Person, Upload
from breachdesk.people.preparing import Prepared
from breachdesk.people.reading.rows import BadRow
from tests.factories import check_upload, make_incident, make_people, make_upload, make_user

GIVEN = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "hazel", "iris", "juniper", "kestrel", "linden"]
FAMILY = ["abbott", "barlow", "chandler", "dawkins", "ellwood", "fenwick", "gadsby", "holloway", "ingram", "jessop"]


def clean(number: int, **values: object) -> Prepared:
    """Somebody whose address is made of their name."""
    initials = chr(97 + number // 26 % 26) + chr(97 + number % 26)
    given, family = GIVEN[number % 12], FAMILY[number // 12 % 10]
    defaults: dict[str, object] = {
        "number": number,
        "is_suspect": False,
        "id": b"",
        "identity": b"",
        "reference": None,
        "line": b"",
        "value": b"",
        "original": b"",
        "street": f"{number} Mill Lane",
        "postcode": "LS1 4AP",
        "email": f"{given}.{family}{number}@example.com",
        "country": "GB",
        "state": "",
        "language": "en-GB",
        "kinds": ("name",),
        "is_minor": False,
        "vulnerable": False,
        "deceased": False,
        "has_post": True,
        "name": f"{given} {initials} {family}",
    }
    return Prepared(**{**defaults, **values})  # type: ignore[arg-type]


def found(rows: list[Prepared | BadRow], earlier: tuple[int, int] = (0, 0), **facts: object) -> dict[str, Signal]:
    watch = Watch(GATE_LIMITS, earlier)
    for row in rows:
        watch.add_bad(row) if isinstance(row, BadRow) else watch.add(row)
    good = sum(isinstance(row, Prepared) for row in rows)
    known = {"purpose": "add", "read": len(rows), "new": good, "known": 0, "rejected": len(rows) - good, "people": good}
    return {signal.key: signal for signal in watch.judged(Facts(**{**known, **facts}))}  # type: ignore[arg-type]


def people(rows: int, every: int = 0, **values: object) -> list[Prepared | BadRow]:
    """Rows 2 and on; every so many-th has these values."""
    return [clean(number, **(values if every and number % every == 0 else {})) for number in range(2, rows + 2)]


def test_an_ordinary_list_needs_no_explanation() -> None:
    signals = found(people(1000))
    assert [signal for signal in signals.values() if signal.needs_explaining] == []


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("minors", {"is_minor": True}),
        ("deceased", {"deceased": True}),
        ("vulnerable", {"vulnerable": True}),
        ("without_email", {"email": ""}),
        ("unreachable", {"email": "", "has_post": False}),
        ("without_country", {"country": ""}),
        ("without_language", {"language": ""}),
    ],
)
def test_it_counts_each_kind_of_row_and_names_the_first(key: str, values: dict[str, object]) -> None:
    signal = found(people(1000, every=5, **values))[key]
    assert (signal.rows, signal.of, signal.share, signal.first_row) == (200, 1000, 0.2, 5)
    assert signal.needs_explaining
    assert signal.sentence.startswith("200 of 1,000 rows (20.0 %)")


def test_a_person_with_a_street_is_not_out_of_reach() -> None:
    assert "unreachable" not in found(people(100, every=5, email="", has_post=True))


def test_a_share_at_the_limit_needs_no_explanation_and_one_above_does() -> None:
    assert not found(people(1000, every=100, deceased=True))["deceased"].needs_explaining
    assert found(people(1000, every=90, deceased=True))["deceased"].needs_explaining


def test_a_limit_of_nought_lets_nothing_pass_and_a_limit_of_one_everything() -> None:
    rows = [clean(number, is_minor=True, deceased=number == 2) for number in range(2, 102)]
    watch = Watch(GATE_LIMITS | {"minors": 1.0, "deceased": 0.0})
    for row in rows:
        watch.add(row)
    signals = {signal.key: signal for signal in watch.judged(Facts("add", 100, 100, 0, 0, people=100))}
    assert not signals["minors"].needs_explaining
    assert signals["deceased"].needs_explaining


def test_it_tells_rejected_rows_and_customer_numbers_of_others() -> None:
    bad = [BadRow(number, "reference_of_another", "", []) for number in range(12, 15)]
    signals = found([*people(10), *bad, *people(84)])
    assert (signals["rejected"].rows, signals["rejected"].of, signals["rejected"].first_row) == (3, 97, 12)
    assert signals["references_of_others"].needs_explaining


@pytest.mark.parametrize(
    ("purpose", "key", "rows"), [("add", "known", 30), ("update", "new", 70), ("withdraw", "withdrawn", 30)]
)
def test_what_is_unusual_depends_on_what_the_file_is_for(purpose: str, key: str, rows: int) -> None:
    signals = found(people(100), purpose=purpose, new=70, known=30, affected=200)
    assert signals[key].rows == rows
    assert {"known", "new", "withdrawn"} & signals.keys() == {key}
    assert signals[key].of == (200 if purpose == "withdraw" else 100)


def test_it_finds_a_name_that_stands_for_nobody() -> None:
    signal = found(people(40_000, every=200, name="test test"))["repeated_name"]
    assert (signal.rows, signal.needs_explaining) == (200, False)
    signal = found(people(40_000, every=100, name="test test"))["repeated_name"]
    assert signal.needs_explaining
    assert 400 <= signal.rows <= 400 + 40_000 / 4_000
    assert "test" not in signal.sentence
    assert (signal.first_row - 2) % 100 == 98


def test_it_finds_a_street_that_stands_for_nowhere() -> None:
    signal = found(people(10_000, every=50, street="Unknown"))["repeated_street"]
    assert signal.needs_explaining
    assert "Unknown" not in signal.sentence


def test_a_few_namesakes_in_a_short_list_are_ordinary() -> None:
    assert "repeated_name" not in found(people(1000, every=100, name="mary smith"))


def moved(rows: list[Prepared | BadRow], first: int, last: int, column: str) -> list[Prepared | BadRow]:
    """The column of these rows taken from the next one."""
    values = [getattr(row, column) for row in rows]
    return [
        row._replace(**{column: values[(at + 1) % len(rows)]}) if first <= row.number <= last else row
        for at, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("first", "last"), [(2, 300), (1500, 1600), (1200, 3001), (2950, 3001)])
def test_it_finds_addresses_that_were_moved_and_says_from_where(first: int, last: int) -> None:
    signal = found(moved(people(3000), first, last, "email"))["names_moved"]
    assert signal.needs_explaining
    assert abs(signal.first_row - first) <= 5
    assert abs(signal.rows - (last - first + 1)) <= 10
    assert f"From row {signal.first_row:,} " in signal.sentence


def test_it_finds_addresses_that_were_moved_everywhere() -> None:
    signals = found(moved(people(3000), 2, 3001, "email"))
    assert signals["names_apart"].needs_explaining


def test_it_finds_countries_that_were_moved() -> None:
    german = {"country": "DE", "postcode": "50667"}
    rows = people(6000, every=2, **german)
    assert "postcodes_moved" not in found(rows)
    signal = found(moved(rows, 3000, 6001, "country"))["postcodes_moved"]
    assert abs(signal.first_row - 3000) <= 5


def test_it_holds_a_file_against_the_earlier_ones() -> None:
    """A list in which a third of the addresses hold the name is ordinary; after lists where nearly all do it is not."""
    rows = [row if row.number % 3 == 0 else row._replace(email=f"x{row.number}@example.com") for row in people(600)]
    assert "names_unlike_earlier" not in found(rows)
    assert "names_unlike_earlier" not in found(rows, earlier=(400, 1000))
    signal = found(rows, earlier=(950, 1000))["names_unlike_earlier"]
    assert (signal.rows, signal.of, signal.needs_explaining) == (370, 570, True)


@pytest.mark.parametrize("seed", range(6))
def test_invented_lists_are_quiet_and_the_same_lists_with_a_moved_column_are_not(seed: int, tmp_path: Path) -> None:
    write_people(tmp_path / "people.csv", 3000, seed=seed)
    rows = read(tmp_path / "people.csv")
    for order in (None, lambda row: row.email, lambda row: row.name, lambda row: row.country):
        ordered = sorted(rows, key=order) if order else rows
        ordered = [row._replace(number=number) for number, row in enumerate(ordered, 2)]
        assert [signal.sentence for signal in found(ordered).values() if signal.needs_explaining] == []
        assert "names_moved" in found(moved(ordered, 1000, 1200, "email")) or order is not None


def read(path: Path) -> list[Prepared]:
    """Rows of the invented list that hold no planted fault."""
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.DictReader(file) if None not in line and line["email"].count("@") == 1]
    return [
        clean(
            number,
            email=line["email"].strip().casefold(),
            name=" ".join(f"{line['first_name']} {line['last_name']}".casefold().split()),
            country=line["country"] if len(line["country"]) == 2 else "",
            language=line["language"],
            street=line["street"],
            postcode=line["postcode"],
        )
        for number, line in enumerate(lines, 2)
    ]


def test_every_signal_has_its_limit_and_its_sentence() -> None:
    assert SENTENCES.keys() == GATE_LIMITS.keys()


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.0001, "less than 0.1 %"), (0.048, "4.8 %"), (0.9999, "more than 99.9 %"), (1, "100 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_everything(share: float, said: str) -> None:
    assert percent(share) == said


def test_its_memory_does_not_grow_with_the_file() -> None:
    def size(rows: int) -> int:
        watch = Watch(GATE_LIMITS)
        for row in people(rows):
            watch.add(row)
        kept = [watch._waiting, watch.names._counts, watch.streets._counts, watch.names._first, watch.streets._first]
        return sum(map(len, kept))

    assert size(60_000) <= 5 * 4_096


HEADING = "customer_id,first_name,last_name,email,street,city,country,language\n"


def line(number: int, *, email: str = "", moved: int = 0, first: str = "") -> str:
    person = clean(number)
    given, initials, family = person.name.title().split()
    address = email or clean(number + moved).email
    return f"HR-{number},{first or given},{initials} {family},{address},{number} Mill Lane,Leeds,GB,en-GB\n"


def checked(incident: Incident, text: str) -> dict[str, Signal]:
    return {signal.key: signal for signal in signals_of(check_upload(make_upload(incident, HEADING + text)))}


@pytest.mark.django_db
def test_a_file_is_watched_while_it_is_read() -> None:
    text = "".join(line(number, moved=number > 300) for number in range(2, 502))
    upload = check_upload(make_upload(make_incident(), HEADING + text))
    keys = [signal.key for signal in needs_explaining(upload)]
    assert "names_moved" in keys
    assert abs(next(signal.first_row for signal in signals_of(upload) if signal.key == "names_moved") - 301) <= 5
    assert upload.summary["fits"]["names"][1] > 400


@pytest.mark.django_db
def test_what_looks_wrong_must_be_explained_before_the_list_is_taken_in() -> None:
    text = "".join(line(number, email="" if number % 2 else "x@example.com") for number in range(2, 22))
    upload = check_upload(make_upload(make_incident(), HEADING + text))
    keys = {signal.key for signal in needs_explaining(upload)}
    assert keys
    for left_out in keys:
        with pytest.raises(ValidationError, match="Say why"):
            accept_upload(
                upload, dict.fromkeys(keys - {left_out}, "So it is.") | {left_out: "  "}, by=make_user("responder")
            )
    assert Upload.objects.get(pk=upload.pk).state == Upload.State.CHECKED
    assert Person.objects.of(upload.incident).count() == 0
    accept_upload(upload, dict.fromkeys(keys, "The shop has one address for its counter."), by=make_user("responder"))
    event = Event.objects.get(type="upload.accepted")
    assert json.loads(bytes(event.body))["data"]["explained"] == len(keys)


@pytest.mark.django_db
def test_one_address_for_many_people_is_counted_over_the_whole_incident() -> None:
    incident = make_incident()
    make_people(incident, HEADING + "".join(line(number, email="desk@shop.test") for number in range(2, 5)))
    signals = checked(
        incident, "".join(line(number, email="desk@shop.test" if number < 12 else "") for number in range(10, 40))
    )
    shared = signals["shared_addresses"]
    assert (shared.rows, shared.of, shared.needs_explaining) == (5, 33, True)
    assert "stands with 5" in shared.sentence


@pytest.mark.django_db
def test_the_same_number_with_another_spelling_and_the_same_person_again_are_told() -> None:
    incident = make_incident()
    make_people(incident, HEADING + "".join(map(line, range(2, 32))))
    signals = checked(incident, "".join(line(number, first="Renata" if number < 5 else "") for number in range(2, 42)))
    assert (signals["renamed"].rows, signals["renamed"].of) == (3, 40)
    assert (signals["known"].rows, signals["known"].needs_explaining) == (30, True)


@pytest.mark.django_db
def test_a_file_is_held_against_the_earlier_ones_of_its_incident() -> None:
    incident = make_incident()
    moved = "".join(line(number, moved=7) for number in range(1000, 1100))
    assert "names_unlike_earlier" not in checked(make_incident(), moved)
    make_people(incident, HEADING + "".join(map(line, range(2, 102))))
    assert checked(incident, moved)["names_unlike_earlier"].needs_explaining


@pytest.mark.django_db
def test_no_signal_holds_a_name_or_an_address() -> None:
    text = "".join(line(number, first="Zebedee", email="zebedee@example.com") for number in range(2, 102))
    upload = check_upload(make_upload(make_incident(), HEADING + text))
    assert {"repeated_name", "shared_addresses"} & {signal["key"] for signal in upload.signals}
    assert "zebedee" not in json.dumps(upload.signals).casefold()


@pytest.mark.django_db
def test_the_limits_of_the_installation_hold(settings) -> None:
    text = "".join(map(line, range(2, 22))) + "HR-99,Noah,Doyle,,4 Harbour Row,Dublin,IE,en-IE\n"
    assert not checked(make_incident(), text)["without_email"].needs_explaining
    limits = GATE_LIMITS | {"without_email": 0.0}
    settings.BREACHDESK = settings.BREACHDESK.model_copy(update={"gate_limits": limits})
    signal = checked(make_incident(), text)["without_email"]
    assert (signal.limit, signal.needs_explaining) == (0.0, True)
