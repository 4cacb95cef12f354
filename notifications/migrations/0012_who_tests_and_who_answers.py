"""Two rights of their own: to send a test to colleagues, and to answer people who call."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0011_what_an_approval_binds")]

    operations = [
        migrations.AlterModelOptions(
            name="notice",
            options={
                "default_permissions": (),
                "permissions": [
                    ("view_notice", "See notices"),
                    ("write_notice", "Write notices"),
                    ("approve_edition", "Approve a notice"),
                    ("send_edition", "Start and resume a send"),
                    ("pause_edition", "Pause or cancel a send"),
                    ("test_edition", "Send a test to colleagues"),
                    ("answer_callers", "Answer people who call about a notice"),
                ],
            },
        ),
    ]
