"""What certificates are judged by: dates, names, permissions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provider.certificate_rules import (
    days_left,
    hosts_not_covered,
    is_readable_by_others,
    status_of_dates,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("begins", "ends", "status"),
    [
        (-DAY, 90 * DAY, "ok"),
        (-DAY, 30 * DAY + SECOND, "ok"),
        (-DAY, 30 * DAY, "expiring"),
        (-DAY, SECOND, "expiring"),
        (-DAY, 0 * DAY, "expired"),
        (SECOND, 90 * DAY, "not_yet_valid"),
        (0 * DAY, 90 * DAY, "ok"),
    ],
)
def test_a_certificate_stands_with_time(begins: timedelta, ends: timedelta, status: str) -> None:
    assert status_of_dates(NOW + begins, NOW + ends, NOW) == status


@pytest.mark.parametrize(
    ("left", "days"), [(90 * DAY, 90), (DAY - SECOND, 0), (0 * DAY, 0), (-SECOND, -1)]
)
def test_the_days_left_are_whole_ones(left: timedelta, days: int) -> None:
    assert days_left(NOW + left, NOW) == days


@pytest.mark.parametrize(
    ("names", "hosts", "others"),
    [
        (["a.test"], ["a.test"], []),
        (["a.test"], ["b.test", "b.test"], ["b.test"]),
        (["*.a.test"], ["x.a.test"], []),
        (["*.a.test"], ["a.test", "y.x.a.test"], ["a.test", "y.x.a.test"]),
        (["*.a.test"], ["*.a.test"], []),
        (["a.test", "x.a.test"], ["*.a.test"], ["*.a.test"]),
        (["192.0.2.1"], ["192.0.2.1", "192.0.2.2"], ["192.0.2.2"]),
        ([], ["a.test"], ["a.test"]),
    ],
)
def test_a_name_covers_its_host_and_a_wildcard_one_label(
    names: list[str], hosts: list[str], others: list[str]
) -> None:
    assert hosts_not_covered(names, hosts) == others


def test_the_group_may_read_a_key_and_others_may_not() -> None:
    assert [is_readable_by_others(mode) for mode in (0o600, 0o640, 0o644, 0o604)] == [
        False, False, True, True
    ]  # fmt: skip
