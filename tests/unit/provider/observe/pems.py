"""Certificates and keys for tests, made once a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from provider.observe.default_certificate import self_signed

START = datetime(2026, 1, 1, tzinfo=UTC)


@cache
def pem(*names: str, days: int = 90, serial: int = 0) -> tuple[bytes, bytes]:
    """A certificate for these names and its key; another `serial` is another of both."""
    return self_signed(list(names or ("app.test",)), START, START + timedelta(days=days))


def put(
    folder: Path, stem: str, pair: tuple[bytes, bytes], *, only: str = "both", mode: int = 0o644
) -> None:
    """Write a pair, or half of it, as `<stem>.crt` and `<stem>.key`, by rename."""
    halves = {"crt": pair[0], "key": pair[1]}
    for suffix in halves if only == "both" else [only]:
        file = folder / f"{stem}.{suffix}"
        new = folder / f"{stem}.{suffix}.new"
        new.write_bytes(halves[suffix])
        new.chmod(mode)
        new.rename(file)
