"""The counts of `/api/health`: of what is in force, and of what is left out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from provider.metrics import environment_metrics
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import assemble
from provider.render.fragment import OwnCertificate, Pair
from registry.entries import Entry, Fault, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import NEW, environment, routed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY_S = 86_400.0


def counts(
    *environments: Environment,
    faults: int = 0,
    certificates: Iterable[OwnCertificate] = (),
    stale_health_s: float = DAY_S,
) -> dict[str, Any]:
    """The counts of these, and of broken records beside them."""
    entries = [Entry(RawRecord("", ""), each) for each in environments]
    broken = [Entry(RawRecord("", ""), None, Fault("invalid_record", ()))] * faults
    document = assemble(Compiler(Rules()).compile_all(environments))
    snapshot = Snapshot((*entries, *broken))
    return environment_metrics(snapshot, document, certificates, NOW, stale_health_s)


def checked(slug: str, ago: timedelta | None, state: str = "active") -> Environment:
    """An environment that was checked so long ago."""
    at = None if ago is None else (NOW - ago).isoformat()
    health = {"status": "healthy", "checked_at": at}
    return environment(slug=slug, health=health, lifecycle={"state": state})


def certificate(fingerprint: str, left: timedelta) -> OwnCertificate:
    """A certificate that has so long to go."""
    return OwnCertificate(Pair(fingerprint, (fingerprint,), NOW + left, "c", "k"))


def test_an_empty_catalogue_has_every_count_at_zero() -> None:
    assert counts() == {
        "total": 0,
        "by_state": {"planned": 0, "active": 0, "maintenance": 0, "retired": 0},
        "by_health": dict.fromkeys(("unknown", "healthy", "degraded", "maintenance", "offline"), 0),
        "stale_health_checks": 0,
        "planned_without_dns": None,
        "routed": 0,
        "quarantined": 0,
        "conflicted": 0,
        "certificates_expiring": 0,
    }


def test_nothing_is_routed_before_the_first_document() -> None:
    metrics = environment_metrics(Snapshot(), None, (), NOW, DAY_S)
    assert (metrics["routed"], metrics["conflicted"]) == (0, 0)


def test_environments_are_counted_by_state_and_by_health() -> None:
    several = [
        environment(slug="a"),
        environment(slug="b", lifecycle={"state": "planned"}, health={"status": "offline"}),
        environment(slug="c", lifecycle={"state": "planned"}),
    ]
    metrics = counts(*several)
    assert metrics["total"] == 3
    assert metrics["by_state"]["planned"] == 2
    assert metrics["by_state"]["active"] == 1
    assert metrics["by_health"]["offline"] == 1
    assert metrics["by_health"]["unknown"] == 2


@pytest.mark.parametrize(
    ("ago", "stale"),
    [
        (timedelta(hours=23), 0),
        (timedelta(days=1), 0),
        (timedelta(days=1, seconds=1), 1),
        (None, 1),
        (-timedelta(hours=1), 0),
    ],
)
def test_a_check_is_stale_after_its_time_or_when_there_never_was_one(
    ago: timedelta | None, stale: int
) -> None:
    assert counts(checked("a", ago))["stale_health_checks"] == stale


def test_the_time_that_makes_a_check_stale_can_be_set() -> None:
    check = checked("a", timedelta(minutes=2))
    assert counts(check, stale_health_s=60)["stale_health_checks"] == 1
    assert counts(check, stale_health_s=180)["stale_health_checks"] == 0


@pytest.mark.parametrize(
    ("state", "stale"), [("planned", 0), ("retired", 0), ("active", 1), ("maintenance", 1)]
)
def test_where_nothing_answers_no_check_can_be_stale(state: str, stale: int) -> None:
    assert counts(checked("a", None, state))["stale_health_checks"] == stale


def test_routed_are_those_with_a_route_in_the_document() -> None:
    metrics = counts(
        routed("a"), environment(slug="b"), routed("c", service_url="http://[fe80::1]")
    )
    assert metrics["routed"] == 1


def test_who_lost_a_claim_is_conflicted_and_counted_once() -> None:
    hosts = {"hostnames": ["a.test", "b.test"], "entrypoints": ["web", "websecure"]}
    metrics = counts(routed("old", **hosts), routed("young", NEW, **hosts))
    assert (metrics["routed"], metrics["conflicted"]) == (1, 1)


def test_broken_records_are_quarantined() -> None:
    assert counts(environment(), faults=2)["quarantined"] == 2


@pytest.mark.parametrize(
    ("left", "expiring"),
    [(timedelta(days=31), 0), (timedelta(days=29), 1), (-timedelta(days=1), 1)],
)
def test_a_certificate_is_expiring_30_days_before_its_end(left: timedelta, expiring: int) -> None:
    metrics = counts(certificates=[certificate("aa", left)])
    assert metrics["certificates_expiring"] == expiring


def test_a_certificate_that_two_records_name_counts_once() -> None:
    soon = timedelta(days=1)
    several = [certificate("aa", soon), certificate("aa", soon), certificate("bb", soon)]
    assert counts(certificates=[*several, OwnCertificate(None, "x")])["certificates_expiring"] == 2
