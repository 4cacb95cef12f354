"""Compares what the database says was sent with what the relay or the provider says."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from notifications import provider_lists, relay_logs
from notifications.actions.resuming import resume_sending
from notifications.editions import the_organisation
from notifications.reconciling import Compared, Whole, apply_evidence, ids_in_words, take_evidence
from notifications.relay_logs import Found, lines_of, utc


class Command(BaseCommand):
    help = (
        "Reads a Postfix log or a provider's export and settles unknowns by it. It never sends anything. With --resume "
        "it lets sending go on after a restore or a failover."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--postfix", type=Path, action="append", default=[], metavar="FILE", help="A log, or .gz; the oldest first")
        add("--export", type=Path, action="append", default=[], metavar="FILE.csv", help="A provider's list, or .gz")
        add("--columns", action="append", default=[], metavar="WHAT=HEADING", help="id, status or time of that list")
        add("--domain", action="append", default=[], help="Another domain that notices were sent from")
        add("--zone", default="UTC", help="Of a log whose times name none, such as Europe/London")
        add("--relay-passes-on", action="store_true", help="The relay hands mail to another relay: “sent” is not more")
        add("--complete", nargs=2, metavar=("FROM", "TO"), help="These logs have everything of this time, in ISO 8601")
        add("--resume", action="store_true", help="Let sending go on from this database as it is")
        add("--reason", default="", help="Why it may; it stands in the trail")
        add("--without-log", action="store_true", help="Resume though no log can be had")
        add("--although-lost", action="store_true", help="Resume though messages went out that this database forgot")

    def handle(self, *args: Any, **options: Any) -> None:
        has_logs = bool(options["postfix"] or options["export"])
        if not has_logs and not options["resume"]:
            raise CommandError("Name a log with --postfix, or a provider's list with --export.")
        if not has_logs and not options["without_log"]:
            raise CommandError(
                "What went out after this state of the database is only known to the relay. Name its log with "
                "--postfix or the provider's list with --export; if neither can be had, say --without-log."
            )
        whole = _whole(options["complete"])
        lost = self._read_all(options, whole) if has_logs else 0
        if options["resume"]:
            self._resume(options, lost)

    def _read_all(self, options: dict[str, Any], whole: Whole | None) -> int:
        lost = 0
        if options["postfix"]:
            log = relay_logs.PostfixLog(
                _zone(options["zone"]), _domains(options), timezone.now(), passes_on=options["relay_passes_on"]
            )
            compared = self._compare(log.read, options["postfix"], relay_logs.SOURCE)
            lost += self._say(compared, relay_logs.SOURCE, log.lines, whole)
        if options["export"]:
            table = provider_lists.ProviderList(_columns(options["columns"]))
            compared = self._compare(table.read, options["export"], provider_lists.SOURCE)
            for word, number in sorted(table.not_understood.items()):
                self.stdout.write(f"{number:,} lines say “{word}”, which is not understood and was left out.")
            lost += self._say(compared, provider_lists.SOURCE, table.lines, whole)
        return lost

    def _compare(self, read: Callable[[Iterable[bytes]], Iterator[Found]], paths: list[Path], source: str) -> Compared:
        compared = Compared()
        for path in paths:
            try:
                take_evidence(read(lines_of(path)), source, compared)
            except OSError as error:
                raise CommandError(f"{path} cannot be read: {error}. What came before it is kept.") from error
            except provider_lists.ListUnreadable as error:
                raise CommandError(f"{path}: {error}") from error
        return compared

    def _say(self, compared: Compared, source: str, lines: int, whole: Whole | None) -> int:
        apply_evidence(compared, source, lines=lines, whole=whole)
        say = self.stdout.write
        say(f"{lines:,} lines read; {compared.ours:,} about messages of ours, {compared.kept:,} of them new.")
        say(f"{compared.settled:,} unknowns settled; {compared.unknown:,} are left.")
        if compared.stopped:
            say(
                f"{compared.stopped:,} waited to be sent and had been: they are stopped. Take them as sent on the page."
            )
        if compared.not_found:
            say(f"Not found of these: {', '.join(ids_in_words(compared.not_found))}.")
        if whole:
            say(f"{compared.absent:,} unknowns of that time are not in it: their page says so, and people decide.")
        if compared.lost:
            say(
                f"{len(compared.lost):,} messages belong to deliveries that this database does not know: "
                f"{', '.join(ids_in_words(sorted(compared.lost)))}. Whoever got them may be told again by a new notice."
            )
        return len(compared.lost)

    def _resume(self, options: dict[str, Any], lost: int) -> None:
        if lost and not options["although_lost"]:
            raise CommandError(
                "Sending is still held back, because of the messages that this database does not know. Look at the "
                "people they went to first, then repeat this with --although-lost."
            )
        try:
            resume_sending(reason=options["reason"], by=None)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None
        self.stdout.write("Sending goes on from this database.")


def _domains(options: dict[str, Any]) -> set[str]:
    own = the_organisation().sender_email.rpartition("@")[2]
    return {domain.lower() for domain in (own, *options["domain"]) if domain}


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise CommandError(f"There is no time zone “{name}”. Name one such as Europe/London.") from None


def _columns(given: list[str]) -> dict[str, str]:
    named = dict(one.split("=", 1) for one in given if "=" in one)
    if len(named) != len(given) or not named.keys() <= provider_lists.HEADINGS.keys():
        raise CommandError("Say --columns id=HEADING, status=HEADING or time=HEADING, each once.")
    return named


def _whole(given: list[str] | None) -> Whole | None:
    if given is None:
        return None
    try:
        begins, ends = (utc(datetime.fromisoformat(moment)) for moment in given)
    except ValueError:
        raise CommandError("Say --complete with two times, such as 2026-11-22T00:00 2026-11-23T00:00.") from None
    if not begins or not ends or begins >= ends:
        raise CommandError("--complete ends before it begins.")
    return Whole(begins, ends)
