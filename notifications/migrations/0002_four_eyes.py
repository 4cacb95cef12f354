"""Approval that raw SQL cannot go round: who wrote may not approve, and what was approved may not change.

Names of states stand in models.py; this file holds the moves between them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

GUARD_APPROVAL = """
CREATE FUNCTION guard_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE reviewed notifications_edition;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An approval is never deleted, only voided.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR NEW.voided_at IS NULL
           OR (NEW.id, NEW.edition_id, NEW.digest, NEW.approver_id, NEW.approved_at)
              IS DISTINCT FROM (OLD.id, OLD.edition_id, OLD.digest, OLD.approver_id, OLD.approved_at) THEN
            RAISE EXCEPTION 'An approval can only be voided.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT * INTO reviewed FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF reviewed.state <> 'in_review' THEN
        RAISE EXCEPTION 'Only an edition that waits for approval can be approved.' USING ERRCODE = 'check_violation';
    END IF;
    IF reviewed.digest IS DISTINCT FROM NEW.digest OR NEW.voided_at IS NOT NULL THEN
        RAISE EXCEPTION 'This approval is for something else than what waits for approval.'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM notifications_editionauthor
               WHERE edition_id = NEW.edition_id AND author_id = NEW.approver_id) THEN
        RAISE EXCEPTION 'Whoever wrote a part of an edition cannot approve it.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_approval BEFORE INSERT OR UPDATE OR DELETE ON notifications_approval
    FOR EACH ROW EXECUTE FUNCTION guard_approval();
"""

GUARD_AUTHORS = """
CREATE FUNCTION guard_edition_authors() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE written text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'Who wrote an edition is never changed or forgotten.' USING ERRCODE = 'check_violation';
    END IF;
    SELECT state INTO written FROM notifications_edition WHERE id = NEW.edition_id FOR UPDATE;
    IF written <> 'draft' THEN
        RAISE EXCEPTION 'Only a draft can get another author.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_edition_authors BEFORE INSERT OR UPDATE OR DELETE ON notifications_editionauthor
    FOR EACH ROW EXECUTE FUNCTION guard_edition_authors();
"""

GUARD_EDITION = """
CREATE FUNCTION guard_edition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An edition is never deleted, only cancelled.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' OR NEW.epoch <> 0 OR NEW.digest IS NOT NULL THEN
            RAISE EXCEPTION 'An edition begins as a draft.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.notice_id, NEW.language, NEW.revision) IS DISTINCT FROM
       (OLD.id, OLD.notice_id, OLD.language, OLD.revision) THEN
        RAISE EXCEPTION 'An edition keeps its notice, language and revision.' USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.subject, NEW.body) IS DISTINCT FROM (OLD.subject, OLD.body)
       AND NOT (OLD.state = 'draft' AND NEW.state = 'draft') THEN
        RAISE EXCEPTION 'Only the text of a draft can be changed.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'in_review'), ('draft', 'cancelled'),
        ('in_review', 'draft'), ('in_review', 'approved'), ('in_review', 'cancelled'),
        ('approved', 'draft'), ('approved', 'sending'), ('approved', 'cancelled'),
        ('sending', 'paused'), ('sending', 'finished'), ('sending', 'cancelled'),
        ('paused', 'sending'), ('paused', 'finished'), ('paused', 'cancelled')) THEN
        RAISE EXCEPTION 'An edition cannot go from % to %.', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF (NEW.digest, NEW.recipients_root, NEW.recipients_count) IS DISTINCT FROM
       (OLD.digest, OLD.recipients_root, OLD.recipients_count)
       AND (OLD.state, NEW.state) NOT IN (('draft', 'in_review'), ('in_review', 'draft'), ('approved', 'draft')) THEN
        RAISE EXCEPTION 'What waits for approval or is approved is frozen.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.epoch <> OLD.epoch + (OLD.state <> 'sending' AND NEW.state = 'sending')::int THEN
        RAISE EXCEPTION 'The epoch grows by one with every start, and only then.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND NEW.state IN ('approved', 'sending') AND NOT EXISTS (
        SELECT FROM notifications_approval AS given
        WHERE given.edition_id = NEW.id AND given.digest = NEW.digest AND given.voided_at IS NULL
          AND NOT EXISTS (SELECT FROM notifications_editionauthor AS wrote
                          WHERE wrote.edition_id = NEW.id AND wrote.author_id = given.approver_id)) THEN
        RAISE EXCEPTION 'No approval stands for exactly this edition.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_edition BEFORE INSERT OR UPDATE OR DELETE ON notifications_edition
    FOR EACH ROW EXECUTE FUNCTION guard_edition();
"""

# Going back to a draft must void in the same transaction: an approval in force beside a draft cannot be committed.
GUARD_DRAFT = """
CREATE FUNCTION guard_draft_has_no_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'draft' AND EXISTS (
        SELECT FROM notifications_approval WHERE edition_id = NEW.id AND voided_at IS NULL) THEN
        RAISE EXCEPTION 'The approvals of an edition are voided when it becomes a draft again.'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER guard_draft_has_no_approval AFTER UPDATE ON notifications_edition
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'draft' AND OLD.state <> 'draft')
    EXECUTE FUNCTION guard_draft_has_no_approval();
"""

UNDO = """
DROP TRIGGER guard_draft_has_no_approval ON notifications_edition;
DROP TRIGGER guard_edition ON notifications_edition;
DROP TRIGGER guard_edition_authors ON notifications_editionauthor;
DROP TRIGGER guard_approval ON notifications_approval;
DROP FUNCTION guard_draft_has_no_approval, guard_edition, guard_edition_authors, guard_approval;
"""


def colleague() -> models.ForeignKey:
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name="edition", name="saved_by", field=colleague()),
        migrations.AddField(model_name="edition", name="saved_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="edition", name="started_by", field=colleague()),
        migrations.AddField(model_name="edition", name="stopped_by", field=colleague()),
        migrations.AddField(model_name="edition", name="stopped_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="approval", name="voided_at", field=models.DateTimeField(null=True)),
        migrations.RemoveConstraint(model_name="approval", name="one_approval_per_approver"),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                fields=("edition", "approver"), condition=Q(voided_at=None), name="one_approval_per_approver"
            ),
        ),
        migrations.RunSQL("".join([GUARD_APPROVAL, GUARD_AUTHORS, GUARD_EDITION, GUARD_DRAFT]), UNDO),
    ]
