"""One person's letter as a page: the approved words, the address in the window, and the code by which it is checked.

The words are those of the edition, made by the same compiled notice as the email. Around them stands only what paper
needs: who writes, to whom, when, and how to ask whether the letter is ours. Nothing on it has to be pressed.

What shows in a window is worked out in static/print/letter.css. An address that would not show whole is refused here:
the page would cut it silently.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from breachdesk.accounts.models import Organisation
from breachdesk.people.countries import country_code, country_name
from breachdesk.people.personal import full_name
from notifications.placeholders import LIST_FIELD, Slot, ValueRefused, check_value, flatten, value_of
from notifications.recipients import values_of
from notifications.rendering import Skeleton


@dataclass(frozen=True)
class Window:
    """Of an envelope: what the sheet is, where letters are posted, and how much address shows."""

    key: str
    name: str
    country: str
    lines: int
    width: float  # of an address line, in times the size of its letters


WINDOWS: Final = {
    one.key: one
    for one in (
        Window("uk", "DL envelope, British window, A4", "GB", 6, 80 / 3.67),
        Window("din", "DIN lang envelope, window of DIN 5008 form B, A4", "DE", 6, 80 / 3.67),
        Window("us", "Number 10 envelope, US Letter", "US", 4, 3.4 * 72 / 10),
    )
}
POSTCODE_LAST: Final = {"GB", "IE", "IM", "JE", "GG"}
STATE_AND_CODE: Final = {"US", "CA", "AU"}
RIGHT_TO_LEFT: Final = {"ar", "fa", "he", "ur"}
_TAG = re.compile(r"<(/?)([a-z0-9]+)[^>]*>")
_KEPT: Final = {"p", "ul", "ol", "li", "b", "br"}
_NARROW, _WIDE = frozenset("iljtfrI.,:;'’|!()[] -1"), frozenset("mwMWÆŒæœĲ@%&—™©®¼½¾Ŵ")

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "code": "Your code",
        "heading": "How to check that this letter is real",
        "check": "Do not rely on this letter alone. Type {address} into your browser yourself and give your code:",
        "call": "Or call us: {hotline}. Give your code.",
        "why": "You get this letter because the law says that you must be told, and email did not or could not reach "
        "you. It is not advertising.",
    },
    "fr": {
        "code": "Votre code",
        "heading": "Vérifier que cette lettre vient de nous",
        "check": "Ne vous fiez pas à cette seule lettre : tapez vous-même {address} dans votre navigateur et donnez "
        "votre code :",
        "call": "Ou téléphonez-nous : {hotline}. Donnez votre code.",
        "why": "Vous recevez cette lettre parce que la loi exige que vous soyez informé et que nous n’avons pas pu "
        "vous joindre par e-mail. Ce n’est pas de la publicité.",
    },
    "de": {
        "code": "Ihr Code",
        "heading": "So prüfen Sie, ob dieser Brief echt ist",
        "check": "Verlassen Sie sich nicht auf diesen Brief allein: Geben Sie {address} selbst in Ihren Browser ein "
        "und dort Ihren Code:",
        "call": "Oder rufen Sie uns an: {hotline}. Nennen Sie Ihren Code.",
        "why": "Sie bekommen diesen Brief, weil das Gesetz verlangt, dass Sie informiert werden, und eine E-Mail Sie "
        "nicht erreicht hat oder nicht erreichen konnte. Er ist keine Werbung.",
    },
    "es": {
        "code": "Su código",
        "heading": "Cómo comprobar que esta carta es auténtica",
        "check": "No se fíe solo de esta carta. Escriba usted mismo {address} en su navegador e introduzca su código:",
        "call": "O llámenos: {hotline}. Díganos su código.",
        "why": "Recibe esta carta porque la ley exige que se le informe y el correo electrónico no le llegó o no podía "
        "llegarle. No es publicidad.",
    },
    "it": {
        "code": "Il suo codice",
        "heading": "Come verificare che questa lettera sia autentica",
        "check": "Non si fidi della sola lettera: digiti lei stesso {address} nel browser e inserisca il suo codice:",
        "call": "Oppure ci telefoni: {hotline}. Comunichi il suo codice.",
        "why": "Riceve questa lettera perché la legge prevede che lei sia informato e l’e-mail non l’ha raggiunta o "
        "non poteva raggiungerla. Non è pubblicità.",
    },
    "nl": {
        "code": "Uw code",
        "heading": "Zo controleert u of deze brief echt is",
        "check": "Ga niet alleen op deze brief af. Typ zelf {address} in uw browser en vul daar uw code in:",
        "call": "Of bel ons: {hotline}. Noem uw code.",
        "why": "U krijgt deze brief omdat u volgens de wet geïnformeerd moet worden en een e-mail u niet heeft bereikt "
        "of niet kon bereiken. Het is geen reclame.",
    },
    "pl": {
        "code": "Państwa kod",
        "heading": "Jak sprawdzić, czy ten list jest prawdziwy",
        "check": "Proszę nie polegać wyłącznie na tym liście. Proszę samodzielnie wpisać w przeglądarce adres "
        "{address} i podać tam swój kod:",
        "call": "Można też do nas zadzwonić: {hotline}. Proszę podać kod.",
        "why": "Otrzymują Państwo ten list, ponieważ prawo wymaga, aby Państwa poinformować, a e-mail do Państwa nie "
        "dotarł lub nie mógł dotrzeć. To nie jest reklama.",
    },
    "pt": {
        "code": "O seu código",
        "heading": "Como confirmar que esta carta é verdadeira",
        "check": "Não confie apenas nesta carta. Escreva {address} no seu navegador e indique o seu código:",
        "call": "Ou telefone-nos: {hotline}. Indique o seu código.",
        "why": "Recebe esta carta porque a lei exige que seja informado e o e-mail não lhe chegou ou não lhe podia "
        "chegar. Não é publicidade.",
    },
}
FALLBACK: Final = "en"


def frame_language(language: str) -> str:
    """In which the words stand that are ours: the letter's own, or where we have none in it, a stated other one."""
    main = language.partition("-")[0]
    return main if main in WORDS else FALLBACK


def foreign_frame(language: str) -> str:
    """That other language, for whoever prints; empty where the letter is in one language throughout."""
    frame = frame_language(language)
    return "" if frame == language.partition("-")[0] else frame


class NoRoom(ValueError):
    """This address cannot be printed so that it shows whole: too long, or not enough of it."""


@dataclass(frozen=True)
class Stationery:
    """What is the same on every letter of a run."""

    skeleton: Skeleton
    organisation: Organisation
    window: Window
    on: date

    @property
    def language(self) -> str:
        return self.skeleton.layout.language

    @property
    def is_right_to_left(self) -> bool:
        return self.language.partition("-")[0] in RIGHT_TO_LEFT

    @property
    def foreign_frame(self) -> str:
        return foreign_frame(self.language)

    @property
    def words(self) -> Mapping[str, str]:
        return WORDS[frame_language(self.language)]

    @property
    def sender_lines(self) -> list[str]:
        lines = re.split(r"\n|,\s*", self.organisation.address)
        return [self.organisation.legal_name, *(line.strip() for line in lines if line.strip())]


def page_of(stationery: Stationery, personal: Mapping[str, str], kinds: Iterable[str], code: str) -> str:
    """The whole document. Raises NoRoom or ValueRefused with what is wrong in the person's row."""
    words, skeleton, hotline = stationery.words, stationery.skeleton, stationery.organisation.hotline
    context: dict[str, Any] = {
        "stationery": stationery,
        "subject": skeleton.compiled.subject,
        "address": address_lines(personal, stationery.window),
        "date": day_in(stationery.on, stationery.language),
        "code": code,
        "words": words,
        "frame_language": stationery.foreign_frame,
        "check": words["check"].format(address="\0").split("\0"),
        "genuine_at": skeleton.layout.genuine_at,
        "call": words["call"].format(hotline=hotline) if hotline else "",
        "body": SafeString(body_of(skeleton, values_of(personal), tuple(kinds))),
    }
    return render_to_string("notifications/letter.html", context)


def blank_page(stationery: Stationery) -> str:
    """The back of a sheet whose letter ended on its front."""
    return render_to_string("notifications/letter_blank.html", {"stationery": stationery})


def body_of(skeleton: Skeleton, values: Mapping[str, str], kinds: tuple[str, ...]) -> str:
    """The approved words as this person reads them: HTML without styles, and addresses in words, not to be pressed."""
    values = dict(values) | {LIST_FIELD: check_value(LIST_FIELD, skeleton.compiled.data_list(kinds))}
    pieces = flatten(skeleton.compiled.body.html, kinds)
    written = "".join(html.escape(value_of(one, values)) if isinstance(one, Slot) else one for one in pieces)
    levels = sorted({int(name[1]) for _, name in _TAG.findall(written) if name in ("h1", "h2", "h3")})
    below = {f"h{level}": f"h{place}" for place, level in enumerate(levels, 2)}  # the subject is the one above

    def plain(found: re.Match[str]) -> str:
        name = below.get(found[2], found[2])
        return f"<{found[1]}{name}>" if found[2] in below or name in _KEPT else ""

    return _TAG.sub(plain, written)


def address_lines(personal: Mapping[str, str], window: Window) -> list[str]:
    """As the post of that country wants it. Two lines become one where there are too many; nothing is ever cut."""
    name = " ".join(filter(None, [personal.get("salutation", ""), full_name(dict(personal))]))
    street = [personal.get("street", ""), personal.get("street_2", "")]
    town, where = _town_lines(personal, window)
    if not name.strip() or not any(town):
        raise NoRoom("The postal address lacks a name or a town")
    lines = [_tidy(line) for line in (name, *street, *town, where) if line.strip()]
    if len(lines) > window.lines and all(street):
        joined = ", ".join(_tidy(line) for line in street)
        lines = [_tidy(line) for line in (name, joined, *town, where) if line.strip()]
    if len(lines) > window.lines:
        raise NoRoom(f"The postal address has more than the {window.lines} lines that show in the window")
    if any(width_of(line.upper() if window.key == "us" else line) > window.width for line in lines):
        raise NoRoom("A line of the postal address is longer than the window")
    for line in lines:
        _refuse_control(line)
    return lines


def _town_lines(personal: Mapping[str, str], window: Window) -> tuple[list[str], str]:
    city, postcode, state = (personal.get(key, "").strip() for key in ("city", "postcode", "state"))
    named = personal.get("post_country") or personal.get("country", "")
    country = country_code(named) or window.country if named else window.country
    abroad = country_name(country).upper() if country != window.country else ""
    if country in POSTCODE_LAST:
        return [city.upper(), postcode.upper()], abroad
    if country in STATE_AND_CODE:
        return [" ".join(filter(None, [city, state.removeprefix(f"{country}-"), postcode]))], abroad
    return [" ".join(filter(None, [postcode, city]))], abroad


def width_of(line: str) -> float:
    """About, in times the size of the letters, and rather too much: the fonts of other scripts are not known here."""
    return sum(_width(character) for character in line)


def _width(character: str) -> float:
    if character in _NARROW:
        return 0.42
    bare = unicodedata.normalize("NFD", character)[0]
    if bare in _WIDE or ord(character) > 0x2E00:
        return 1.02
    return 0.73 if character.isupper() else 0.68


def day_in(day: date, language: str) -> str:
    """29 September 2025, as the language writes it."""
    with translation.override({"en": "en-gb"}.get(language, language)):
        return date_format(day, "j F Y" if language.startswith("en") else "DATE_FORMAT")


def _tidy(line: str) -> str:
    return " ".join(line.split())


def _refuse_control(line: str) -> None:
    if not line.isprintable():
        raise ValueRefused("The postal address holds a character that cannot be printed.")
