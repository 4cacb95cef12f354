"""What the type checker loads: the product's settings, with throw-away values so that it runs on a fresh clone."""

import os

for _name, _value in {
    "DATABASE_URL": "postgresql://typing:typing@127.0.0.1:1/typing",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "BREACHDESK_SECRET_KEY": "for-the-type-checker-only-" * 2,
    "BREACHDESK_MASTER_KEY_FILE": "/nonexistent/master.key",
    "BREACHDESK_STATE_DIR": "/nonexistent",
    "BREACHDESK_BASE_URL": "http://127.0.0.1:8000",
    "BREACHDESK_HOSTS": "127.0.0.1",
    "BREACHDESK_DEMO": "1",
}.items():
    os.environ.setdefault(_name, _value)

from tests.settings import *  # noqa: E402, F403
