"""What an approval binds and who may give it: audience, order of languages, schedule, and each row as it was frozen."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from breachdesk.audit.guards import guard_links, guard_rows

# What a message and the choice of its recipients are made of. The sealed values are bound by their keyed checksum,
# which is looked at whenever they are opened. 128 bits of SHA-256.
ROWS = """
CREATE FUNCTION notifications_frozen_row(p people_person) RETURNS bytea IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT substr(sha256(uuid_send(p.id) || coalesce(p.email_index, ''::bytea) || p.row_checksum || convert_to(
        concat_ws(E'\\x1f', p.country, p.state, p.language, p.minor::text, p.vulnerable::text,
        p.deceased::text, array_to_string(p.kinds, ',')),
        'UTF8')), 1, 16)
$$;
CREATE TRIGGER guard_delivery_frozen BEFORE UPDATE OF frozen ON notifications_delivery FOR EACH ROW
    WHEN (OLD.frozen IS DISTINCT FROM NEW.frozen) EXECUTE FUNCTION refuse_delivery_change();
"""
NO_ROWS = """
DROP TRIGGER guard_delivery_frozen ON notifications_delivery;
DROP FUNCTION notifications_frozen_row(people_person);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0010_verification_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="approval",
            name="body",
            field=models.TextField(blank=True, max_length=20000),
        ),
        migrations.AddField(
            model_name="approval",
            name="subject",
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name="delivery",
            name="amended",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="delivery",
            name="frozen",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="edition",
            name="approvers_needed",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="edition",
            name="armed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="edition",
            name="armed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="edition",
            name="renderings",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="edition",
            name="schedule",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="notice",
            name="audience",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="notice",
            name="fallback",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=12), default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="Amendment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.BinaryField()),
                ("rows_root", models.BinaryField()),
                ("added", models.PositiveIntegerField()),
                ("changed", models.PositiveIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("approved_at", models.DateTimeField(null=True)),
                ("voided_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="amendments",
                        to="notifications.edition",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="amendment",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="notifications.amendment",
            ),
        ),
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.BinaryField()),
                ("reason", models.TextField(max_length=1000)),
                ("given_at", models.DateTimeField()),
                ("voided_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="broken_glass",
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
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("quote", models.TextField(max_length=2000)),
                ("text", models.TextField(max_length=2000)),
                ("made_at", models.DateTimeField()),
                ("settled_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="comments", to="notifications.edition"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NoticeAuthor",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="authors", to="notifications.notice"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Opening",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.BinaryField()),
                ("rendering", models.CharField(max_length=400)),
                ("opened_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="openings", to="notifications.edition"
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Pace",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("domain", models.BinaryField(default=b"")),
                ("free_at", models.DateTimeField()),
                ("taken", models.PositiveIntegerField(default=0)),
                (
                    "edition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="paces", to="notifications.edition"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="amendment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("approved_at", None), ("voided_at", None)),
                fields=("edition",),
                name="one_amendment_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.UniqueConstraint(
                condition=models.Q(("voided_at", None)), fields=("edition", "given_by"), name="one_break_glass_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="broken_glass_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="comment",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="a_comment_has_words"
            ),
        ),
        migrations.AddConstraint(
            model_name="noticeauthor",
            constraint=models.UniqueConstraint(fields=("notice", "author"), name="one_row_per_notice_author"),
        ),
        migrations.AddConstraint(
            model_name="opening",
            constraint=models.UniqueConstraint(
                fields=("edition", "digest", "rendering", "opened_by"), name="one_opening_per_rendering"
            ),
        ),
        migrations.AddConstraint(
            model_name="pace",
            constraint=models.UniqueConstraint(fields=("edition", "domain"), name="one_pace_per_domain"),
        ),
        migrations.RunSQL(ROWS, NO_ROWS),
        guard_links(
            "notifications_noticeauthor", "notice_id", owner="notifications_notice", label="notifications.notice"
        ),
        guard_rows("notifications_opening", "notifications.opening"),
        guard_rows("notifications_comment", "notifications.comment"),
        guard_rows("notifications_breakglass", "notifications.breakglass"),
        guard_rows("notifications_amendment", "notifications.amendment"),
    ]
