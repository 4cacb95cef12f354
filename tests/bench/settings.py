"""The tests' settings, and the peers that `send` is measured beside."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "post_office", "mailer", "tests.bench.naive"]  # noqa: F405
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
POST_OFFICE = {"BACKENDS": {"default": EMAIL_BACKEND}}
MAILER_EMAIL_BACKEND = EMAIL_BACKEND
MAILER_LOCK_PATH = f"{BREACHDESK.state_dir}/mailer_lock"  # noqa: F405
STORAGES = {**STORAGES, "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}  # noqa: F405
