"""What goes with letters to whoever prints them: a sheet of counts and digests; and a sample, before any is made."""

from django.template.loader import render_to_string
from django.utils import timezone

from breachdesk.pdf import render_pdf
from notifications.editions import skeleton_of, the_organisation
from notifications.letter_pages import WINDOWS, Stationery, foreign_frame, page_of
from notifications.models import Edition, LetterRun
from notifications.recipients import kinds_of
from notifications.verification_codes import SAMPLE

SHEETS = {"uk": "A4", "din": "A4", "us": "US Letter"}
NOBODY = {
    "uk": {"street": "118 Sample Hill Place", "street_2": "Flat 3", "city": "Sampleton", "postcode": "ZZ2 9ZZ"},
    "din": {"street": "Musterstraße 2", "street_2": "Hinterhaus", "city": "Musterstadt", "postcode": "00000"},
    "us": {
        "street": "118 Sample Hill Pl",
        "street_2": "Apt 3",
        "city": "Sampleton",
        "state": "NY",
        "postcode": "00000",
    },
}


def index_of_run(run: LetterRun) -> bytes:
    """The same run gives the same bytes."""
    files = [file | {"sheets": file["pages"] // 2} for file in run.files]
    context = {
        "run": run,
        "edition": run.edition,
        "reference": run.edition.notice.incident.reference,
        "organisation": the_organisation().legal_name,
        "window": WINDOWS[run.window],
        "sheet": SHEETS[run.window],
        "foreign_frame": foreign_frame(run.edition.language),
        "files": files,
        "letters": run.letters_made,
        "sheets": sum(file["sheets"] for file in files),
    }
    return render_pdf(render_to_string("notifications/letters_index.html", context), moment=run.made_at)


def sample_letter(edition: Edition, window: str) -> bytes:
    """As an invented person with every kind of data of the case would get it."""
    organisation, now = the_organisation(), timezone.now()
    stationery = Stationery(skeleton_of(edition, organisation), organisation, WINDOWS[window], timezone.localdate(now))
    personal = {"given_name": "Sam", "family_name": "Sample", "reference": "000000", **NOBODY[window]}
    kinds = kinds_of((), edition.notice.incident)
    return render_pdf(page_of(stationery, personal, kinds, SAMPLE), moment=now)
