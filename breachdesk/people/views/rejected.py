"""Rejected rows, handed out to be corrected."""

from uuid import UUID

from django.http import HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST

from breachdesk.accounts.permissions import StaffRequest, requires
from breachdesk.people import actions
from breachdesk.people.views.uploads import upload_of


@require_POST  # each download leaves its event, and no browser fetches one beforehand
@requires("people.load_people")
def download(request: StaffRequest, reference: str, upload_id: UUID) -> HttpResponseBase:
    _, upload = upload_of(request, reference, upload_id)
    pieces = actions.download_rejected(upload, by=request.user)
    return StreamingHttpResponse(
        pieces,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{reference}-rejected-rows.csv"',
            "Cache-Control": "no-store",
        },
    )
