"""The house rules that a machine can check. An exception stands here, with its reason, or it is a fault."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from breachdesk.accounts.permissions import ROLES
from breachdesk.audit.events import PROVEN_AT_ONCE
from breachdesk.audit.verifier import PAGE, SCRIPT
from breachdesk.audit.verifier.__main__ import script_with_events
from breachdesk.audit.verifier.joining import event_table
from tests.guard_table import ALL_GUARDED, EXEMPT, FREE, FREE_FOR_A_TIME, columns_of, triggers_of

ROOT = Path(__file__).parent.parent
PACKAGES = [ROOT / "breachdesk", ROOT / "notifications", ROOT / "regulators"]
# From the top down: an app imports itself and anything below it. What stands on one line with nothing is below all.
LINE = ["desk", "regulators", "notifications", "people", "incidents", "accounts", "audit", "vault"]
BELOW_ALL = {"web", "pdf", "environment", "limits", "celery", "prepared", "pulse", "serving", "tracebacks"}

# Views that ask for no permission, by the name of their address.
OPEN = {
    "home": "the desk shows each colleague what they may see, and everyone has one",
    "account_login": "nobody is signed in yet",
    "account_logout": "everybody may leave",
    "account_inactive": "says that an account was removed; shows nothing of it",
    "account_reauthenticate": "one's own password, asked once more",
    "account_change_password": "one's own password",
    "account_set_password": "one's own password",
    "account_reset_password": "the password is what they have not got",
    "account_reset_password_done": "says the same to everybody",
    "account_reset_password_from_key": "the link in the e-mail is the permission",
    "account_reset_password_from_key_done": "says only that it worked",
    "healthz": "asked by the machine that watches the container; says only ok",
    "calendar-feed": "a calendar program cannot sign in: the private address is the permission, kept as a hash; it can "
    "be revoked, and shows references, authorities and dates",
    "genuine": "whoever got a message asks whether it is ours: says what was sent, never to whom",
    "genuine-in": "as genuine, in one language",
    "caught-list": "the demo's own mail, on this machine alone: the address exists only with BREACHDESK_DEMO=1",
    "caught-detail": "as caught-list",
    "caught-body": "as caught-list",
}
OPEN_PREFIXES = {
    "webhooks/": "mail providers sign in with their own secret, which Anymail checks",
}

# Public functions in actions.py that are not an action somebody takes.
NOT_ACTIONS: dict[str, str] = {
    "notifications/actions/starting.py:start_due_editions": "the sweeper calls it when the time of an armed one comes",
    "notifications/actions/reopening.py:reopen_if_finished": "a part of the decisions that plan deliveries again",
}
# Templates that are not part of a page of ours.
FRAMED = {
    "templates/notifications/_frame.html": "the message itself, in a sandboxed frame under a policy of its own",
}
# Files that may be longer than others.
LONG = {
    "breachdesk/audit/verifier/bd_verify.py": "it is handed to strangers as one file that needs no other",
}
WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "delete", "get_or_create", "update_or_create"}
NAMES_NOBODY_GUESSES = {"utils", "helpers", "services", "managers", "core", "misc", "common", "signals", "admin"}


def python_files() -> list[Path]:
    return sorted(path for package in PACKAGES for path in package.rglob("*.py") if "migrations" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def of_each(paths: list[Path]) -> Callable[[Callable[[Path], Iterable[str]]], Callable[[], None]]:
    """One test that names every fault of every file: a test for each file would cost far more than the rule."""

    def test_of(rule: Callable[[Path], Iterable[str]]) -> Callable[[], None]:
        def test() -> None:
            assert paths, "There is no file that this rule is about."
            faults = [f"{named(path)}: {fault}" for path in paths for fault in rule(path)]
            assert not faults, "\n".join(["", *faults])

        return test

    return test_of


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def files_called(name: str) -> list[Path]:
    """views.py, or the files of a folder views/."""
    return [path for path in python_files() if path.stem == name or path.parent.name == name]


# Who may


def urls(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from urls(pattern.url_patterns, path)
        else:
            yield path, pattern


def test_every_address_asks_for_a_permission_or_says_why_not() -> None:
    silent = [
        f"{path} ({pattern.name})"
        for path, pattern in urls(get_resolver().url_patterns)
        if not hasattr(pattern.callback, "required_permission")
        and pattern.name not in OPEN
        and not path.startswith(tuple(OPEN_PREFIXES))
    ]
    assert silent == []


def test_every_permission_asked_for_is_in_a_role() -> None:
    asked = {
        pattern.callback.required_permission
        for _, pattern in urls(get_resolver().url_patterns)
        if hasattr(pattern.callback, "required_permission")
    }
    assert asked <= {permission for role in ROLES.values() for permission in role.permissions}


def test_the_list_of_open_addresses_names_nothing_that_is_gone() -> None:
    assert set(OPEN) - {pattern.name for _, pattern in urls(get_resolver().url_patterns)} == set()


def test_roles_and_models_name_the_same_permissions() -> None:
    declared = {
        f"{model._meta.app_label}.{codename}"
        for label in LINE
        for model in apps.get_app_config(label).get_models()
        for codename, _ in model._meta.permissions
    }
    assert declared == {permission for role in ROLES.values() for permission in role.permissions}


def test_no_model_brings_permissions_nobody_chose() -> None:
    models = [model for label in LINE for model in apps.get_app_config(label).get_models()]
    assert [model.__name__ for model in models if model._meta.default_permissions] == []


# What imports what


def app_of(module: str) -> str | None:
    """The app or the file below all apps that a dotted name belongs to; None for what is not ours."""
    first, *rest = module.split(".")
    if first in ("notifications", "regulators"):
        return "catalogue" if f"{module}.".startswith("regulators.catalogue.") else first
    if first != "breachdesk":
        return None
    return rest[0] if rest else "breachdesk"


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from breachdesk import pdf` names breachdesk.pdf; `from notifications import actions` stays inside.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def allowed(importer: str) -> set[str]:
    if importer in LINE:
        below = set(LINE[LINE.index(importer) :])
        return below | BELOW_ALL | ({"catalogue"} if importer in ("regulators", "notifications", "desk") else set())
    if importer == "catalogue":
        return {"catalogue"}
    if importer == "embedded":
        return {*LINE, *BELOW_ALL, "embedded", "catalogue"}
    return BELOW_ALL


@of_each(python_files())
def test_imports_point_down(path: Path) -> list[str]:
    importer = app_of(".".join(path.relative_to(ROOT).with_suffix("").parts)) or ""
    may = allowed(importer) | {"breachdesk"}
    return sorted({name for name in imports(path) if (app := app_of(name)) and app not in may})


@of_each(python_files())
def test_nobody_imports_addresses_or_settings(path: Path) -> list[str]:
    ours = (name for name in imports(path) if app_of(name))
    return [name for name in ours if name.endswith(".urls") or name.startswith("breachdesk.settings")]


# Who writes


@of_each(files_called("views"))
def test_a_view_writes_nothing(path: Path) -> list[str]:
    calls = [node.func for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return [
        f"line {call.lineno}: .{call.attr}()"
        for call in calls
        if isinstance(call, ast.Attribute) and call.attr in WRITES
    ]


def top_functions(path: Path) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in tree_of(path).body if isinstance(node, ast.FunctionDef)}


def called_in(function: ast.FunctionDef) -> set[str]:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return {
        call.id if isinstance(call, ast.Name) else call.attr
        for call in calls
        if hasattr(call, "id") or hasattr(call, "attr")
    }


def reaches(name: str, target: str, within: dict[str, ast.FunctionDef], seen: frozenset[str] = frozenset()) -> bool:
    """Whether a function, or one it calls in the same file, calls `target`."""
    called = called_in(within[name])
    return target in called or any(
        reaches(other, target, within, seen | {name}) for other in called & within.keys() - seen - {name}
    )


def decorators_of(function: ast.FunctionDef) -> set[str]:
    decorators = (node.func if isinstance(node, ast.Call) else node for node in function.decorator_list)
    return {node.id for node in decorators if isinstance(node, ast.Name)}


def is_action(function: ast.FunctionDef) -> bool:
    return "action" in decorators_of(function)


@of_each(files_called("actions"))
def test_every_public_function_there_is_an_action(path: Path) -> list[str]:
    return [
        name
        for name, function in top_functions(path).items()
        if not name.startswith("_") and not is_action(function) and f"{named(path)}:{name}" not in NOT_ACTIONS
    ]


@of_each(files_called("actions"))
def test_every_action_leaves_its_event(path: Path) -> list[str]:
    here = top_functions(path)
    return [name for name, function in here.items() if is_action(function) and not reaches(name, "record", here)]


def records_proved_events(function: ast.FunctionDef) -> bool:
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and node.args]
    return any(
        isinstance(call.func, ast.Name)
        and call.func.id == "record"
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value in PROVEN_AT_ONCE
        for call in calls
    )


@cache
def proved_actions() -> frozenset[str]:
    """Actions that record, by themselves or through a function beside them, what must be proved at once."""
    found = set()
    for path in files_called("actions"):
        here = top_functions(path)
        recorders = {name for name, function in here.items() if records_proved_events(function)}
        reached = {name for name in here if any(reaches(name, recorder, here) for recorder in recorders)}
        found |= {name for name in recorders | reached if is_action(here[name])}
    return frozenset(found)


@of_each(files_called("views"))
def test_a_view_waits_for_the_proof_of_what_must_be_proved_at_once(path: Path) -> list[str]:
    here = top_functions(path)
    return [
        name
        for name, function in here.items()
        if "requires" in decorators_of(function)
        and "answers_with_proof" not in decorators_of(function)
        and any(reaches(name, action, here) for action in proved_actions())
    ]


def test_the_steps_that_must_be_proved_at_once_are_found() -> None:
    sending = {"approve_edition", "start_edition", "pause_edition", "cancel_edition"}
    others = {"set_roles", "remove_user", "close_incident", "sign_off_filing", "export_filing", "record_submission"}
    assert sending | others <= proved_actions()


def test_the_list_of_functions_that_are_not_actions_names_nothing_that_is_gone() -> None:
    there = {f"{named(path)}:{name}" for path in files_called("actions") for name in top_functions(path)}
    assert set(NOT_ACTIONS) <= there


# What changes only with its event


def tables() -> set[str]:
    """Of every model of every app, Django's and the sign-in's too, and of every many-to-many relation."""
    models = apps.get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy}


def test_every_table_is_guarded_or_says_why_not() -> None:
    assert tables() - ALL_GUARDED.keys() - EXEMPT.keys() == set()
    assert ALL_GUARDED.keys() & EXEMPT.keys() == set()
    assert (ALL_GUARDED.keys() | EXEMPT.keys()) - tables() == set()


@pytest.mark.django_db
def test_the_guards_are_in_the_database() -> None:
    missing = {table: wanted - triggers_of(table).keys() for table, wanted in ALL_GUARDED.items()}
    assert {table: triggers for table, triggers in missing.items() if triggers} == {}


@pytest.mark.django_db
def test_what_a_load_touched_is_looked_at_before_it_is_committed() -> None:
    assert "audit_touched_has_its_event" in triggers_of("audit_touched")


@pytest.mark.django_db
@pytest.mark.parametrize("table", [table for table in ALL_GUARDED if "audit_guard_changes" in ALL_GUARDED[table]])
def test_every_column_is_guarded_or_says_why_not(table: str) -> None:
    definition = re.sub(r'[()"]|::text', "", triggers_of(table)["audit_guard_changes"].lower())
    free = {column for column in columns_of(table) if f"old.{column} is distinct from new.{column}" not in definition}
    if "old.* is distinct from new.*" in definition:
        assert (" and " in definition) == (table in FREE_FOR_A_TIME)
        free = set()
    assert free == FREE.get(table, {}).keys()


# Size and names


@of_each([*python_files(), *sorted((ROOT / "tests").rglob("*.py"))])
def test_a_file_stays_under_400_lines_and_a_function_within_40(path: Path) -> list[str]:
    lines = len(path.read_text().splitlines())
    return [f"{lines} lines"] * (lines >= 400 and named(path) not in LONG) + [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in functions(path)
        if node.end_lineno and node.end_lineno - node.lineno >= 40
    ]


def test_both_verifiers_know_every_event() -> None:
    """They import nothing of ours, so the table stands in them as text."""
    out_of_date = "Run: python -m breachdesk.audit.verifier"
    assert script_with_events() == SCRIPT.read_text(), out_of_date
    assert event_table() in PAGE.read_text(), out_of_date


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [named(path) for path in python_files() if path.stem in NAMES_NOBODY_GUESSES] == []


def test_nothing_happens_behind_your_back() -> None:
    """No save() of our own, no signal receivers of Django's, no admin site."""
    text = {named(path): path.read_text() for path in python_files()}
    assert [name for name, source in text.items() if re.search(r"^    def save\(", source, re.M)] == []
    assert [name for name, source in text.items() if "@receiver(" in source or "django.contrib.admin" in source] == []


# Templates


def templates() -> list[Path]:
    return sorted(path for path in (ROOT / "templates").rglob("*.html") if named(path) not in FRAMED)


INLINE = {
    r"\sstyle\s*=": "a style attribute",
    r"<style\b": "a style element",
    r"\son[a-z]+\s*=": "an event handler",
    r"<script(?![^>]*\bsrc=)": "a script without a source",
    r"javascript:": "a script address",
    r"""(?:src|href|action)\s*=\s*["']?data:""": "a data address",
    r"\|safe\b": "unescaped text",
}


@of_each(templates())
def test_a_template_carries_no_style_and_no_script(path: Path) -> list[str]:
    """The pages' Content-Security-Policy would refuse them."""
    text = re.sub(r"{%\s*comment.*?endcomment\s*%}", "", path.read_text(), flags=re.S)
    return [what for pattern, what in INLINE.items() if re.search(pattern, text, re.I)]
