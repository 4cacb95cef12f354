"""A failing check is overruled by somebody who wrote none of the text, for exactly that text, and never forgotten.

A notice keeps which starter it began with, for its further languages.
"""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from breachdesk.audit.guards import guard_rows

GUARD = """
CREATE FUNCTION guard_override() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE written notifications_edition;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An override is never deleted, only voided.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
           OR (NEW.id, NEW.edition_id, NEW.check_key, NEW.sentence, NEW.reason, NEW.text_sha256, NEW.given_by_id,
               NEW.given_at) IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.check_key, OLD.sentence, OLD.reason,
               OLD.text_sha256, OLD.given_by_id, OLD.given_at) THEN
            RAISE EXCEPTION 'An override can only be voided.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO written FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF written.state <> 'draft' OR NEW.voided_at IS NOT NULL THEN
        RAISE EXCEPTION 'Only checks of a draft can be overruled.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.text_sha256 <> sha256(convert_to(written.subject || E'\\n' || written.body, 'UTF8')) THEN
        RAISE EXCEPTION 'This override is for other words than those of the draft.' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM notifications_editionauthor
               WHERE edition_id = NEW.edition_id AND author_id = NEW.given_by_id) THEN
        RAISE EXCEPTION 'Whoever wrote a part of an edition cannot overrule its checks.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_override BEFORE INSERT OR UPDATE OR DELETE ON notifications_override
    FOR EACH ROW EXECUTE FUNCTION guard_override();

CREATE FUNCTION guard_overridden_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM notifications_override WHERE edition_id = NEW.id AND voided_at IS NULL) THEN
        RAISE EXCEPTION 'The overrides of a text are voided when it changes.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_overridden_text BEFORE UPDATE ON notifications_edition FOR EACH ROW
    WHEN ((NEW.subject, NEW.body) IS DISTINCT FROM (OLD.subject, OLD.body))
    EXECUTE FUNCTION guard_overridden_text();
"""
UNDO = """
DROP TRIGGER guard_overridden_text ON notifications_edition;
DROP TRIGGER guard_override ON notifications_override;
DROP FUNCTION guard_overridden_text, guard_override;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0008_people_taken_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("notice", "starter", models.CharField(blank=True, max_length=40)),
        migrations.CreateModel(
            name="Override",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("check_key", models.CharField(max_length=200)),
                ("sentence", models.CharField(max_length=600)),
                ("reason", models.TextField(max_length=1000)),
                ("text_sha256", models.BinaryField()),
                ("given_at", models.DateTimeField()),
                ("voided_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="overrides",
                        to="notifications.edition",
                    ),
                ),
                (
                    "given_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"ordering": ["given_at", "check_key"], "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.UniqueConstraint(
                fields=["edition", "check_key"], condition=Q(voided_at=None), name="one_override_per_check"
            ),
        ),
        migrations.AddConstraint(
            model_name="override",
            constraint=models.CheckConstraint(condition=~Q(reason=""), name="an_override_has_a_reason"),
        ),
        migrations.RunSQL(GUARD, UNDO),
        guard_rows("notifications_override", "notifications.override"),
    ]
