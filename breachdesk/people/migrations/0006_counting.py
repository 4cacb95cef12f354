"""Counts with their source, and the tally that the page shows.

The tallies of what is there already are counted here; `manage.py recount_people` does the same at any time.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

# As counting.py had it when this was written: a migration must not change with the code.
COUNT_WHAT_IS_THERE = """
INSERT INTO people_tally (incident_id, files, rows_read, rows_rejected, rows_repeated, known, people, minors, vulnerable,
    deceased, without_email, without_contact, without_country, by_post_only, held, excluded, countries, states,
    languages, kinds, counted_at)
SELECT list.incident_id, list.files, list.rows_read, list.rows_rejected, list.rows_repeated, person.people,
    person.people, person.minors, 0, 0, person.without_email, person.without_email, person.without_country, 0,
    person.held, jsonb_strip_nulls(jsonb_build_object(
        'held', nullif(person.held, 0), 'no_way', nullif(person.unreachable, 0))),
    (SELECT coalesce(jsonb_object_agg(line.country, line.people), '{}') FROM (
        SELECT country, count(*) AS people FROM people_person WHERE incident_id = list.incident_id GROUP BY 1) AS line),
    (SELECT coalesce(jsonb_object_agg(line.state, line.people), '{}') FROM (
        SELECT state, count(*) AS people FROM people_person
        WHERE incident_id = list.incident_id AND country = 'US' GROUP BY 1) AS line),
    (SELECT coalesce(jsonb_object_agg(line.language, line.people), '{}') FROM (
        SELECT language, count(*) AS people FROM people_person WHERE incident_id = list.incident_id GROUP BY 1) AS line),
    (SELECT coalesce(jsonb_object_agg(line.kind, line.people), '{}') FROM (
        SELECT kind, count(*) AS people FROM people_person,
            unnest(CASE WHEN kinds = '{}' THEN ARRAY['']::varchar[] ELSE kinds END) AS kind
        WHERE incident_id = list.incident_id GROUP BY 1) AS line),
    now()
FROM (
    SELECT incident_id, count(*) AS files, sum(rows_read) AS rows_read, sum(rows_rejected) AS rows_rejected,
        sum(rows_repeated) AS rows_repeated
    FROM people_upload WHERE state = 'loaded' GROUP BY 1
) AS list JOIN (
    SELECT incident_id, count(*) AS people, count(*) FILTER (WHERE minor) AS minors,
        count(*) FILTER (WHERE NOT has_email) AS without_email, count(*) FILTER (WHERE country = '') AS without_country,
        count(*) FILTER (WHERE held) AS held, count(*) FILTER (WHERE NOT held AND NOT has_email) AS unreachable
    FROM people_person GROUP BY 1
) AS person USING (incident_id)
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0005_holds_and_exports")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="tally",
                        serialize=False,
                        to="incidents.incident",
                    ),
                ),
                ("files", models.PositiveIntegerField(default=0)),
                ("rows_read", models.PositiveBigIntegerField(default=0)),
                ("rows_rejected", models.PositiveBigIntegerField(default=0)),
                ("rows_repeated", models.PositiveBigIntegerField(default=0)),
                ("known", models.PositiveBigIntegerField(default=0)),
                ("people", models.PositiveBigIntegerField(default=0)),
                ("minors", models.PositiveBigIntegerField(default=0)),
                ("vulnerable", models.PositiveBigIntegerField(default=0)),
                ("deceased", models.PositiveBigIntegerField(default=0)),
                ("without_email", models.PositiveBigIntegerField(default=0)),
                ("without_contact", models.PositiveBigIntegerField(default=0)),
                ("without_country", models.PositiveBigIntegerField(default=0)),
                ("by_post_only", models.PositiveBigIntegerField(default=0)),
                ("held", models.PositiveBigIntegerField(default=0)),
                ("excluded", models.JSONField(default=dict)),
                ("countries", models.JSONField(default=dict)),
                ("states", models.JSONField(default=dict)),
                ("languages", models.JSONField(default=dict)),
                ("kinds", models.JSONField(default=dict)),
                ("counted_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(rows_read=F("rows_rejected") + F("rows_repeated") + F("known")),
                        name="every_row_taken_in_is_somebody",
                    )
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="countentry",
            options={
                "default_permissions": (),
                "ordering": ["stated_at"],
                "permissions": [("state_count", "State how many people are affected")],
            },
        ),
        migrations.AddField(
            model_name="countentry",
            name="source",
            field=models.CharField(blank=True, default="", max_length=300),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="countentry",
            name="basis",
            field=models.CharField(
                choices=[
                    ("list", "The lists that were taken in"),
                    ("processor", "The company that works for us says so"),
                    ("system", "Counted in our own systems"),
                    ("estimate", "Our estimate"),
                    ("other", "Something else"),
                ],
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name="countentry",
            constraint=models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")), name="count_range_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="countentry",
            constraint=models.CheckConstraint(
                condition=Q(basis="list") | (~Q(low=0) & ~Q(high=0)), name="an_unknown_count_is_never_zero"
            ),
        ),
        migrations.AddConstraint(
            model_name="countentry",
            constraint=models.CheckConstraint(
                condition=Q(basis="list") | ~Q(source=""), name="a_stated_count_has_a_source"
            ),
        ),
        migrations.AddIndex(
            model_name="countentry",
            index=models.Index(fields=["incident", "-stated_at"], name="newest_count"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=Q(held=True) | Q(withdrawn=True) | Q(has_email=False, has_post=False),
                fields=["incident"],
                name="people_left_out",
            ),
        ),
        migrations.RunSQL(COUNT_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
