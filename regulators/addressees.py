"""Whom a form can be sent to: its own authority, those of its laws, or one that a person names.

A form with an authority of its own goes there. One without goes to every authority that names it as its form; a common
one besides to every authority of the laws it serves, and to any that is named by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from regulators.catalogue import all_forms, get_regime, the_catalogue
from regulators.catalogue.rules import Supervisor
from regulators.catalogue.schema import Authority, Form

NAMED = "named_"
NAME_LENGTH = 160


@dataclass(frozen=True)
class Addressee:
    key: str
    name: str
    short_name: str
    place: str = ""
    filing_url: str = ""
    filing_channel: str = ""

    def with_name(self, name: str) -> "Addressee":
        """As it was called when the filing was begun: an authority that is renamed later does not rename it."""
        return Addressee(self.key, name, self.short_name, self.place, self.filing_url, self.filing_channel)


@dataclass(frozen=True)
class Offer:
    """One authority with the forms it takes."""

    addressee: Addressee
    forms: tuple[Form, ...]


def addressees_of(form: Form) -> list[Addressee]:
    """By name. None for a common form whose laws have no authority in the catalogue: then one is named by hand."""
    if form.authority:
        return [_of_authority(form.authority)]
    every = the_catalogue().known.supervisors
    keys = {key for key, one in every.items() if one.form == form.id}
    if form.is_common:
        keys |= {key for key in _keys_of_laws(form) if key in every}
    return sorted((_of_supervisor(every[key]) for key in keys), key=lambda one: (one.place, one.name))


def addressee_of(form: Form, key: str) -> Addressee | None:
    """None: this form does not go there."""
    return next((one for one in addressees_of(form) if one.key == key), None)


def named(name: str) -> Addressee:
    """An authority that the catalogue does not have, as somebody wrote it. The same name is the same authority."""
    key = NAMED + sha256(" ".join(name.split()).casefold().encode()).hexdigest()[:16]
    return Addressee(key, name, name)


def addressee_as_begun(form: Form, key: str, name: str) -> Addressee:
    """That of a filing, whatever the catalogue says by now."""
    if key.startswith(NAMED):
        return named(name)
    known = addressee_of(form, key)
    return known.with_name(name) if known else Addressee(key, name, name)


def offers(words: str = "") -> list[Offer]:
    """Every authority with its forms, its own before the common ones; with `words`, only what has all of them."""
    found: dict[str, tuple[Addressee, list[Form]]] = {}
    for form in sorted(all_forms(), key=lambda form: form.is_common):
        for addressee in addressees_of(form):
            found.setdefault(addressee.key, (addressee, []))[1].append(form)
    made = (Offer(addressee, tuple(forms)) for addressee, forms in found.values())
    sought = words.casefold().split()
    matching = (offer for offer in made if all(word in _words_of(offer) for word in sought))
    return sorted(matching, key=lambda offer: (not offer.addressee.place, offer.addressee.place, offer.addressee.name))


def common_forms() -> list[Form]:
    return [form for form in all_forms() if form.is_common]


def _words_of(offer: Offer) -> str:
    forms = (f"{form.title} {form.title_local} {form.law}" for form in offer.forms)
    whom = offer.addressee
    return " ".join([whom.name, whom.short_name, whom.place, _place_names(whom.place), *forms]).casefold()


def _place_names(place: str) -> str:
    """A part of a country is found by the country's name too."""
    known = the_catalogue().known.places
    return " ".join(known[one].name for one in {place, place[:2]} if one in known)


def _keys_of_laws(form: Form) -> Iterator[str]:
    for regime in form.regimes:
        if regime in the_catalogue().regimes:
            yield from get_regime(regime).authorities


def _of_authority(authority: Authority) -> Addressee:
    return Addressee(
        authority.id,
        authority.name,
        authority.short_name,
        authority.place or "",
        str(authority.filing_url or ""),
        authority.filing_channel,
    )


def _of_supervisor(one: Supervisor) -> Addressee:
    return Addressee(one.id, one.name, one.short_name, one.place, str(one.filing_url or ""), one.filing_channel)
