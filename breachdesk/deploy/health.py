"""Is this part alive? The container engine asks: python -m breachdesk.deploy.health PART, as web, beat or signer.

Ends with 0 if so, else with 1 and a sentence.
"""

import http.client
import os
import sys
from datetime import timedelta
from urllib.parse import urlsplit

QUIET_FOR = timedelta(minutes=2)


def web() -> str:
    """Asks the web server beside us, as a reader at the configured address would."""
    host = urlsplit(os.environ["BREACHDESK_BASE_URL"]).netloc
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        status = connection.getresponse().status
    except OSError as error:
        return f"The web server does not answer: {error}."
    return "" if status == 200 else f"The web server answers {status}: its log says why."


def part(name: str) -> str:
    """Asks the database when this part last said that it runs."""
    import django
    from django.db import Error
    from django.utils import timezone

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachdesk.settings")
    django.setup()
    from breachdesk.pulse import last_run

    try:
        seen = last_run(name)
    except Error as error:
        return f"The database does not answer: {error}."
    if seen is None:
        return f"The {name} has never run."
    return f"The {name} was last seen at {seen:%H:%M:%S} UTC." if timezone.now() - seen > QUIET_FOR else ""


def main() -> int:
    name = sys.argv[1] if len(sys.argv) == 2 else ""
    if name not in ("web", "beat", "sweeper", "sequencer", "signer", "eraser"):
        print(__doc__, file=sys.stderr)
        return 1
    problem = web() if name == "web" else part(name)
    if problem:
        print(problem, file=sys.stderr)
    return 1 if problem else 0


if __name__ == "__main__":
    raise SystemExit(main())
