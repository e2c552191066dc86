"""What certificates are judged by: dates, names, and who may read the key. Pure."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal

from registry.names import covers

EXPIRING = timedelta(days=30)

DateStatus = Literal["ok", "expiring", "expired", "not_yet_valid"]


def status_of_dates(not_before: datetime | None, not_after: datetime, now: datetime) -> DateStatus:
    """How a certificate stands with time; one that ends within 30 days is expiring."""
    if not_after <= now:
        return "expired"
    if not_before is not None and not_before > now:
        return "not_yet_valid"
    return "expiring" if not_after - now <= EXPIRING else "ok"


def days_left(not_after: datetime, now: datetime) -> int:
    """Whole days until the end; below zero from the moment of the end."""
    return (not_after - now).days


def hosts_not_covered(names: Collection[str], hosts: Iterable[str]) -> list[str]:
    """The canonical hosts that none of a certificate's names is for, each once, in order.

    A wildcard is for one label (RFC 6125, 6.4.3), and for the wildcard host that reads like it.
    """
    others = (host for host in hosts if not any(covers(name, host) for name in names))
    return list(dict.fromkeys(others))


def is_readable_by_others(mode: int) -> bool:
    """Whether permission bits let everybody read, not only the owner and the group."""
    return bool(mode & stat.S_IROTH)
