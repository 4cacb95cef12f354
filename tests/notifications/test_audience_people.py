"""Who is in an audience, beside a plain list of forty people; and each gets one edition, whatever is sent first."""

from collections import Counter
from itertools import cycle
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from breachdesk.audit.record import record
from breachdesk.people.models import Person, PersonMatch
from notifications import actions, delivery
from notifications.audience import Audience, Earlier, audience_from, suggested_audience
from notifications.choosing import numbers_of, told_by
from notifications.models import Delivery, Edition, Notice
from notifications.readership import Counted, counted, counted_by_language, readership_of
from notifications.recipients import best_edition, recipients_of, residents_of
from tests.factories import make_edition, make_incident, make_people, make_user, unguarded

HEAD = "customer_id,first_name,last_name,email,street,city,country,state,language,minor,vulnerable,deceased,kinds\n"
HAD = {"handing_over", "handed_over", "unknown", "delivered", "complained", "assumed_sent"}
MISSED = {"bounced", "refused", "blocked", "suppressed", "cancelled"}
WAITING = {"planned", "retry_wait"}
KINDS = ["name;email", "name;bank_account", "", "identity_document", "phone"]


def rows(first: int, last: int) -> str:
    """Each group has a cycle of its own length, so that all of them meet."""
    places, languages = [",", "DE,", "AT,", "US,CA", "US,NY", "US,", "GB,"], ["de", "de-AT", "", "fr-CA", "en", "pl"]
    lines = []
    for n in range(first, last):
        email = "" if n % 13 == 5 else f"person{n}@example.com"
        marks = ",".join("yes" if n % every == 3 else "no" for every in (5, 8, 19))
        where = f"{places[n % 7]},{languages[n % 6]}"
        lines.append(f"C-{n},Ada{n},Byrne,{email},{n} Quay Street,Bath,{where},{marks},{KINDS[n % 5]}\n")
    return HEAD + "".join(lines)


@pytest.fixture(scope="module")
def case(made_once: None):
    """Two lists that overlap, people taken off and on hold, and an earlier notice with a message in every state."""
    incident = make_incident(kinds=["name", "email"])
    first = make_people(incident, rows(0, 32))
    earlier = make_edition(incident).notice
    with unguarded():
        delivery.plan_deliveries(earlier.editions.get())
        states = cycle(sorted(HAD | MISSED | WAITING))
        for one, state in zip(Delivery.objects.filter(notice=earlier).order_by("person__row_number"), states):  # noqa: B905
            waits = None if state not in WAITING else one.next_at
            Delivery.objects.filter(pk=one.pk).update(state=state, token=uuid4(), next_at=waits)
    second = make_people(incident, rows(26, 40), name="shop.csv")
    gone = make_people(incident, rows(8, 12), name="gone.csv", purpose="withdraw")
    with unguarded():
        Person.objects.filter(incident=incident, row_number__in=[4, 11]).update(held=True)
        record("people.held", by=None, incident=incident.pk, people=2)
    notice = actions.create_notice(incident, title="Follow-up", starter="impostors", by=make_user("author"))
    return SimpleNamespace(incident=incident, earlier=earlier, notice=notice, lists=[first, second, gone])


def plain(case):
    """Everything a person is known by, read once, row by row."""
    states = dict(Delivery.objects.filter(notice=case.earlier).values_list("person", "state"))
    lists: dict[object, set[object]] = {}
    for person, upload in PersonMatch.objects.values_list("person", "upload"):
        lists.setdefault(person, set()).add(upload)
    people = list(Person.objects.filter(incident=case.incident))
    assert len(people) == 40
    return [(one, states.get(one.pk), lists.get(one.pk, set()) | {one.upload_id}) for one in people]


def belongs(audience: Audience, person: Person, state: str | None, lists: set[object]) -> bool:
    """The words of audience.py's first lines, without SQL."""
    places = {person.country, f"{person.country}-{person.state}"} if person.state else {person.country}
    kinds = set(person.kinds) or {"name", "email"}
    base = person.language.split("-")[0]
    told = {"had": state in HAD, "missed": state in MISSED, "never": state is None}
    aside = {"minors": person.minor, "vulnerable": person.vulnerable, "deceased": person.deceased}
    return all(
        [
            person.withdrawn == bool(audience.affected),
            not audience.places or places & set(audience.places),
            not places & set(audience.not_in),
            not audience.languages or {person.language, base} & set(audience.languages),
            not audience.kinds or kinds & set(audience.kinds),
            *((getattr(audience, key) or choice) == choice for key, is_one in aside.items()
              for choice in ["only" if is_one else "without"]),
            not audience.earlier or any(told[who] for who in audience.earlier.who),
            not audience.lists or lists & set(audience.lists),
        ]
    )  # fmt: skip


def audiences(case):
    def some(choices):
        return st.just(()) | st.lists(st.sampled_from(choices), max_size=3).map(tuple)

    choice = st.sampled_from(["", "", "only", "without"])
    who = st.sets(st.sampled_from(["had", "missed", "never"]), min_size=1).map(tuple)
    return st.builds(
        Audience,
        places=some(["", "DE", "AT", "US", "US-CA", "US-NY", "FR"]),
        not_in=some(["", "DE", "US-CA"]),
        languages=some(["", "de", "fr-CA", "fr", "pl"]),
        kinds=some(["name", "email", "phone", "bank_account", "identity_document", "health"]),
        minors=choice,
        vulnerable=choice,
        deceased=choice,
        affected=st.sampled_from(["", "", "no_longer"]),
        earlier=st.none() | st.builds(Earlier, st.just(case.earlier.pk), who),
        lists=some([one.pk for one in case.lists]),
    )


@pytest.mark.django_db
def test_every_audience_has_the_people_that_its_words_say(case) -> None:
    known = plain(case)

    @given(audiences(case))
    @settings(max_examples=30, deadline=None)
    def compare(audience) -> None:
        people = [person for person, state, lists in known if belongs(audience, person, state, lists)]
        assert {one.pk for one in audience.people_of(case.incident)} == {one.pk for one in people}
        assert counted(case.incident, audience) == Counted(
            sum(one.has_email and not one.held for one in people),
            sum(one.held for one in people),
            sum(not one.has_email and not one.held for one in people),
        )

    compare()


@pytest.mark.django_db
def test_each_choice_alone_has_somebody_and_leaves_somebody_out(case) -> None:
    """Or the comparison above would say little."""
    earlier = {"notice": str(case.earlier.pk)}
    choices = [
        {"places": ["DE"]}, {"places": ["US-CA"]}, {"places": [""]}, {"not_in": ["US"]}, {"languages": ["de"]},
        {"languages": [""]}, {"kinds": ["bank_account"]}, {"kinds": ["name"]}, {"affected": "no_longer"},
        *({key: choice} for key in ("minors", "vulnerable", "deceased") for choice in ("only", "without")),
        *({"earlier": earlier | {"who": [who]}} for who in ("had", "missed", "never")),
        *({"lists": [str(one.pk)]} for one in case.lists[:2]),
    ]  # fmt: skip
    everybody = Audience().people_of(case.incident).count()
    for choice in choices:
        number = audience_from(choice).people_of(case.incident).count()
        assert 0 < number < everybody, choice


@pytest.mark.django_db
def test_what_may_have_arrived_is_never_missed(case) -> None:
    """An unknown hand-over may be in somebody's inbox, and whose message still waits may yet have it."""
    missed = Audience(earlier=Earlier(case.earlier.pk, ("missed",))).people_of(case.incident)
    never = Audience(earlier=Earlier(case.earlier.pk, ("never",))).people_of(case.incident)
    states = set(Delivery.objects.filter(notice=case.earlier, person__in=missed).values_list("state", flat=True))
    assert states == MISSED
    assert not Delivery.objects.filter(notice=case.earlier, person__in=never).exists()


@pytest.mark.django_db
def test_the_numbers_beside_the_choices_are_those_of_the_people(case) -> None:
    found = numbers_of(case.incident)
    affected = [one for one, _, _ in plain(case) if not one.withdrawn and one.has_email and not one.held]
    assert found.people == len(affected)
    for choice in ("DE", "US", "US-CA", ""):
        assert found.places[choice] == counted(case.incident, Audience(places=(choice,))).people
    for choice in ("de", "fr", ""):
        assert found.languages[choice] == counted(case.incident, Audience(languages=(choice,))).people
    for choice in ("name", "bank_account"):
        assert found.kinds[choice] == counted(case.incident, Audience(kinds=(choice,))).people
    assert found.aside["minors"] == counted(case.incident, Audience(minors="only")).people
    assert found.aside["no_longer"] == counted(case.incident, Audience(affected="no_longer")).people
    for one in case.lists[:2]:
        assert found.lists[one.pk] == counted(case.incident, Audience(lists=(one.pk,))).people
    for who, number in told_by(case.earlier).items():
        assert number == counted(case.incident, Audience(earlier=Earlier(case.earlier.pk, (who,)))).people


@pytest.mark.django_db
def test_the_edition_the_law_and_the_page_follow_the_audience(case) -> None:
    audience = Audience(places=("US-CA", "DE"))
    actions.define_audience(case.notice, audience=audience, by=make_user("author"))
    edition = Edition.objects.with_incident().get(notice=case.notice)
    assert residents_of(edition).keys() == {"US", "US-CA", "DE"}
    assert recipients_of(edition).count() == counted(case.incident, audience).people
    assert readership_of(edition.notice).waiting_for("en") == recipients_of(edition).count()


@pytest.mark.django_db
def test_nobody_is_in_two_editions_whatever_is_submitted_first(case) -> None:
    author = make_user("author")
    for language in ("de", "fr"):
        actions.add_edition(case.notice, language=language, by=author)
    tags = dict(Person.objects.of(case.incident).reachable_by_email().values_list("pk", "language"))
    audience = Audience(minors="without")
    people = {one.pk for one in audience.people_of(case.incident).reachable_by_email()}

    @given(st.permutations(["en", "de", "fr"]), st.lists(st.sampled_from(["de", "fr", "pl"]), unique=True, max_size=2))
    @settings(max_examples=15, deadline=None)
    def plan(submitted, order) -> None:
        with transaction.atomic():
            Notice.objects.filter(pk=case.notice.pk).update(fallback=order, audience=audience.to_json())
            for language in submitted:
                delivery.plan_deliveries(Edition.objects.with_incident().get(notice=case.notice, language=language))
            planned = Delivery.objects.filter(notice=case.notice).values_list("person", "edition__language")
            served = {person: best_edition(tags[person], "en", {"en", "de", "fr"}, order) for person in people}
            assert dict(planned) == {person: language for person, language in served.items() if language}
            readers = readership_of(Notice.objects.select_related("incident").get(pk=case.notice.pk))
            waiting = Counter(tags[person].split("-")[0] for person, language in served.items() if not language)
            assert {one.language: one.people for one in readers.nothing_to_read} == waiting
            transaction.set_rollback(True)

    plan()


@pytest.mark.django_db
def test_a_starter_says_whom_it_is_for(case) -> None:
    assert suggested_audience("guardian", case.incident) == Audience(minors="only")
    assert suggested_audience("next_of_kin", case.incident) == Audience(deceased="only")
    assert suggested_audience("not_affected", case.incident) == Audience(affected="no_longer")
    assert suggested_audience("exact_data", case.incident) == Audience()
    with unguarded():
        case.earlier.editions.update(started_at=case.earlier.created_at)
    assert suggested_audience("correction", case.incident) == Audience(earlier=Earlier(case.earlier.pk, ("had",)))
    notice = actions.create_notice(case.incident, title="To guardians", starter="guardian", by=make_user("author"))
    assert notice.audience == {"minors": "only"}
    by_language = counted_by_language(case.incident, Audience(minors="only"))
    assert readership_of(notice).counted == sum(by_language.values(), Counted())
