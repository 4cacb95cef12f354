"""What every process of the product pays for when it starts: what few of them need is loaded by those that do."""

import subprocess
import sys
from pathlib import Path

from breachdesk.embedded.production import production_environment

ROOT = Path(__file__).parent.parent
# Each took between 15 and 100 ms of a start of 700.
FOR_FEW = {
    *("anymail.urls", "boto3", "botocore", "cryptography.x509", "dns", "email_validator", "flufl.bounce", "holidays"),
    *("icalendar", "openpyxl", "pyzipper", "redis", "requests", "rfc3161_client", "segno", "urllib3", "weasyprint"),
}
NOT_FOR_COMMANDS = FOR_FEW | {"celery", "charset_normalizer", "markdown_it", "phonenumbers", "notifications.delivery"}


def loaded_by(code: str) -> set[str]:
    words = [sys.executable, "-c", f"import django, sys; django.setup(); {code}; print(*sys.modules)"]
    done = subprocess.run(words, cwd=ROOT, env=production_environment(), capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_command_loads_nothing_that_few_need() -> None:
    loaded = loaded_by("import breachdesk.desk.backup")
    assert "breachdesk.desk.backup" in loaded
    assert not loaded & NOT_FOR_COMMANDS


def test_a_web_server_loads_nothing_that_few_need() -> None:
    loaded = loaded_by("from django.urls import reverse; reverse('home')")
    assert "notifications.webhook_urls" in loaded
    assert not loaded & FOR_FEW
