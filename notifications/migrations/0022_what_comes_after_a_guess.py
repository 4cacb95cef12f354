"""What a colleague took as sent may yet be known better: delivered, complained about, or come back."""

import importlib

from django.db import migrations

where_from = importlib.import_module("notifications.migrations.0019_where_we_sent_from")

MOVES = [*where_from.MOVES, "assumed_sent>delivered", "assumed_sent>bounced", "assumed_sent>complained"]
UPDATE_NOW = where_from.following.UPDATE.format(moves="{" + ",".join(MOVES) + "}", again=where_from.following.AGAIN)


class Migration(migrations.Migration):
    dependencies = [("notifications", "0021_room_for_a_send")]

    operations = [migrations.RunSQL(UPDATE_NOW, where_from.UPDATE_NOW)]
