"""What a pace remembers of waves and of the first few, and that quiet hours may put off somebody's turn.

A turn put off is `next_at` moved alone, of a row nobody holds. That leaves no event for people on hold or withdrawn, as
before, and now also for an edition that is being sent under quiet hours, by no more than a night and a day each time:
whoever waits is counted as waiting, and the edition does not finish without them.
"""

from django.db import migrations, models
from django.db.models import Q

DELIVERIES = """
CREATE OR REPLACE FUNCTION audit_guard_of_notifications_delivery_update() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public, pg_temp AS $guard$
DECLARE tokens uuid[] := (SELECT array_agg(DISTINCT token) FROM new_rows);
BEGIN
    IF tokens IS NULL OR cardinality(tokens) = (
        SELECT count(*) FROM notifications_batch WHERE id = ANY (tokens) AND settled_at IS NULL) THEN
        RETURN NULL;
    END IF;
    EXECUTE $changed$
        INSERT INTO audit_touched (of_table, batch, names)
        SELECT 'notifications_delivery', batch,
            CASE WHEN count(*) <= 100 THEN array_agg('notifications.delivery/' || id || '/0') END
        FROM (
            SELECT coalesce(n.token, n.edition_id)::text AS batch, n.id
            FROM new_rows AS n JOIN old_rows AS o ON o.id = n.id
            LEFT JOIN notifications_batch AS present ON present.id = n.token AND present.settled_at IS NULL
            LEFT JOIN notifications_batch AS left_one ON left_one.id = o.token AND left_one.settled_at IS NULL
            WHERE n IS DISTINCT FROM o AND present.id IS NULL
              AND NOT (n.token IS NULL AND n.state IN ('planned', 'retry_wait') AND left_one.id IS NOT NULL)
              AND NOT (
                (n.state, n.token, n.tries, n.generation, n.code, n.reply_sha256, n.recipient, n.handing_over_at,
                    n.settled_at, n.verification, n.frozen, n.amended, n.amendment_id)
                IS NOT DISTINCT FROM
                (o.state, o.token, o.tries, o.generation, o.code, o.reply_sha256, o.recipient, o.handing_over_at,
                    o.settled_at, o.verification, o.frozen, o.amended, o.amendment_id)
                AND ((SELECT p.held OR p.withdrawn FROM people_person AS p WHERE p.id = n.person_id)
                    OR n.state IN ('planned', 'retry_wait')
                        AND n.next_at BETWEEN now() AND now() + interval '49 hours'
                        AND EXISTS (SELECT FROM notifications_edition AS e
                            WHERE e.id = n.edition_id AND e.state = 'sending' AND e.schedule ? 'quiet')))
        ) AS found GROUP BY batch
    $changed$;
    RETURN NULL;
END $guard$;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0015_amendment_guards")]

    operations = [
        migrations.AddField("pace", "queued_until", models.DateTimeField(null=True)),
        migrations.AddField("pace", "wave", models.PositiveIntegerField(default=0)),
        migrations.AddField("pace", "wave_at", models.DateTimeField(null=True)),
        migrations.AddField("pace", "wave_ends_with", models.PositiveIntegerField(default=0)),
        migrations.AddField("pace", "canary_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["edition", "next_at"],
                name="delivery_tried_due",
                condition=Q(next_at__isnull=False, token__isnull=False),
            ),
        ),
        migrations.RunSQL(DELIVERIES, migrations.RunSQL.noop),
    ]
