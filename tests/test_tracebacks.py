"""A log says where and how something failed, never with whose data: of tasks, of requests, and nothing goes by mail."""

import logging
import traceback

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from breachdesk.celery import TaskFailed, app
from breachdesk.tracebacks import Formatter, without_values
from tests.factories import make_incident, make_organisation, make_user

NAME = "Quillfeather Okafor"


def failing(statement: str) -> Exception:
    with pytest.raises((DataError, IntegrityError)) as raised, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return raised.value


def test_it_says_where_and_what_kind() -> None:
    try:
        int(NAME)
    except ValueError as error:
        said = without_values(error)
    assert "test_tracebacks.py" in said
    assert said.endswith("builtins.ValueError")
    assert NAME not in said


def test_the_chain_is_told_from_its_beginning() -> None:
    try:
        try:
            int(NAME)
        except ValueError as error:
            raise KeyError(NAME) from error
    except KeyError as error:
        said = without_values(error)
    assert said.index("ValueError") < said.index("Then:") < said.index("KeyError")
    assert NAME not in said


@pytest.mark.django_db
def test_a_value_that_the_database_refuses_is_not_quoted() -> None:
    refused = failing(f"SELECT '{NAME}'::integer")
    assert NAME in str(refused)
    said = without_values(refused)
    assert "22P02" in said
    assert NAME not in said


@pytest.mark.django_db
def test_a_row_that_fails_its_constraint_is_named_by_the_constraint() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE watched (name text, CONSTRAINT nobody CHECK (name = ''))")
    refused = failing(f"INSERT INTO watched VALUES ('{NAME}')")
    assert NAME in str(refused)
    said = without_values(refused)
    assert "23514 watched nobody" in said
    assert NAME not in said


def test_a_task_that_fails_tells_the_worker_no_value() -> None:
    @app.task(name="tests.failing", shared=False)
    def fail(number: int) -> None:
        raise ValidationError(f"{NAME} is no date, in row {number}.")

    try:
        with pytest.raises(TaskFailed) as raised:
            fail(7)
        whole = "".join(traceback.format_exception(raised.value))
        assert NAME not in whole
        assert "ValidationError" in whole
        assert "in fail" in whole
    finally:
        del app.tasks["tests.failing"]


@pytest.mark.django_db
def test_a_page_that_fails_is_logged_without_what_was_typed_and_mailed_to_nobody(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ADMINS = [("Ops", "ops@halden-rowe.example")]
    make_organisation()
    incident = make_incident()
    client = Client(raise_request_exception=False)
    client.force_login(make_user("dpo"))
    with connection.cursor() as cursor:
        # What no action does: the first search in the session finds a table that cannot take its event.
        cursor.execute(
            "ALTER TABLE audit_event ADD CONSTRAINT full_up CHECK (type <> 'people.looking_began') NOT VALID"
        )
    answer = client.post(
        reverse("people-search", args=[incident.reference]), {"typed": f"{NAME}@example.com", "reason": NAME}
    )
    assert answer.status_code == 500
    logged = [record for record in caplog.records if record.exc_info]
    shown = "".join(Formatter("{message}", style="{").format(record) for record in logged)
    assert "full_up" in shown
    assert NAME not in shown
    assert NAME not in answer.content.decode()
    assert mail.outbox == []
    assert logging.getLogger("django").handlers == []
