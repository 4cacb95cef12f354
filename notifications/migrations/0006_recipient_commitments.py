"""To whom a message is handed over is committed with the intent, and stays as it was then."""

from django.db import migrations, models

GUARD = """
ALTER TABLE notifications_delivery ADD CONSTRAINT delivery_recipient_size CHECK (octet_length(recipient) = 32);
ALTER TABLE notifications_attempt ADD CONSTRAINT attempt_recipient_size CHECK (octet_length(recipient) = 32);

CREATE FUNCTION refuse_recipient_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'To whom a delivery goes is committed when its hand-over begins, and only then.'
        USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER guard_delivery_recipient BEFORE UPDATE ON notifications_delivery FOR EACH ROW
    WHEN (
        (OLD.state = 'claimed' AND NEW.state = 'handing_over' AND NEW.recipient IS NULL)
        OR (NEW.recipient IS DISTINCT FROM OLD.recipient AND NOT (OLD.state = 'claimed' AND NEW.state = 'handing_over'))
    ) EXECUTE FUNCTION refuse_recipient_change();
"""

UNDO = """
DROP TRIGGER guard_delivery_recipient ON notifications_delivery;
DROP FUNCTION refuse_recipient_change;
ALTER TABLE notifications_attempt DROP CONSTRAINT attempt_recipient_size;
ALTER TABLE notifications_delivery DROP CONSTRAINT delivery_recipient_size;
"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0005_one_notice_per_title")]

    operations = [
        migrations.AddField("delivery", "recipient", models.BinaryField(null=True)),
        migrations.AddField("attempt", "recipient", models.BinaryField(null=True)),
        migrations.RunSQL(GUARD, UNDO),
    ]
