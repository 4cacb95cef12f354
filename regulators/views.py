from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.audit.proof import answers_with_proof
from breachdesk.incidents.views import incident_of
from breachdesk.pdf import PdfTimedOut, PdfTooLarge
from breachdesk.vault.sealing import unseal
from breachdesk.web import render_page
from regulators import actions, exports
from regulators.actions import NewAnswer, ReceiptFile
from regulators.addressees import Offer, common_forms, offers
from regulators.catalogue import all_forms
from regulators.catalogue.schema import Form
from regulators.changes import changed_since_last
from regulators.content import digest_of
from regulators.due_dates import home_due
from regulators.filing_pdf import laid_out, printed_content
from regulators.forms import PartRows, StepForm, SubmissionForm, rows_of, show_refusals
from regulators.models import Filing, Receipt
from regulators.pdf_signing import pdf_to_export
from regulators.receipts import ReceiptUploadHandler
from regulators.sheet import Sheet, sheet_of
from regulators.standing import due_of_filing, dues_of
from regulators.unsaved import colleagues_at, words_of
from regulators.workings import working_of


def filing_of(request: StaffRequest, reference: str, pk: UUID) -> Filing:
    return get_object_or_404(Filing.objects.visible_to(request.user).with_case(), pk=pk, incident__reference=reference)


@requires("regulators.view_filing")
def filings(request: StaffRequest, reference: str) -> HttpResponse:
    incident, now = incident_of(request, reference), timezone.now()
    begun = list(Filing.objects.visible_to(request.user).of(incident).with_case())
    dues = dues_of(incident, begun)
    context = {
        "incident": incident,
        "sheets": [(sheet_of(filing, at=now), dues.get(filing.pk)) for filing in begun],
        **_to_open(request.GET.get("q", ""), begun),
        "working": working_of(home_due(incident)),
    }
    return render_page(request, "regulators/list.html", context)


def _to_open(words: str, begun: list[Filing]) -> dict[str, Any]:
    """Without words only the forms of one authority alone: a common one goes to far more than a page holds."""
    every, is_sought = offers(words), bool(words.strip())
    shown = [offer for offer in every if is_sought or offer.forms[0].authority]
    have = {(filing.form, filing.authority_key) for filing in begun}

    def left(offer: Offer) -> list[Form]:
        wanted = (form for form in offer.forms if is_sought or form.authority)
        return [form for form in wanted if (form.id, offer.addressee.key) not in have]

    return {
        "offers": [(offer, left(offer)) for offer in shown],
        "words": words,
        "more": len(every) - len(shown),
        "common": common_forms(),
    }


@require_POST
@requires("regulators.write_filing")
def open_filing(request: StaffRequest, reference: str) -> HttpResponse:
    incident = incident_of(request, reference)
    form = request.POST.get("form", "")
    if form not in {known.id for known in all_forms()}:
        raise ValidationError("The catalogue has no such form. Nothing was opened.")
    authority, named = request.POST.get("authority", ""), request.POST.get("named", "")
    return redirect(actions.open_filing(incident, form, authority=authority, named=named, by=request.user))


@requires("regulators.view_filing")
def detail(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """The form to fill in while it is a draft and one may; otherwise what it says."""
    filing = filing_of(request, reference, pk)
    sheet = sheet_of(filing, at=timezone.now())
    if filing.is_draft and request.user.has_perm("regulators.write_filing"):
        return edit_page(request, sheet)
    return _show(request, sheet, SubmissionForm.of(filing, request.user.zone))


def edit_page(
    request: StaffRequest, sheet: Sheet, *, saved: str = "", moved: bool = False, status: int = 200
) -> HttpResponse:
    """With what this colleague typed and did not save. `moved`: what was `saved` just now changed what is asked."""
    rows = rows_of(sheet, unsaved=words_of(sheet.filing, request.user))
    return _edit(request, sheet, rows, status, saved=saved, moved=moved)


def _edit(request: StaffRequest, sheet: Sheet, rows: list[PartRows], status: int, **more: Any) -> HttpResponse:
    filing = sheet.filing
    context = {
        **_shared(sheet),
        **more,
        "rows": rows,
        "step": StepForm(initial={"version": filing.version}),
        "changed": changed_since_last(filing, sheet),
        "colleagues": colleagues_at(filing, request.user, at=timezone.now()),
    }
    return render_page(request, "regulators/edit.html", context, status=status)


def _show(request: StaffRequest, sheet: Sheet, submission: SubmissionForm, status: int = 200) -> HttpResponse:
    content = printed_content(sheet.filing, sheet)
    context = {
        **_shared(sheet),
        "sections": laid_out(content),
        "digest": digest_of(content).hex(),
        "submission": submission,
        "step": StepForm(initial={"version": sheet.filing.version}),
    }
    return render_page(request, "regulators/detail.html", context, status=status)


def _shared(sheet: Sheet) -> dict[str, Any]:
    filing = sheet.filing
    incident, due = filing.incident, due_of_filing(filing)
    by_hand = sorted((given for given in sheet if given.at), key=lambda given: given.at, reverse=True)  # type: ignore[arg-type, return-value]
    return {
        "filing": filing,
        "incident": incident,
        "sheet": sheet,
        "form": filing.definition,
        "by_hand": by_hand[:6],
        "due": due,
        "working": working_of(due) if due else [],
        "signed": filing.signed,
        "receipt": getattr(filing.signed, "receipt", None),
    }


@require_POST
@requires("regulators.write_filing")
def save(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    rows = rows_of(sheet_of(filing, at=timezone.now()), request.POST)
    bound = [row for part in rows for row in part.rows if row.form.is_bound]
    faulty = [row for row in bound if not row.form.is_valid()]
    if faulty:
        return _edit(request, sheet_of(filing, at=timezone.now()), rows, status=422)
    answers = {row.given.key: row.form.new_answer() for row in bound if row.form.is_changed}
    if follow := request.POST.get("follow"):
        answers |= {r.given.key: NewAnswer(r.given.version, follows_facts=True) for r in bound if r.given.key == follow}
    try:
        actions.save_answers(filing, answers, by=request.user)
    except ValidationError as refusal:
        if not hasattr(refusal, "error_dict"):
            raise
        show_refusals(rows, refusal)
        return _edit(request, sheet_of(filing, at=timezone.now()), rows, status=422)
    messages.success(request, _saved(len(answers)))
    return redirect(filing)


def _saved(number: int) -> str:
    if not number:
        return "Nothing was changed, so nothing was saved."
    return "One answer is saved." if number == 1 else f"{number} answers are saved."


@require_POST
@requires("regulators.write_filing")
def submit_for_sign_off(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    actions.submit_for_sign_off(filing, expected_version=_step(request)["version"], by=request.user)
    messages.success(request, "Sign-off is asked for. The answers stand as they are until it is given or refused.")
    return redirect(filing)


@require_POST
@requires("regulators.write_filing")
def send_back(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing, step = filing_of(request, reference, pk), _step(request)
    actions.send_back(filing, reason=step["reason"], expected_version=step["version"], by=request.user)
    messages.success(request, "It is a draft again, and its answers can be changed.")
    return redirect(filing)


@require_POST
@requires("regulators.sign_off_filing")
@answers_with_proof
def sign_off(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    try:
        digest = bytes.fromhex(request.POST.get("digest", ""))
    except ValueError:
        raise ValidationError("This page is not whole. Open the report again and read it before you sign.") from None
    actions.sign_off_filing(filing, digest=digest, expected_version=_step(request)["version"], by=request.user)
    messages.success(request, "Signed off. Nothing in this report changes any more.")
    return redirect(filing)


@csrf_exempt  # only until the handler is in place: checking the token reads the body, and the receipt is in it
@require_POST
@requires("regulators.record_submission")
@answers_with_proof
def record_submission(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    request.upload_handlers = [ReceiptUploadHandler()]
    return _receive(request, filing_of(request, reference, pk))


@csrf_protect
def _receive(request: StaffRequest, filing: Filing) -> HttpResponse:
    form = SubmissionForm.of(filing, request.user.zone, request.POST, request.FILES)
    if form.is_valid():
        try:
            _record(request, filing, form.cleaned_data)
        except ValidationError as refusal:
            if not hasattr(refusal, "error_dict"):
                raise
            for name, reasons in refusal.message_dict.items():
                form.add_error({"submitted_at": "date"}.get(name, name), reasons)
        else:
            messages.success(request, "The submission is recorded, and its clock has stopped.")
            return redirect(filing)
    return _show(request, sheet_of(filing, at=timezone.now()), form, status=422)


def _record(request: StaffRequest, filing: Filing, data: dict[str, Any]) -> None:
    file = data["file"]
    actions.record_submission(
        filing,
        submitted_at=data["submitted_at"],
        way=data["way"],
        authority_reference=data["authority_reference"],
        delay_reason=data["delay_reason"],
        file=ReceiptFile(file.name, file.read()) if file else None,
        expected_version=data["version"],
        by=request.user,
    )


@require_POST
@requires("regulators.view_filing")
@answers_with_proof
def export(request: StaffRequest, reference: str, pk: UUID, number: int | None = None) -> HttpResponse:
    """The filing as it stands, or one of its earlier versions."""
    filing = filing_of(request, reference, pk)
    version = filing.version_of(number) if number else None
    if number and version is None:
        raise Http404("This filing has no such version.")
    try:
        document = pdf_to_export(filing, at=timezone.now(), version=version)
    except (PdfTimedOut, PdfTooLarge) as error:
        raise ValidationError(f"{error} The same answers leave as JSON, however long they are.") from error
    document = actions.export_filing(filing, document, by=request.user)
    return download(document.pdf, document.name, "application/pdf")


@require_POST
@requires("regulators.view_filing")
@answers_with_proof
def export_for_machines(request: StaffRequest, reference: str, pk: UUID, kind: str) -> HttpResponse:
    filing = filing_of(request, reference, pk)
    if kind == exports.CSV and not filing.definition.takes_csv:
        raise ValidationError("The portal of this authority takes no CSV. Export JSON, or copy the answers one by one.")
    document = exports.for_machines(filing, kind, at=timezone.now())
    actions.export_filing(filing, document, by=request.user)
    return download(document.content, document.name, exports.TYPES[kind])


@requires("regulators.view_filing")
def portal(request: StaffRequest, reference: str, pk: UUID) -> HttpResponse:
    """Every answer in the portal's order, each with a button that copies it."""
    sheet = sheet_of(filing_of(request, reference, pk), at=timezone.now())
    context = {**_shared(sheet), "sections": laid_out(printed_content(sheet.filing, sheet))}
    return render_page(request, "regulators/portal.html", context)


@requires("regulators.view_filing")
def receipt_file(request: StaffRequest, reference: str, pk: UUID, number: int) -> HttpResponse:
    receipt = get_object_or_404(Receipt.objects.with_file_of(filing_of(request, reference, pk), number))
    sealed = bytes(receipt.file_sealed or b"")
    content = unseal(receipt.incident_id, sealed, table="regulators_receipt", column="file_sealed", row=receipt.pk)
    return download(content, receipt.file_name, "application/octet-stream")


def download(content: bytes, name: str, kind: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=kind,
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
            "Cache-Control": "no-store",
        },
    )


def _step(request: StaffRequest) -> dict[str, Any]:
    form = StepForm(request.POST)
    if not form.is_valid():
        raise ValidationError("This page is not whole. Open the report again. Nothing was changed.")
    return form.cleaned_data
