"""Checkpoints only ever grow. Whoever signs, and however many of them: a later one covers more than all before it."""

from django.db import migrations, models
from django.db.models import Q

GROWS = """
CREATE FUNCTION audit_refuse_smaller_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_checkpoint WHERE size > NEW.size) THEN
        RAISE EXCEPTION 'A checkpoint over more than % entries exists: a smaller one is refused.', NEW.size
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_checkpoint_grows AFTER INSERT ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_smaller_checkpoint();
"""

NO_LONGER = """
DROP TRIGGER audit_checkpoint_grows ON audit_checkpoint;
DROP FUNCTION audit_refuse_smaller_checkpoint();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_erasure")]

    operations = [
        migrations.AddConstraint(
            "checkpoint", models.CheckConstraint(condition=Q(size__gt=0), name="audit_checkpoint_not_empty")
        ),
        migrations.RunSQL(GROWS, NO_LONGER),
    ]
