"""Would a careful reader, or a filter, take it for a fraud? What true notices were mistaken for, and what frauds ask.

Letters are looked at by Unicode's own names (unicodedata): in a text of Latin letters one of another alphabet is a
fault, so no table of look-alikes is needed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from notifications.lint import Finding, Level
from notifications.lint.passages import Text

SHORTENERS = {"bit.ly", "t.co", "tinyurl.com", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "lnkd.in"}
_OTHER_ALPHABETS = {"el": "GREEK", "ru": "CYRILLIC", "uk": "CYRILLIC", "bg": "CYRILLIC", "sr": "CYRILLIC"}
_LOOK_ALIKES = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "FULLWIDTH", "MATHEMATICAL", "LISU")
_LATIN = {"en", "fr", "de", "es", "it", "nl", "pt", "pl", "sv", "da", "nb", "no", "fi", "cs", "sk", "hu", "ro", "ga"}
_NEVER = {
    "en": r"\b(?:never|not|don[’']t|won[’']t)\b",
    "fr": r"\b(?:jamais|ne|pas)\b|\bn[’']",
    "de": r"\b(?:nie|niemals|nicht|kein\w*)\b",
}
_ASKS = {
    "en": r"\b(?:confirm|verify|update|enter|send us|reply with|provide|submit|tell us) (?:us )?your "
    r"|\bclick (?:here|below|on|the)|\b(?:log|sign) in (?:here|now|to your|at)|\bdownload\b|\bopen the attach"
    r"|\bfill in (?:the|this) form",
    "fr": r"\b(?:confirmez|vérifiez|saisissez|envoyez-nous|indiquez(?:-nous)?|communiquez(?:-nous)?|"
    r"transmettez(?:-nous)?) (?:votre|vos)\b|\bcliquez\b|\bconnectez-vous\b|\btéléchargez\b"
    r"|\bremplissez (?:le|ce) formulaire",
    "de": r"\b(?:bestätigen|geben|senden|schicken|teilen|übermitteln|aktualisieren|verifizieren) Sie "
    r"(?:uns )?(?:bitte )?(?:Ihre?n?|uns Ihre?n?)\b|\bklicken Sie\b|\b(?:loggen|melden) Sie sich (?:hier|jetzt|bei)"
    r"|\bladen Sie\b|\bfüllen Sie (?:das|dieses) Formular",
}
_HURRIES = {
    "en": r"\burgent(?:ly)?\b|\bact (?:now|immediately|fast)\b|\baction required\b|\bimmediate action\b"
    r"|\bwithin \d+ hours\b|\blast chance\b|\bas soon as possible\b"
    r"|\baccount will be (?:closed|suspended|blocked)|\bfinal notice\b",
    "fr": r"\burgent\w*\b|\bagissez (?:vite|maintenant|immédiatement)\b|\baction requise\b|\bsous \d+ heures\b"
    r"|\bimmédiatement\b|\bdernière chance\b|\bau plus vite\b|\bvotre compte sera (?:fermé|suspendu|bloqué)",
    "de": r"\bdringend\w*\b|\bsofort(?:ig\w*)?\b|\bhandeln Sie (?:jetzt|schnell)\b|\binnerhalb von \d+ Stunden\b"
    r"|\bumgehend\b|\bletzte (?:Chance|Mahnung)\b|\bHandlungsbedarf\b|\bKonto wird (?:gesperrt|geschlossen)",
}
_GENUINE = {
    "en": r"\b(?:not sure|in doubt|whether .{0,40}(?:genuine|real|from us)|is (?:really )?from us)\b",
    "fr": r"\b(?:doute\w*|si .{0,40}(?:authentique|de nous))\b",
    "de": r"\b(?:nicht sicher|im Zweifel|ob .{0,40}(?:echt|von uns))\b",
}

_LINK = re.compile(r"\[([^\[\]]*+)\]\(([^)\s]++)")
_DOTTED = re.compile(r"(?<![\w-])[\w-]++(?:\.[\w-]++)+")
_DOMAIN = re.compile(r"(?:[\w-]++\.)+[a-z]{2,}")


@dataclass(frozen=True)
class Sender:
    """Who it comes from, and how people know the organisation."""

    name: str
    email: str
    reply_to: str
    website: str
    dpo_name: str
    dpo_email: str
    hotline: str
    genuine_at: str = ""
    """Where people type the code of a message, as it stands in every message."""

    @property
    def domain(self) -> str:
        """By which people know it: that of its website, else of its data protection officer."""
        host = (urlsplit(self.website).hostname or "").removeprefix("www.")
        return host or domain_of(self.dpo_email)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()


def scam_findings(text: Text, sender: Sender, links: Iterable[str]) -> list[Finding]:
    return [
        *_from(sender),
        *_links(text, list(links)),
        *_requests(text),
        *_urgency(text),
        *_whom_to_ask(text, sender),
        *_letters(text, sender),
    ]


def _is_aligned(domain: str, known: str) -> bool:
    return domain == known or domain.endswith(f".{known}") or known.endswith(f".{domain}")


def _from(sender: Sender) -> Iterator[Finding]:
    for field, address, what in (("from", sender.email, "It comes from"), ("reply", sender.reply_to, "Answers go to")):
        if not address or not sender.domain:
            continue
        if _is_aligned(domain_of(address), sender.domain):
            yield Finding(f"scam.{field}", Level.GOOD, f"{what} {address}", f"People know {sender.domain}")
        else:
            sentence = f"{what} {address}, and people know you as {sender.domain}."
            yield Finding(f"scam.{field}", Level.FAULT, sentence, "An administrator can change it")


def _links(text: Text, links: list[str]) -> Iterator[Finding]:
    for link in links:
        parts = urlsplit(link if "//" in link else f"https://{link}")
        host = (parts.hostname or "").removeprefix("www.")
        if host in SHORTENERS:
            yield Finding(f"scam.link.{link}", Level.FAULT, f"{link} hides where it leads.", "Write the address itself")
        elif parts.query or parts.fragment:
            sentence = f"{link} carries something after its address, as links that track people do."
            yield Finding(f"scam.link.{link}", Level.FAULT, sentence, "Cut it off at the ? or #")
        elif re.search(r"log-?in|sign-?in|anmeld|connexion|password|reset", parts.path, re.IGNORECASE):
            yield Finding(f"scam.link.{link}", Level.FAULT, f"{link} leads to a sign-in.", "Name the page in words")
    for passage in text.passages:
        for words, address in _LINK.findall(passage.text):
            shown, host = _domain_in(words.lower()), _host_of(address)
            if shown and shown.removeprefix("www.") != host.removeprefix("www."):
                sentence = f"The words say {shown} and the link leads to {host}."
                yield Finding(f"scam.words.{address}", Level.FAULT, sentence, "Show where it leads", passage.line)
    if not links:
        yield Finding("scam.links", Level.GOOD, "No link", "Nothing that a false copy could lead astray")


def _host_of(address: str) -> str:
    """Nothing of an address that is none; the wording language refuses it."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _domain_in(words: str) -> str:
    """The first domain that is written there, or nothing."""
    found = map(_DOMAIN.match, _DOTTED.findall(words))
    return next((one[0] for one in found if one), "")


def _requests(text: Text) -> Iterator[Finding]:
    found = list(_unnegated(text, _ASKS))
    for line, words in found:
        sentence = f"“{words}” asks people for something, as frauds do."
        yield Finding(f"scam.asks.{words.lower()}", Level.FAULT, sentence, "Say what they can do by themselves", line)
    if not found and text.language in _ASKS:
        yield Finding("scam.asks", Level.GOOD, "It asks for nothing", "No data, no click, no sign-in")


def _urgency(text: Text) -> Iterator[Finding]:
    found = list(_unnegated(text, _HURRIES))
    for line, words in found:
        sentence = f"“{words}” hurries people, as frauds do."
        yield Finding(f"scam.hurries.{words.lower()}", Level.FAULT, sentence, "Leave them the time", line)
    if re.search(r"!|\b[A-ZÄÖÜÉ]{5,}\b", text.subject):
        sentence = "The subject shouts, by an exclamation mark or in capitals."
        yield Finding("scam.shouts", Level.FAULT, sentence, "Say what happened")


def _unnegated(text: Text, patterns: dict[str, str]) -> Iterator[tuple[int, str]]:
    """In clauses without a never or a not: “We will never ask you to confirm your password” asks nothing."""
    if text.language not in patterns:
        return
    for passage in text.with_subject:
        for clause in (one for _, sentence in passage.sentences() for one in re.split("[:;]", sentence)):
            found = re.search(patterns[text.language], clause, re.IGNORECASE)
            if found and not re.search(_NEVER[text.language], clause, re.IGNORECASE):
                yield passage.line, found[0]


def _whom_to_ask(text: Text, sender: Sender) -> Iterator[Finding]:
    contact = text.has_for_everybody(sender.dpo_email)
    if contact:
        note = sender.dpo_email
        yield Finding("scam.contact", Level.GOOD, "Names whom people can ask", note, contact.line)
    else:
        sentence = "It does not say how to reach the data protection officer."
        yield Finding("scam.contact", Level.FAULT, sentence, "Write ((dpo email)) where everybody reads it")
    yield _genuine(text, sender)
    if sender.genuine_at:
        yield _code(sender)


def _genuine(text: Text, sender: Sender) -> Finding:
    """People must be able to ask by a way that is not of this message: a number or a website that they know."""
    ways = [sender.hotline, (urlsplit(sender.website).hostname or "").removeprefix("www.")]
    way = next((found for found in map(text.has_for_everybody, ways) if found), None)
    cue = _GENUINE.get(text.language)
    says = (
        next((p for p in text.passages if p.is_for_everybody and re.search(cue, p.text, re.IGNORECASE)), None)
        if cue
        else way
    )
    if way and says:
        return Finding("scam.genuine", Level.GOOD, "Says how to find out whether it is genuine", line=says.line)
    lacking = "does not name ((hotline)) or ((website))" if not way else "has no sentence for who doubts it"
    sentence = f"It {lacking}: nobody can find out whether it is genuine."
    return Finding("scam.genuine", Level.FAULT, sentence, "Name a way that people know from elsewhere")


def _code(sender: Sender) -> Finding:
    """The layout puts the code and the address below every text; whether people know the address is another matter."""
    host = (urlsplit(f"//{sender.genuine_at}").hostname or "").removeprefix("www.")
    if _is_aligned(host, sender.domain):
        note = f"They type {sender.genuine_at} themselves"
        return Finding("scam.code", Level.GOOD, "Everybody gets a code, to ask whether it is from us", note)
    sentence = f"People are to type {sender.genuine_at} to ask whether it is from you, and know you as {sender.domain}."
    return Finding(
        "scam.code", Level.LOOK, sentence, "Whoever runs the server can give it an address under your website’s name"
    )


def _letters(text: Text, sender: Sender) -> Iterator[Finding]:
    own = _OTHER_ALPHABETS.get(text.language, "")
    places = [(0, text.subject), (0, sender.name), *((p.line, p.text) for p in text.passages)]
    for line, words in places:
        for word in re.findall(r"\w+", words):
            if foreign := _foreign(word, own, text.language):
                sentence = f"“{word}” holds the {foreign.lower()} letter of another alphabet: it only looks like ours."
                yield Finding(f"scam.letters.{word}", Level.FAULT, sentence, "Type the word again", line)


def _foreign(word: str, own: str, language: str) -> str:
    """The first alphabet of look-alikes in a word; in languages with one of their own, only beside Latin letters."""
    alphabets = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
    strange = sorted(alphabets & set(_LOOK_ALIKES) - ({own} if "LATIN" not in alphabets else set()))
    return strange[0] if strange and (language in _LATIN or "LATIN" in alphabets) else ""
