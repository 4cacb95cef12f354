"""How long a case's personal data is kept, legal holds, and requests to destroy it that two people decide.

A request begins as asked and takes only the steps below; while it is in work the case is closed and nothing holds it.
"""

import uuid
from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

from breachdesk.audit.guards import guard_rows

CHECK = """
CREATE FUNCTION incidents_check_destruction() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'asked' THEN
            RAISE EXCEPTION 'A request to destroy begins as asked.' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (NEW.incident_id, NEW.what, NEW.asked_by_id) IS DISTINCT FROM (OLD.incident_id, OLD.what, OLD.asked_by_id)
       OR (NEW.state <> OLD.state
           AND concat_ws('>', OLD.state, NEW.state) <> ALL (ARRAY['asked>confirmed', 'asked>refused', 'asked>withdrawn',
               'asked>lapsed', 'confirmed>done', 'confirmed>refused', 'confirmed>withdrawn', 'confirmed>lapsed']))
       OR (OLD.state NOT IN ('asked', 'confirmed')) THEN
        RAISE EXCEPTION 'A request to destroy cannot go from % to %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state IN ('asked', 'confirmed', 'done') AND (
        NOT EXISTS (SELECT FROM incidents_incident WHERE id = NEW.incident_id AND status = 'closed')
        OR EXISTS (SELECT FROM incidents_legalhold WHERE incident_id = NEW.incident_id AND released_at IS NULL)) THEN
        RAISE EXCEPTION 'Nothing of an open case, or of one under a legal hold, is destroyed.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER incidents_destruction_is_allowed BEFORE INSERT OR UPDATE ON incidents_destruction
    FOR EACH ROW EXECUTE FUNCTION incidents_check_destruction();

CREATE FUNCTION incidents_keep_destruction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Who asked to destroy what stays.' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER incidents_destruction_stays BEFORE DELETE ON incidents_destruction
    FOR EACH ROW EXECUTE FUNCTION incidents_keep_destruction();
"""

NO_CHECK = """
DROP TRIGGER incidents_destruction_stays ON incidents_destruction;
DROP TRIGGER incidents_destruction_is_allowed ON incidents_destruction;
DROP FUNCTION incidents_keep_destruction(), incidents_check_destruction();
"""


def user(**options: Any) -> Any:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, **options
    )


def key() -> tuple[str, Any]:
    return ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False))


def incident(name: str) -> Any:
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=name, to="incidents.incident")


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0002_guards"),
        ("audit", "0003_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="incident",
            options={
                "default_permissions": (),
                "permissions": [
                    ("view_incident", "See incidents"),
                    ("open_incident", "Log an incident"),
                    ("change_facts", "Change what is known about an incident"),
                    ("close_incident", "Close an incident"),
                    ("set_retention", "Say how long personal data is kept, and hold it for a dispute"),
                    ("ask_destruction", "Ask to destroy a case's personal data"),
                    ("confirm_destruction", "Confirm what somebody else asked to destroy"),
                    ("ask_index", "Ask whether we wrote to an address"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Retention",
            fields=[
                key(),
                ("delete_on", models.DateField()),
                ("index_until", models.DateField()),
                ("reason", models.TextField(max_length=1000)),
                ("set_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="retention", to="incidents.incident"
                    ),
                ),
                ("set_by", user()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(index_until__gte=F("delete_on")), name="the_index_lives_as_long_or_longer"
                    ),
                    models.CheckConstraint(condition=~Q(reason=""), name="dates_have_a_reason"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                key(),
                ("reason", models.TextField(max_length=1000)),
                ("set_at", models.DateTimeField()),
                ("release_reason", models.TextField(blank=True, max_length=1000)),
                ("released_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("incident", incident("legal_holds")),
                ("set_by", user()),
                ("released_by", user(null=True)),
            ],
            options={
                "default_permissions": (),
                "ordering": ["-set_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["incident"], condition=Q(released_at=None), name="one_legal_hold_at_a_time"
                    ),
                    models.CheckConstraint(condition=~Q(reason=""), name="a_legal_hold_has_a_reason"),
                    models.CheckConstraint(
                        condition=Q(released_at=None, released_by=None)
                        | (Q(released_at__isnull=False, released_by__isnull=False) & ~Q(release_reason="")),
                        name="a_legal_hold_is_lifted_with_a_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Destruction",
            fields=[
                key(),
                (
                    "what",
                    models.CharField(
                        choices=[("data", "The personal data"), ("index", "The index of addresses")], max_length=10
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waits for a second person"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("lapsed", "Lapsed"),
                            ("done", "Destroyed"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(max_length=1000)),
                ("asked_at", models.DateTimeField()),
                ("lapses_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("refusal", models.TextField(blank=True, max_length=1000)),
                ("not_before", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("counts", models.JSONField(default=dict)),
                ("version", models.PositiveIntegerField(default=1)),
                ("incident", incident("destructions")),
                ("asked_by", user()),
                ("decided_by", user(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=["incident"],
                        condition=Q(state__in=["asked", "confirmed"]),
                        name="one_destruction_at_a_time",
                    ),
                    models.UniqueConstraint(
                        fields=["incident", "what"], condition=Q(state="done"), name="each_key_is_destroyed_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")),
                        name="nobody_confirms_their_own_request",
                    ),
                    models.CheckConstraint(
                        condition=~Q(state__in=["confirmed", "done"])
                        | Q(
                            decided_by__isnull=False,
                            decided_at__lt=F("lapses_at"),
                            not_before__gte=F("decided_at"),
                        ),
                        name="two_people_destroy_in_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(state="done", done_at__isnull=False) | (~Q(state="done") & Q(done_at=None)),
                        name="destroyed_at_a_moment",
                    ),
                    models.CheckConstraint(condition=~Q(reason=""), name="a_destruction_has_a_reason"),
                ],
            },
        ),
        guard_rows("incidents_retention", "incidents.retention"),
        guard_rows("incidents_legalhold", "incidents.legalhold"),
        guard_rows("incidents_destruction", "incidents.destruction"),
        migrations.RunSQL(CHECK, NO_CHECK),
    ]
