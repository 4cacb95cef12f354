"""One schedule of the campaign that `make faults` runs a hundred of, on servers of their own."""

import json
import os
import subprocess
import sys

# What leads to the servers of the other tests, which must not be shot at.
THEIRS = ("DATABASE_URL", "REDIS_URL", "EMBEDDED_TESTS", "BREACHDESK_", "PYTEST_", "DJANGO_")


def test_a_killed_import_is_all_or_nothing_and_the_repeat_adds_nothing() -> None:
    command = [sys.executable, "-m", "tests.faults.imports", "1", "--seed", "11"]
    own = {name: value for name, value in os.environ.items() if not name.startswith(THEIRS)}
    campaign = subprocess.run(command, env=own, capture_output=True, timeout=600, check=False)
    assert campaign.returncode == 0, campaign.stdout + campaign.stderr
    results = json.loads(campaign.stdout)
    assert (results["schedules"], results["wrong"]) == (1, [])
