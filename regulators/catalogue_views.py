"""The catalogue on screen: every law, as it is in its file."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from breachdesk.accounts.permissions import requires
from breachdesk.web import render_page
from regulators.catalogue import Catalogue, the_catalogue
from regulators.catalogue.rules import Regime, Supervisor
from regulators.law_words import RECIPIENTS, Words, words_of
from regulators.laws import Wanted, When, law_of, laws_listed, places_of


class CatalogueFilter(forms.Form):
    place = forms.ChoiceField(label="Country or part of one", required=False)
    tell = forms.ChoiceField(label="Who is told", required=False, choices=[("", "Anybody"), *RECIPIENTS.items()])
    when = forms.ChoiceField(
        label="In force",
        required=False,
        choices=[
            ("", "Today"),
            (When.LATER, "Later, or suspended"),
            (When.ENDED, "No longer"),
            (When.EVERY, "At any time"),
        ],
    )
    q = forms.CharField(label="Contains", required=False, max_length=80, widget=forms.TextInput({"type": "search"}))

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [("", "Anywhere"), *places]  # type: ignore[attr-defined]

    def wanted(self, on: date) -> Wanted:
        given = self.cleaned_data
        when = When(given.get("when") or When.IN_FORCE)
        return Wanted(on, when, given.get("place", ""), given.get("tell", ""), text=given.get("q", ""))


@requires("regulators.view_filing")
def catalogue(request: HttpRequest) -> HttpResponse:
    known, today = the_catalogue(), timezone.localdate()
    form = CatalogueFilter(request.GET, places=places_of(known))
    laws = laws_listed(known, form.wanted(today)) if form.is_valid() else []
    context = {
        "form": form,
        "page": Paginator(laws, 50).get_page(request.GET.get("page")),
        "query": _query_of(request, form),
        "reviewed": sum(bool(one.reviewed_by) for versions in known.regimes.values() for one in versions),
        "number": len(known.regimes),
        "authorities": len(known.known.supervisors),
    }
    return render_page(request, "regulators/catalogue.html", context)


def _query_of(request: HttpRequest, form: CatalogueFilter) -> str:
    """The filter as it stands in an address, empty without one, with its end ready for the number of a page."""
    given = {name: request.GET[name] for name in form.fields if request.GET.get(name)}
    return f"{urlencode(given)}&" if given else ""


@requires("regulators.view_filing")
def law(request: HttpRequest, law: str, version: int | None = None) -> HttpResponse:
    """The version in force today, or the one that is asked for, with the others beside it."""
    known, today = the_catalogue(), timezone.localdate()
    versions = known.regimes.get(law, ())
    if not versions or (version is not None and not 1 <= version <= len(versions)):
        raise Http404
    shown = versions[version - 1] if version else _today(versions, today)
    seen = law_of(known, shown, today)
    context = {
        "law": seen,
        "regime": shown,
        "versions": [(number, law_of(known, one, today)) for number, one in enumerate(versions, 1) if one is not shown],
        "places": [known.known.places[code].name for code in shown.places],
        "authorities": list(_authorities(known, shown)),
        "concerns": words_of(shown.concerns, known.known.facts) if shown.concerns else None,
        "duties": [(line, _conditions(known, line.duty)) for line in (*seen.duties, *seen.national)],
        "sector": known.known.sectors.get(shown.reaches_us.sector or ""),
        "kind": known.known.kinds_of_law[shown.kind],
    }
    return render_page(request, "regulators/law.html", context)


def _authorities(known: Catalogue, regime: Regime) -> Iterator[tuple[str, Supervisor]]:
    """With the name of their place, where the law has several."""
    for key in regime.authorities:
        one = known.known.supervisors[key]
        yield known.known.places[one.place].name if len(regime.places) > 1 else "", one


def _today(versions: tuple[Regime, ...], today: date) -> Regime:
    return next((one for one in versions if one.in_force.counts_on(today)), versions[-1])


def _conditions(known: Catalogue, duty: Any) -> list[tuple[str, Words]]:
    tests = (("Only if", duty.when), ("Not if", duty.unless))
    return [(label, words_of(test, known.known.facts)) for label, test in tests if test]
