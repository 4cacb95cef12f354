"""Sending stops where the database may be older than what was sent; what was sent all the same is not sent again.

A relay's log or a provider's list may tell of a message that this database, restored from a backup, takes for one that
never left. Its row is stopped. From there nobody plans it again and nobody gives it up: a person takes it as sent.
"""

import importlib

from django.db import migrations, models

following = importlib.import_module("notifications.migrations.0018_following_guards")

MOVES = [*following.MOVES, "blocked>assumed_sent"]
UPDATE_NOW = following.UPDATE.format(moves="{" + ",".join(MOVES) + "}", again=following.AGAIN)

FIT = "('try_again', 'blocked', 'planned'), ('give_up', 'blocked', 'cancelled'))"
WHEN = "OLD.state = 'blocked' AND NEW.state IN ('planned', 'cancelled')"
CHANGES = {
    FIT: FIT.removesuffix(")") + ",\n           ('assume_sent', 'blocked', 'assumed_sent'))",
    WHEN: WHEN.replace("'cancelled')", "'cancelled', 'assumed_sent')"),
    "(NEW.amendment_id IS NULL OR NEW.state = 'cancelled')": "(NEW.amendment_id IS NULL OR NEW.state <> 'planned')",
}


def _decided() -> str:
    """The function and its two triggers as 0018 has them, and what may be taken as sent."""
    statements: str = following.DECIDED
    for before, after in CHANGES.items():
        assert statements.count(before) == 1, before
        statements = statements.replace(before, after)
    function, _, rest = statements.partition("CREATE TRIGGER guard_delivery_decided")
    trigger, _, _ = rest.partition("DROP TRIGGER")
    return (
        function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
        + "DROP TRIGGER guard_delivery_decided ON notifications_delivery;\nCREATE TRIGGER guard_delivery_decided"
        + trigger
    )


TOLD = """
CREATE FUNCTION guard_told_delivery() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.state = 'assumed_sent') <> EXISTS (
        SELECT FROM notifications_mailevent AS m
        WHERE m.delivery_id = OLD.id AND coalesce(m.generation, 0) >= OLD.generation
          AND m.kind IN ('accepted', 'delivered', 'bounced', 'complained', 'delayed')) THEN
        RAISE EXCEPTION 'What is said to have been sent is taken as sent, and nothing else that was stopped.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery_told BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (OLD.state = 'blocked' AND NEW.state <> 'blocked')
    EXECUTE FUNCTION guard_told_delivery();
"""
NOT_TOLD = """
DROP TRIGGER guard_delivery_told ON notifications_delivery;
DROP FUNCTION guard_told_delivery();
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0018_following_guards")]

    operations = [
        migrations.AddField("sendingepoch", "place", models.CharField(max_length=60, default="", blank=True)),
        migrations.AddField("sendingepoch", "held_at", models.DateTimeField(null=True)),
        migrations.AddField("sendingepoch", "held_why", models.CharField(max_length=40, default="", blank=True)),
        migrations.RunSQL(UPDATE_NOW, following.UPDATE_NOW),
        migrations.RunSQL(_decided(), migrations.RunSQL.noop),
        migrations.RunSQL(TOLD, NOT_TOLD),
    ]
