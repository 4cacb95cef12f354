"""All the forms there are: sound data, one way to open, fill, sign and export them, and no code that knows one."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from breachdesk.accounts.models import User
from breachdesk.audit.models import Event
from breachdesk.incidents.kinds import KINDS
from breachdesk.incidents.models import Incident
from regulators import actions, catalogue
from regulators.actions import NewAnswer
from regulators.addressees import addressees_of, offers
from regulators.catalogue import FOLDER, all_forms, get_form, get_place
from regulators.catalogue.schema import CHOSEN, Question
from regulators.filing_pdf import filing_pdf
from regulators.models import Filing
from regulators.sheet import Sheet
from tests.factories import make_incident, make_organisation
from tests.pdfs import attachment_of, body_of_pdf, demand_fonts, holes_of, text_of_pdf
from tests.regulators.conftest import fresh, signed_in
from tests.regulators.filling import fill, not_printed, now, open_one, sign, squeezed
from tests.test_structure import ROOT, named, python_files

# ---- the data


def test_there_are_twenty_five_and_none_is_reviewed() -> None:
    forms = all_forms()
    assert len(forms) == 25
    assert not [form.id for form in forms if form.reviewed_by]
    assert {len(get_form(form).questions) for form in ("eu_art33_generic", "hhs_ocr_breach_portal")} == {56, 55}


def test_what_a_choice_stands_for_is_a_kind_of_data_and_stands_once() -> None:
    """A kind that two choices of one list stand for would tick both; a misspelt one would tick none, in silence."""
    asked = [(form, q) for form in all_forms() for q in form.questions if q.fact == "data.categories"]
    for form, question in asked:
        means = [meaning for choice in question.choices for meaning in choice.means]
        assert set(means) <= KINDS.keys(), (form.id, question.key)
        assert len(set(means)) == len(means) or question.key == "data_categories", (form.id, question.key)


def test_ranges_of_a_number_have_no_gap_and_no_overlap() -> None:
    ranged = [[c for c in q.choices if c.is_a_range] for form in all_forms() for q in form.questions]
    for choices in filter(None, ranged):
        ends = sorted((choice.least or 0, choice.most) for choice in choices)
        assert [after[0] for after in ends[1:]] == [before[1] + 1 for before in ends[:-1] if before[1] is not None]
        assert ends[-1][1] is None


def test_every_question_can_be_answered_or_put_off_and_every_place_is_known() -> None:
    for form in all_forms():
        for question in form.questions:
            assert question.kind not in CHOSEN or len(question.choices) > 1, (form.id, question.key)
            assert not question.not_known or form.phases, (form.id, question.key)
        if form.authority and form.authority.place:
            assert get_place(form.authority.place)


def test_no_code_and_no_page_knows_a_form() -> None:
    """A new form is a file. The story of the demo and the tests open one by its id, as a person does."""
    ids = re.compile("|".join(rf"\b{form.id}\b" for form in all_forms()))
    code = [path for path in python_files() if not named(path).startswith(("tests/", "breachdesk/embedded/story/"))]
    pages = list((ROOT / "templates").rglob("*.html"))
    assert [named(path) for path in [*code, *pages] if ids.search(path.read_text())] == []


# ---- to whom


def test_a_common_form_goes_to_each_authority_once(incident: Incident, dpo: User) -> None:
    keys = [one.key for one in addressees_of(get_form("eu_art33_generic"))]
    assert {"fr_cnil", "at_dsb", "no_datatilsynet"} <= set(keys)
    for key in ("at_dsb", "no_datatilsynet"):
        filing = actions.open_filing(incident, "eu_art33_generic", authority=key, by=dpo)
        assert Event.objects.newest_first()[0].content["data"]["authority"] == key == filing.authority_key
    with pytest.raises(ValidationError, match="already has this form for the DSB"):
        actions.open_filing(incident, "eu_art33_generic", authority="at_dsb", by=dpo)
    with pytest.raises(ValidationError, match="does not go to that authority"):
        actions.open_filing(incident, "fr_cnil", authority="at_dsb", by=dpo)
    with pytest.raises(ValidationError, match="does not go to that authority"):
        actions.open_filing(incident, "fr_cnil", named="Somebody", by=dpo)
    assert now(filing).of("recipient_authority").value == filing.authority
    with pytest.raises(IntegrityError, match="keeps its incident, form and authority"), transaction.atomic():
        Filing.objects.filter(pk=filing.pk).update(authority_key="fr_cnil", version=2)


def test_an_authority_that_is_not_in_the_catalogue_is_named(incident: Incident, dpo: User) -> None:
    actions.open_filing(incident, "nis2_incident", named="CSIRT of  Utopia", by=dpo)
    with pytest.raises(ValidationError, match="already has this form for the csirt of utopia"):
        actions.open_filing(incident, "nis2_incident", named="csirt of utopia", by=dpo)
    with pytest.raises(ValidationError, match="longer than 160 characters"):
        actions.open_filing(incident, "nis2_incident", named="x" * 161, by=dpo)
    assert Filing.objects.get().authority == "CSIRT of Utopia"


def test_authorities_are_found_by_country_law_and_name() -> None:
    assert [offer.addressee.key for offer in offers("commission nationale informatique")] == ["fr_cnil"]
    assert "fr_cnil" in [offer.addressee.key for offer in offers("france 33")]
    assert offers("utopia") == []
    found = {form.id for offer in offers("HHS") for form in offer.forms}
    assert found == {"hhs_ocr_breach_portal"}


def test_the_page_offers_what_is_searched_and_opens_it(incident: Incident, dpo: User) -> None:
    client = signed_in(dpo)
    page = f"/incidents/{incident.reference}/filings/"
    assert "Begin the report to the CNIL" in client.get(page).text
    austria = client.get(page, {"q": "austria"}).text
    assert "Begin the report to the CNIL" not in austria
    assert "Begin the report to the DSB" in austria
    assert "No authority, country, law or form here" in client.get(page, {"q": "utopia"}).text
    opened = client.post(f"{page}open/", {"form": "eu_art33_generic", "authority": "at_dsb"}, follow=True)
    assert "<h1>Report to the DSB</h1>" in opened.text
    named_one = client.post(f"{page}open/", {"form": "eu_art33_generic", "named": "Utopia"}, follow=True)
    assert "<h1>Report to the Utopia</h1>" in named_one.text


# ---- answers


def test_what_one_report_says_the_next_one_takes_over(incident: Incident, dpo: User) -> None:
    """In the words of its own choices, and only until somebody answers it there too."""
    first = actions.open_filing(incident, "uk_ico", by=dpo)
    told = {"preventive_measures": "Yearly review.", "people_categories": ["children"], "told_people": "decided_not"}
    actions.save_answers(first, {key: NewAnswer(0, value) for key, value in told.items()}, by=dpo)
    second = actions.open_filing(incident, "fr_cnil", by=dpo)
    sheet = now(second)
    assert sheet.of("measures_before").value == "Yearly review."
    assert sheet.of("measures_before").origin == "As answered in the report to the ICO."
    assert sheet.of("people_categories").value == ["minors"]
    assert sheet.of("people_told").value == "wont_tell"
    actions.save_answers(second, {"measures_before": NewAnswer(0, "Two reviews.")}, by=dpo)
    assert now(first).of("preventive_measures").value == "Yearly review."


def test_numbers_and_moments_fit_each_form_in_its_own_way(dpo: User) -> None:
    make_organisation()
    incident = make_incident(people_low=400, people_high=612, kinds=["name", "health", "payment_card"])
    hhs = now(actions.open_filing(incident, "hhs_ocr_breach_portal", by=dpo))
    assert (hhs.of("individuals_affected").value, hhs.of("breach_affecting").value) == (612, "at_least_500")
    assert hhs.of("phi_types").value == ["clinical", "demographic", "financial"]
    assert hhs.of("discovery_start_date").value is None  # becoming aware is not what this law calls discovery
    au = now(actions.open_filing(incident, "au_oaic_ndb", by=dpo))
    assert au.of("individuals_affected_range").text == "101-1,000"
    nl = now(actions.open_filing(incident, "nl_ap", by=dpo))
    assert (nl.of("people_count_min").value, nl.of("people_count_max").value) == (400, 612)
    assert nl.of("special_categories").value == ["health"]


@pytest.mark.parametrize(
    ("key", "posted", "said"),
    [
        ("gross_costs", {"amount": "1200.5", "currency": "eur"}, "EUR 1,200.5"),
        ("clients_percent", {"value": "12.50"}, "12.50 %"),
        ("gross_costs", {"amount": "12", "currency": ""}, "Give both an amount and its currency"),
        ("clients_percent", {"value": "101"}, "less than or equal to 100"),
    ],
)
def test_money_and_percent(incident: Incident, dpo: User, key: str, posted: dict[str, str], said: str) -> None:
    filing = actions.open_filing(incident, "dora_major_incident", named="Bank of Utopia", by=dpo)
    actions.save_answers(filing, {"report_stage": NewAnswer(0, "final")}, by=dpo)
    data = {f"{key}-version": "0", f"{key}-shown": now(filing).of(key).fingerprint}
    data |= {f"{key}-{part}": value for part, value in posted.items()}
    answer = signed_in(dpo).post(f"{filing.get_absolute_url()}answers/", data, follow=True)
    assert said in (now(filing).of(key).text or answer.text)


def test_days_are_written_one_a_line(incident: Incident, dpo: User) -> None:
    filing, key = actions.open_filing(incident, "ca_ag_submit_breach", by=dpo), "consumer_notice_dates"
    data = {f"{key}-version": "0", f"{key}-shown": now(filing).of(key).fingerprint}
    client, address = signed_in(dpo), f"{filing.get_absolute_url()}answers/"
    assert "Write each day as 2026-11-21" in client.post(address, {**data, f"{key}-value": "tomorrow"}).text
    client.post(address, {**data, f"{key}-value": "2026-11-19\r\n2026-11-20"})
    assert now(filing).of(key).text == "19 November 2026\n20 November 2026"


# ---- filled, signed off, exported


def test_a_form_of_each_kind_says_what_was_answered(incident: Incident, dpo: User) -> None:
    """Every form goes through the campaign tests/faults/forms.py; here one with local labels and one of many kinds."""
    for form in ("fr_cnil", "dora_major_incident"):
        filing = open_one(incident, get_form(form), by=dpo)
        sheet = fill(filing, by=dpo, choice=2 if form == "dora_major_incident" else 0)
        document = filing_pdf(sign(filing, by=dpo), at=timezone.now())
        printed = body_of_pdf(document.pdf)
        assert not_printed(sheet, printed) == []
        assert form != "fr_cnil" or out_of_order(sheet, printed) == []
        assert "Not reviewed by counsel." in " ".join(printed.split())
        said = json.loads(attachment_of(document.pdf, "filing.json"))["sections"]
        texts = {question["key"]: question["text"] for section in said for question in section["questions"]}
        assert texts == {given.key: given.text for given in sheet.asked}


def out_of_order(sheet: Sheet, text: str) -> list[str]:
    """The questions that do not follow the one before, or lack their words in the authority's language.

    By the first word: readers set a table that stands beside a question between its lines, or before them.
    """
    whole, at, faults = squeezed(text), 0, []
    for given in sheet.asked:
        found = whole.find(squeezed(given.number + given.question.label.split()[0]), at)
        faults += [given.key] if found < 0 or squeezed(given.question.label_local) not in whole else []
        at = max(at, found)
    return faults


UNIT = "تسربت بيانات العملاء من خادم الشركة ليلة أمس. 客户的数据从公司的服务器泄露了。<script>alert('x')</script> "
LONG = (UNIT * 30)[:2_000]


def test_long_hostile_text_is_refused_over_the_limit_and_printed_to_the_letter(incident: Incident, dpo: User) -> None:
    demand_fonts("ت客")
    filing = actions.open_filing(incident, "us_ftc_safeguards_event", by=dpo)
    sheet = fill(filing, by=dpo, words=lambda _: LONG)
    assert [given.key for given in sheet.too_long] == ["institution_name"]
    with pytest.raises(ValidationError, match="1,800 characters too many"):
        actions.submit_for_sign_off(filing, expected_version=1, by=dpo)

    def as_long_as_may_be(question: Question) -> str:
        return LONG[: question.max_length]

    sheet = fill(filing, by=dpo, words=as_long_as_may_be)
    document = filing_pdf(sign(filing, by=dpo), at=timezone.now())
    assert not_printed(sheet, body_of_pdf(document.pdf)) == []
    assert holes_of(document.pdf) == 0


INVENTED = {
    "id": "xu_commission",
    "version": 1,
    "title": "Notice of lost data",
    "title_local": "Sciigo pri perditaj datumoj",
    "authority": {
        "id": "xu_commission",
        "name": "Data Commission of Utopia",
        "short_name": "DCU",
        "filing_url": "https://dcu.example/notice",
        "filing_channel": "By its portal.",
    },
    "law": "Data Act of Utopia, section 3",
    "regimes": ["uk_gdpr"],
    "languages": ["eo"],
    "takes_csv": True,
    "phases": "The rest follows.",
    "limits_note": "None.",
    "source": {"title": "Invented for a test", "seen_on": "2026-11-21"},
    "confidence": "memory",
    "sections": [
        {
            "key": "loss",
            "title": "The loss",
            "title_local": "La perdo",
            "questions": [
                {"key": "story", "label": "What was lost", "label_local": "Kio perdiĝis", "kind": "long_text",
                 "max_length": 500, "required": True, "fact": "incident.description", "confidence": "memory"},
                {"key": "many", "label": "How many people", "kind": "choice", "fact": "people.count",
                 "choices": [{"value": "few", "label": "Fewer than 100", "most": 99},
                             {"value": "many", "label": "100 or more", "least": 100}],
                 "required": True, "confidence": "memory"},
                {"key": "why", "label": "Why so many", "kind": "text", "max_length": 90, "required": True,
                 "asked_when": {"question": "many", "is": "many"}, "not_known": "Later", "confidence": "memory"},
                {"key": "cost", "label": "What it costs", "kind": "money", "confidence": "memory"},
            ],
        }
    ],
}  # fmt: skip


def test_a_form_new_to_the_product_is_one_file(
    incident: Incident, dpo: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened, filled and exported through the pages, with a file beside ours and nothing else."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "catalogue"))
    (folder / "forms/xu_commission_v1.yaml").write_text(yaml.safe_dump(INVENTED))
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    catalogue._sound.cache_clear()
    try:
        _open_fill_and_export(incident, dpo)
    finally:
        catalogue._sound.cache_clear()


def _open_fill_and_export(incident: Incident, dpo: User) -> None:
    client, page = signed_in(dpo), f"/incidents/{incident.reference}/filings/"
    assert "Begin the report to the DCU" in client.get(page, {"q": "utopia"}).text
    edit = client.post(f"{page}open/", {"form": "xu_commission"}, follow=True)
    assert "Sciigo" not in edit.text or "La perdo" in edit.text
    filing = Filing.objects.get()
    fill(filing, by=dpo, choice=1)
    signed = sign(filing, by=dpo)
    portal = client.get(f"{signed.get_absolute_url()}portal/").text
    assert portal.index("copy-story") < portal.index("copy-many") < portal.index("copy-cost")
    assert '<pre id="copy-why">Said of why.</pre>' in portal
    exported = client.post(f"{signed.get_absolute_url()}json/")
    assert exported.content == bytes(fresh(signed).signed.content)
    table = client.post(f"{signed.get_absolute_url()}csv/").content.decode("utf-8-sig")
    assert table.splitlines()[1] == "1.1,story,What was lost,Said of story."
    pdf = client.post(f"{signed.get_absolute_url()}pdf/")
    text = " ".join(text_of_pdf(pdf.content).split())
    assert "To the Data Commission of Utopia" in text
    assert "EUR 12,500.50" in text
    formats = [event.content["data"]["format"] for event in Event.objects.of_types(["filing.exported"]).oldest_first()]
    assert formats == ["json", "csv", "pdf"]


def test_csv_is_for_portals_that_take_it(incident: Incident, dpo: User) -> None:
    filing = actions.open_filing(incident, "uk_ico", by=dpo)
    answer = signed_in(dpo).post(f"{filing.get_absolute_url()}csv/")
    assert answer.status_code == 409
    assert "takes no CSV" in answer.text
    assert not Event.objects.filter(type="filing.exported").exists()
