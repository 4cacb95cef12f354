from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from breachdesk.audit.canonical import base64url, canonical, time_text
from breachdesk.audit.entries import entry_bytes

hashes = st.binary(min_size=32, max_size=32)


@given(
    log=st.from_regex(r"[a-z0-9.-]+/[a-z0-9./-]+", fullmatch=True),
    n=st.integers(0, 2**53 - 1),
    seq_at=st.datetimes(timezones=st.just(UTC)),
    incident=st.none() | st.uuids(),
    inc_n=st.none() | st.integers(1, 2**53 - 1),
    inc_prev=st.none() | hashes,
    body=hashes,
)
def test_an_entry_put_together_is_the_canonical_one(log, n, seq_at, incident, inc_n, inc_prev, body):
    assert entry_bytes(
        log=log, n=n, seq_at=seq_at, incident=incident, inc_n=inc_n, inc_prev=inc_prev, body=body
    ) == canonical(
        {
            "v": 1,
            "log": log,
            "n": n,
            "seq_at": time_text(seq_at),
            "incident": str(incident) if incident else None,
            "inc_n": inc_n,
            "inc_prev": base64url(inc_prev) if inc_prev is not None else None,
            "body": base64url(body),
        }
    )
