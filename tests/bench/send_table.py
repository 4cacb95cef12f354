"""The results of `send` as people read them: a table, and of each aim whether it is met."""

from collections.abc import Mapping
from typing import Any

Rows = Mapping[str, Mapping[str, Any]]
RAW, POST_OFFICE = "raw x8", "django-post-office"
LEAST_OF_RAW, LEAST_TIMES_POST_OFFICE, LEAST_WITH_DELAY = 0.20, 10, 0.9
MOST_CPU_MS, MOST_WAL, MOST_MEMORY_MB = 0.25, 1536, 200
HEAD = ("", "messages/s", "of raw", "x post-office", "sender ms", "database ms", "WAL bytes", "MB", "doubles")


def printed(rows: Rows) -> tuple[str, bool]:
    """Table and aims, and whether all aims that were measured are met."""
    lines = [HEAD, *(_line(name, row, rows) for name, row in rows.items())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    table = [
        "  ".join(
            cell.ljust(w) if not n else cell.rjust(w) for n, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    aims = list(_aims(rows))
    told = [f"{'met    ' if is_met else 'NOT MET'}  {words}" for words, is_met in aims]
    return "\n".join([*table, "", *told]), all(is_met for _, is_met in aims)


def _line(name: str, row: Mapping[str, Any], rows: Rows) -> tuple[str, ...]:
    of_raw, times = _of_raw(row, rows), _times(row, rows)
    return (
        name,
        f"{row['per_second']:,}",
        f"{of_raw:.3f}" if of_raw else "",
        f"{times:.1f}" if times and not row["delay_ms"] else "",
        f"{row['sender_cpu_ms']:.3f}",
        f"{row['database_cpu_ms']:.3f}",
        f"{row['wal_bytes']:,}",
        str(row["memory_mb"]),
        str(row["doubles"]),
    )


def _of_raw(row: Mapping[str, Any], rows: Rows) -> float | None:
    """Beside the limit over as many connections with the same delay; without one, over 8."""
    lanes = row.get("connections", 8) * row.get("workers", 1)
    raw = rows.get(f"raw x{lanes} {row['delay_ms']} ms" if row["delay_ms"] else RAW)
    return row["per_second"] / raw["per_second"] if raw else None


def _times(row: Mapping[str, Any], rows: Rows) -> float | None:
    return row["per_second"] / rows[POST_OFFICE]["per_second"] if POST_OFFICE in rows else None


def _aims(rows: Rows) -> Any:
    """The best of ours without delay; each of ours with delay; the dearest of ours in what one message costs."""
    ours = {name: row for name, row in rows.items() if name.startswith("ours")}
    quick = {name: row for name, row in ours.items() if not row["delay_ms"]}
    if quick:
        best = max(quick, key=lambda name: quick[name]["per_second"])
        if share := _of_raw(quick[best], rows):
            yield f"at least {LEAST_OF_RAW:.2f} of raw: {share:.3f} ({best})", share >= LEAST_OF_RAW
        if times := _times(quick[best], rows):
            words = f"at least {LEAST_TIMES_POST_OFFICE} times django-post-office: {times:.1f} ({best})"
            yield words, times >= LEAST_TIMES_POST_OFFICE
        yield from _costs(quick)
    for name, row in ours.items():
        if row["delay_ms"] and (share := _of_raw(row, rows)):
            yield (
                f"with {row['delay_ms']} ms at least {LEAST_WITH_DELAY} of raw: {share:.2f} ({name})",
                (share >= LEAST_WITH_DELAY),
            )
    if ours:
        doubles = max(row["doubles"] for row in ours.values())
        yield f"nobody twice: {doubles} doubles", doubles == 0


def _costs(quick: Rows) -> Any:
    """With the default window, of one worker."""
    row = quick.get("ours 1x8 window 8") or next(iter(quick.values()))
    cpu, wal, memory = row["sender_cpu_ms"], row["wal_bytes"], row["memory_mb"]
    yield f"at most {MOST_CPU_MS} ms of the sender's processor: {cpu:.3f}", cpu <= MOST_CPU_MS
    yield f"at most {MOST_WAL:,} bytes of WAL: {wal:,}", wal <= MOST_WAL
    yield f"a worker under {MOST_MEMORY_MB} MB: {memory}", memory < MOST_MEMORY_MB
