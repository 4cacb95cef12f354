"""A delivery's states and the only moves between them, refused by the database for everything else.

The allowed moves stand in the triggers' WHEN, so that a legal update calls no function: it is compared with a constant
list and goes on. Rows keep room for their next versions (fillfactor), because each person's row is written four times.
"""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

MOVES = [
    "planned>claimed",
    "planned>blocked",
    "planned>suppressed",
    "planned>cancelled",
    "claimed>handing_over",
    "claimed>planned",
    "claimed>blocked",
    "claimed>suppressed",
    "claimed>cancelled",
    "handing_over>handed_over",
    "handing_over>retry_wait",
    "handing_over>refused",
    "handing_over>unknown",
    "retry_wait>claimed",
    "retry_wait>blocked",
    "retry_wait>suppressed",
    "retry_wait>cancelled",
    "blocked>planned",
    "blocked>cancelled",
    "unknown>handed_over",
    "unknown>delivered",
    "unknown>bounced",
    "unknown>planned",
    "unknown>assumed_sent",
    "handed_over>delivered",
    "handed_over>bounced",
    "handed_over>complained",
    "delivered>bounced",
    "delivered>complained",
    "bounced>complained",
]

GUARDS = f"""
ALTER TABLE notifications_delivery SET (fillfactor = 70);

CREATE FUNCTION refuse_delivery_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'A delivery begins as planned, untried.' USING ERRCODE = 'check_violation';
    ELSIF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A delivery that was tried is never deleted.' USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'A delivery cannot go from % (token %) to % (token %).', OLD.state, OLD.token, NEW.state, NEW.token
        USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER guard_delivery_insert BEFORE INSERT ON notifications_delivery FOR EACH ROW
    WHEN (NEW.state <> 'planned' OR NEW.tries <> 0 OR NEW.token IS NOT NULL OR NEW.generation <> 0)
    EXECUTE FUNCTION refuse_delivery_change();

CREATE TRIGGER guard_delivery_update BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (
        (OLD.state <> NEW.state AND OLD.state || '>' || NEW.state <> ALL ('{{{",".join(MOVES)}}}'))
        OR OLD.id <> NEW.id OR OLD.notice_id <> NEW.notice_id
        OR OLD.edition_id <> NEW.edition_id OR OLD.person_id <> NEW.person_id
        OR NEW.generation <> OLD.generation + (OLD.state = 'unknown' AND NEW.state = 'planned')::int
        OR (NEW.token IS DISTINCT FROM OLD.token AND NEW.token IS NOT NULL AND NEW.state <> 'claimed')
        OR (NEW.state = 'handing_over' AND NEW.token IS DISTINCT FROM OLD.token)
    ) EXECUTE FUNCTION refuse_delivery_change();

CREATE TRIGGER guard_delivery_delete BEFORE DELETE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state <> 'planned' OR OLD.tries <> 0 OR OLD.generation <> 0)
    EXECUTE FUNCTION refuse_delivery_change();

CREATE FUNCTION refuse_batch_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A settled batch is never changed or deleted.' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_batch BEFORE UPDATE OR DELETE ON notifications_batch FOR EACH ROW
    WHEN (OLD.settled_at IS NOT NULL) EXECUTE FUNCTION refuse_batch_change();

CREATE FUNCTION refuse_attempt_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was answered to an attempt is never changed or deleted.' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_attempt BEFORE UPDATE OR DELETE ON notifications_attempt FOR EACH ROW
    EXECUTE FUNCTION refuse_attempt_change();
"""

UNDO = """
DROP TRIGGER guard_attempt ON notifications_attempt;
DROP TRIGGER guard_batch ON notifications_batch;
DROP TRIGGER guard_delivery_delete ON notifications_delivery;
DROP TRIGGER guard_delivery_update ON notifications_delivery;
DROP TRIGGER guard_delivery_insert ON notifications_delivery;
DROP FUNCTION refuse_attempt_change, refuse_batch_change, refuse_delivery_change;
ALTER TABLE notifications_delivery RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0002_four_eyes")]

    operations = [
        migrations.RemoveField(model_name="delivery", name="batch"),
        migrations.RemoveField(model_name="delivery", name="lease_until"),
        migrations.AddField(model_name="delivery", name="reply_sha256", field=models.BinaryField(null=True)),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=Q(next_at__isnull=False, state__in=["planned", "retry_wait"])
                | (Q(next_at=None) & ~Q(state__in=["planned", "retry_wait"])),
                name="only_what_waits_has_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=~Q(state__in=["claimed", "handing_over", "handed_over", "unknown"]) | Q(token__isnull=False),
                name="what_was_claimed_has_a_token",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["edition", "next_at"], name="delivery_due", condition=Q(next_at__isnull=False)),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["token"], name="delivery_by_token", condition=Q(token__isnull=False)),
        ),
        migrations.AddField(
            model_name="batch",
            name="epoch",
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="batch",
            name="lease_until",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["lease_until"], name="batch_in_hand", condition=Q(settled_at=None)),
        ),
        migrations.DeleteModel(name="Attempt"),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("n", models.PositiveSmallIntegerField()),
                ("phase", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=20)),
                ("code", models.PositiveSmallIntegerField(null=True)),
                ("enhanced", models.CharField(blank=True, max_length=12)),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("reply_sha256", models.BinaryField(null=True)),
                ("remote_id", models.CharField(blank=True, max_length=120)),
                ("opened_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="notifications.batch"
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="notifications.delivery",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "n", "outcome"), name="one_row_per_answer")
                ],
            },
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
