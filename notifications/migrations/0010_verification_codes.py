"""Each message has a code by which anybody can ask whether we sent it; beside the delivery stands its blind index."""

from django.db import migrations, models
from django.db.models import Q

KEPT = """
CREATE TRIGGER guard_delivery_code BEFORE UPDATE OF verification ON notifications_delivery FOR EACH ROW
    WHEN (OLD.verification IS DISTINCT FROM NEW.verification) EXECUTE FUNCTION refuse_delivery_change();
"""
FREE = "DROP TRIGGER guard_delivery_code ON notifications_delivery"


class Migration(migrations.Migration):
    dependencies = [("notifications", "0009_overrides")]

    operations = [
        migrations.AddField(model_name="delivery", name="verification", field=models.BinaryField(null=True)),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["verification"], name="delivery_by_code", condition=Q(verification__isnull=False)
            ),
        ),
        migrations.RunSQL(KEPT, FREE),
        migrations.AddField(model_name="edition", name="published", field=models.JSONField(default=dict)),
    ]
