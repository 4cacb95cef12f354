"""Letters: for whom, what is on them, that they survive a killed worker, and that nobody has two."""

import io
import re
from datetime import timedelta
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from breachdesk.audit.canonical import canonical
from breachdesk.audit.models import Event
from breachdesk.audit.sections import collect_sections
from breachdesk.people.actions import hold_person
from breachdesk.vault.sealing import KeyDestroyed, cipher_for
from notifications import letter_files
from notifications.actions import begin_letters, post_letters, take_letters, void_letters
from notifications.callers import callers
from notifications.editions import skeleton_of, the_organisation
from notifications.genuine import answer_to
from notifications.hotline import answer_caller
from notifications.letter_files import file_id, open_pdf, parts_of
from notifications.letter_making import work_on_letters
from notifications.letter_pages import body_of
from notifications.letters import waiting_for_letters
from notifications.models import Edition, Letter, LetterRun
from notifications.reach import count_reach
from notifications.recipients import kinds_of
from notifications.sealed_parts import letters_part, letters_under_way
from notifications.verification_codes import code_of, printer
from tests.factories import destroy_key, make_user
from tests.notifications.undelivered import make_undelivered, person
from tests.pdfs import holes_of, pages_of_pdf, text_of_pdf

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sent(made_once: None, django_db_blocker: DjangoDbBlocker) -> Edition:
    with django_db_blocker.unblock():
        return make_undelivered()


@pytest.fixture(scope="module")
def printed(sent: Edition, django_db_blocker: DjangoDbBlocker) -> tuple[LetterRun, bytes]:
    """One run, made once; and its file as it was taken."""
    with django_db_blocker.unblock():
        run = begun(sent)
        assert not work_on_letters(run.pk, seconds=60)
        run = LetterRun.objects.with_case().get(pk=run.pk)
        return run, pdf_of(run)


@pytest.fixture
def run(printed: tuple[LetterRun, bytes]) -> LetterRun:
    return LetterRun.objects.with_case().get(pk=printed[0].pk)


def begun(edition: Edition) -> LetterRun:
    return begin_letters(edition, window="uk", by=make_user("approver"))


def pdf_of(run: LetterRun, part: int = 1) -> bytes:
    _, file = open_pdf(run, part, cipher_for(run.incident_id))
    with file:
        return file.read()


def code_for(number: str) -> str:
    return code_of(printer(), Letter.objects.get(person=person(number), voided_at=None).pk)


def test_who_gets_one_and_who_cannot(sent: Edition, run: LetterRun) -> None:
    """Ben and Dan were refused, Carla has no email; Ella has no postal address, Gina is on hold."""
    written_to = set(Letter.objects.filter(run=run).values_list("person", flat=True))
    assert written_to == {person(number).pk for number in ("HR-2", "HR-3", "HR-4")}
    left = waiting_for_letters(sent)
    assert (left.ready, left.no_post, left.held, left.changed) == (0, 1, 1, 0)
    with pytest.raises(ValidationError, match="Nobody waits"):
        begun(sent)


def test_a_letter_has_the_approved_words_an_address_and_its_own_code(printed: tuple[LetterRun, bytes]) -> None:
    run, pdf = printed
    words = text_of_pdf(pdf)
    for expected in ("Carla Rossi", "1 Via Larga", "20122 Milano", "ITALY", "Oakland CA 94601", "LEEDS"):
        assert expected in words
    for number in ("HR-2", "HR-3", "HR-4"):
        assert code_for(number) in words
    assert "http" not in words
    assert holes_of(pdf) == 0
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert len(document.pages) == run.pages
        assert not any("/Annots" in page for page in document.pages)
        assert "/StructTreeRoot" in document.Root


def letters_in(pdf: bytes) -> list[str]:
    """The words of each letter, by the code that opens it: pages between two fronts belong to the first."""
    pages = pages_of_pdf(pdf)
    fronts = [number for number, words in enumerate(pages) if re.search(r"\b1 ?/ ?\d", words)]
    return [" ".join(pages[start:end]) for start, end in pairwise([*fronts, len(pages)])]


def test_over_all_files_each_person_has_one_letter_at_their_own_address(
    sent: Edition, run: LetterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files of two and one: each code once, beside the name and street of the person it belongs to."""
    monkeypatch.setattr(letter_files, "LETTERS_IN_A_FILE", 2)
    void_letters(run, reason="Again.", by=make_user("dpo"))
    again = begun(sent)
    assert not work_on_letters(again.pk, seconds=60)
    written = [words for part in parts_of(again) for words in letters_in(pdf_of(again, part))]
    assert len(written) == 3
    homes = {
        "HR-2": ("Ben Low", "2 Mill Lane", "Dear Ben"),
        "HR-3": ("Carla Rossi", "1 Via Larga", "Dear Carla"),
        "HR-4": ("Dan Moss", "7 Bay Street", "Dear Dan"),
    }
    for number, said in homes.items():
        [mine] = [words for words in written if code_for(number) in words]
        assert [words in mine for words in said] == [True, True, True]
        others = [words for other in homes.keys() - {number} for words in homes[other]]
        assert [words for words in others if words in mine] == []
    assert [name for name in ("Amelia", "Ella", "Gina") if name in " ".join(written)] == [], "reached, or not by post"


def test_the_words_on_paper_are_the_approved_ones_whole(sent: Edition, printed: tuple[LetterRun, bytes]) -> None:
    """Word for word and in order, as the email had them; only what is pressed there is told in words."""
    skeleton = skeleton_of(sent, the_organisation())
    approved = re.sub(r"<[^>]+>", " ", body_of(skeleton, {"first name": "Carla"}, kinds_of((), sent.notice.incident)))
    [carla] = [words for words in letters_in(printed[1]) if "Carla Rossi" in words]
    plain = " ".join(re.sub(r"[^\w ]", "", unescape(approved)).split())
    assert len(plain) > 200
    assert plain in " ".join(re.sub(r"[^\w ]", "", carla.replace("\n", " ")).split())


def test_each_letter_begins_on_the_front_of_a_sheet(run: LetterRun) -> None:
    pages = list(Letter.objects.filter(run=run).values_list("pages", flat=True))
    assert all(pages)
    assert run.pages == sum(number + number % 2 for number in pages if number)
    said = Event.objects.of_type("letters.made").get().content["data"]
    assert (said["letters"], said["pages"], said["files"]) == (3, run.pages, 1)


def test_who_was_posted_to_counts_as_reached_and_may_ask(sent: Edition, run: LetterRun) -> None:
    by, today = make_user("approver"), timezone.localdate()
    assert count_reach(sent.notice, timezone.now()).all.ways["letter"] == 3
    assert answer_to(code_for("HR-3")).messages == []
    with pytest.raises(ValidationError, match="never taken"):
        post_letters(run, on=today, how="The printer.", by=by)
    take_letters(run, 1, by=by)
    with pytest.raises(ValidationError, match="until today"):
        post_letters(run, on=today + timedelta(days=1), how="The printer.", by=by)
    post_letters(run, on=today, how="The printer, first class.", by=by)
    reach = count_reach(sent.notice, timezone.now())
    assert reach.all.ways["posted"] == 3
    assert {place.code: place.reached for place in reach.places}["IT"] == 1
    [message] = answer_to(code_for("HR-3")).messages
    assert message.subject == sent.subject
    with pytest.raises(ValidationError, match="cannot be given up"):
        void_letters(run, reason="Too late.", by=by)
    taken = Event.objects.of_type("letters.taken").get().content["data"]
    assert (taken["letters"], taken["file"]) == (3, 1)


def test_given_up_letters_free_their_people_and_their_files(sent: Edition, run: LetterRun) -> None:
    void_letters(run, reason="Wrong paper.", by=make_user("dpo"))
    assert waiting_for_letters(sent).ready == 3
    again = begun(sent)
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.create(run=again, notice=sent.notice, person=person("HR-2"), number=99)


def test_nobody_on_hold_leaves_in_a_file(run: LetterRun) -> None:
    carla = person("HR-3")
    hold_person(carla, kind="asked", reason="She rang.", expected_version=carla.version, by=make_user("dpo"))
    with pytest.raises(ValidationError, match="1 of the people in this file were put on hold"):
        take_letters(run, 1, by=make_user("approver"))


def test_who_changes_while_letters_are_made_is_left_out(sent: Edition, run: LetterRun) -> None:
    by = make_user("dpo")
    void_letters(run, reason="Again.", by=by)
    again, carla = begun(sent), person("HR-3")
    hold_person(carla, kind="asked", reason="She rang.", expected_version=carla.version, by=by)
    assert not work_on_letters(again.pk, seconds=60)
    again.refresh_from_db()
    assert (again.state, again.letters_made) == ("ready", 2)
    assert "on hold" in again.failure
    assert Letter.objects.get(run=again, person=carla).voided_at
    assert count_reach(sent.notice, timezone.now()).all.ways["held"] == 1
    assert "Carla" not in text_of_pdf(pdf_of(again))


def test_a_killed_worker_is_taken_over_where_it_stood(
    sent: Edition, run: LetterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files of which the first is whole: it stays as it is, byte for byte, and the other one is made."""
    monkeypatch.setattr(letter_files, "LETTERS_IN_A_FILE", 2)
    void_letters(run, reason="Again.", by=make_user("dpo"))
    again = begun(sent)
    assert list(parts_of(again)) == [1, 2]
    letter_files.Press(LetterRun.objects.with_case().get(pk=again.pk)).make(1)
    first = letter_files.FOLDER.path_of(file_id(again, 1))
    half, before = first.with_name(f"{file_id(again, 2)}.sealed.partial"), first.read_bytes()
    half.write_bytes(b"half of a file")
    assert work_on_letters(again.pk, seconds=-1)
    assert not work_on_letters(again.pk, seconds=60)
    again.refresh_from_db()
    assert [file["letters"] for file in again.files] == [2, 1]
    assert first.read_bytes() == before


def test_what_is_no_longer_what_was_approved_is_not_printed(sent: Edition, run: LetterRun) -> None:
    void_letters(run, reason="Again.", by=make_user("dpo"))
    again = begun(sent)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE accounts_organisation SET short_name = 'Other Name'")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert not work_on_letters(again.pk, seconds=60)
    again.refresh_from_db()
    assert (again.state, waiting_for_letters(sent).ready) == ("failed", 3)
    with pytest.raises(ValidationError, match="has changed since this was approved"):
        begun(sent)


def test_whoever_answers_the_telephone_sees_each_step(sent: Edition, run: LetterRun) -> None:
    """Carla reads the code of her letter out: she is found, and so is what was done."""
    by = make_user("approver")
    take_letters(run, 1, by=by)
    post_letters(run, on=timezone.localdate(), how="The printer.", by=by)
    answer = answer_caller(sent.notice.incident, code_for("HR-3"), by=make_user("responder"))
    assert [caller.person for caller in answer.callers] == [person("HR-3")]
    assert [step.words for step in answer.callers[0].told[0].steps] == ["A letter was begun", "The letter was posted"]
    [ben] = callers(sent.notice.incident, [person("HR-2")])
    assert {step.words for step in ben.told[0].steps} == {
        "Try 1: refused by their mail server (550 5.1.1)",
        "A letter was begun",
        "The letter was posted",
    }


def test_the_files_die_with_the_key(sent: Edition, run: LetterRun) -> None:
    assert letters_under_way(sent.notice.incident)
    assert letters_part(sent.notice.incident).number == 1
    destroy_key(run.incident_id)
    with pytest.raises(KeyDestroyed):
        pdf_of(run)


def test_the_bundle_holds_what_was_printed_and_names_nobody(sent: Edition, run: LetterRun) -> None:
    by = make_user("approver")
    take_letters(run, 1, by=by)
    post_letters(run, on=timezone.localdate(), how="The printer.", by=by)
    [notice] = collect_sections(sent.incident_id, private=False)["notices"]["notices"]
    [letters] = notice["editions"][0]["letters"]
    assert (letters["state"], letters["letters"], letters["files"]) == ("posted", 3, run.files)
    assert notice["reached"]["ways"] == {"fresh": 1, "posted": 3, "refused": 2}
    italy = {"place": "IT", "reached": 1, "not_reached": 0, "not_known": 0}
    assert italy in notice["reached"]["places"]
    assert b"Carla" not in canonical(notice)


def test_only_who_may_prints(sent: Edition, run: LetterRun) -> None:
    by = make_user("author")
    with pytest.raises(PermissionDenied):
        begin_letters(sent, window="uk", by=by)
    with pytest.raises(PermissionDenied):
        take_letters(run, 1, by=by)
    with pytest.raises(PermissionDenied):
        void_letters(run, reason="No.", by=by)


def test_a_file_that_the_web_server_cannot_see_is_taken_by_nobody(
    client: Client, sent: Edition, run: LetterRun, tmp_path: Path
) -> None:
    client.force_login(make_user("approver"))
    file = letter_files.FOLDER.path_of(file_id(run, 1))
    away = file.rename(tmp_path / "away")
    answer = client.post(reverse("letters-take", args=[sent.notice.incident.reference, run.pk, 1]))
    away.rename(file)
    assert answer.status_code == 409
    assert "not where the web server looks for it" in answer.content.decode()
    assert not Event.objects.of_type("letters.taken").exists()


def test_the_pages_of_a_run(client: Client, sent: Edition, run: LetterRun) -> None:
    client.force_login(make_user("approver"))
    reference = sent.notice.incident.reference
    page = client.get(reverse("letters", args=[reference, run.pk])).content.decode()
    assert "3 letters ready to print" in page
    asked_again = client.get(reverse("letters", args=[reference, run.pk]), headers={"HX-Request": "true"})
    assert asked_again["HX-Refresh"] == "true"
    file: Any = client.post(reverse("letters-take", args=[reference, run.pk, 1]))
    assert b"".join(file.streaming_content).startswith(b"%PDF-")
    assert file["Cache-Control"] == "no-store"
    index = text_of_pdf(client.get(reverse("letters-index", args=[reference, run.pk])).content)
    assert run.files[0]["sha256"][:20] in index
    assert "Carla" not in index
    wrong = client.post(reverse("letters-post", args=[reference, run.pk]), {"version": run.version})
    assert wrong.status_code == 422
    void = {"void-version": run.version, "void-reason": "Wrong envelopes."}
    assert client.post(reverse("letters-void", args=[reference, run.pk]), void).status_code == 302
    begin = reverse("letters-begin", args=[reference, sent.pk])
    assert "Write to 3 people by post?" in client.get(begin).content.decode()
    assert client.post(begin, {"version": sent.version, "window": "din"}).status_code == 302
    sample = client.get(reverse("letters-sample", args=[reference, sent.pk, "us"]))
    assert "SAM SAMPLE" in text_of_pdf(sample.content).upper()
    client.force_login(make_user("auditor"))
    assert client.post(reverse("letters-take", args=[reference, run.pk, 1])).status_code == 403
