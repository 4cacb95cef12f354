"""Rights, settings and decisions change only together with an event that names the change.

Of a user, signing in writes the password, hashed afresh when the hashing grew stronger, and last_login: both stay out,
or every sign-in would need an event that says nothing. Of a decision, the times at which the relay took or refused its
e-mails stay out. Roles are Django's groups; they have no version and are named in version 0. An address that allauth
keeps apart from the user would open the way in like the user's own.
"""

from django.db import migrations

from breachdesk.audit.guards import guard_links, guard_rows

USER = {"owner": "accounts_user", "label": "accounts.user"}
GROUP = {"owner": "auth_group", "label": "auth.group"}
OF_USER = ["id", "email", "name", "zone", "deputy_id", "is_active", "is_superuser", "joined_at"]
OF_DECISION = [
    *["id", "permission", "object_kind", "object_id", "incident_id", "sentence", "url", "asked_by_id", "asked_at"],
    *["deputies_asked_at", "settled_at"],
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_told_by_mail"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("audit", "0003_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        guard_rows("accounts_user", "accounts.user", columns=OF_USER),
        guard_links("accounts_user_groups", "user_id", **USER),
        guard_links("accounts_user_user_permissions", "user_id", **USER),
        guard_links("account_emailaddress", "user_id", **USER),
        guard_rows("auth_group", "auth.group"),
        guard_links("auth_group_permissions", "group_id", **GROUP),
        guard_rows("accounts_organisation", "accounts.organisation"),
        guard_rows("accounts_pendingdecision", "accounts.pendingdecision", columns=OF_DECISION),
        guard_links(
            "accounts_pendingdecision_excluded",
            "pendingdecision_id",
            owner="accounts_pendingdecision",
            label="accounts.pendingdecision",
        ),
    ]
