"""Which manual work is seen, of each kind; and when nobody can tell."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from provider.followups.derive import KINDS, derive, planned_without_dns
from provider.followups.values import Kind
from registry.entries import Entry, Fault, Place, PlacedError, RawRecord
from tests.records import environment, routed
from tests.unit.provider.followups.worlds import (
    dns,
    fault,
    found,
    pair,
    project,
    traefik,
    undecided,
    world,
)


def counted(seen: Any) -> int | None:
    """What is counted of a world."""
    return planned_without_dns(seen, derive(seen))


def planned(**more: Any) -> Any:
    return environment(lifecycle={"state": "planned"}, **more)


def test_each_kind_has_its_file() -> None:
    assert [find.__module__.rpartition(".")[2] for find in KINDS] == list(get_args(Kind))


def test_a_name_that_is_not_in_dns_is_work_for_its_owner() -> None:
    dev = environment(metadata={"dns_zones": ["test", "internal"], "traefik_router": "dev-router"})
    [task] = found(world(dev, dns=dns(dev_test="absent")), "dns_missing")
    assert task.subject.environment == "env-dev"
    assert task.action == (
        "Make a DNS record for dev.test (DNS zones: test, internal; Traefik router: dev-router)."
    )
    assert (task.severity, task.owner and task.owner["name"]) == ("high", "Ines Okafor")


@pytest.mark.parametrize("seen", [{}, dns(dev_test="failed")])
def test_a_name_that_could_not_be_looked_up_is_undecided(seen: Any) -> None:
    assert found(world(environment(), dns=seen), "dns_missing") == []
    [each] = undecided(world(environment(), dns=seen), "dns_missing")
    assert (each.environment, each.about) == ("env-dev", "dev.test")


def test_every_router_host_is_looked_at_and_an_address_is_no_name() -> None:
    dev = routed(hostnames=["a.test", "*.b.test"])
    names = [each.about for each in undecided(world(dev), "dns_missing")]
    assert names == ["dev.test", "a.test", "*.b.test"]
    assert undecided(world(environment(host={"hostname": "10.0.0.1"})), "dns_missing") == []


def test_what_is_planned_can_wait_and_what_is_retired_needs_nothing() -> None:
    seen = dns(dev_test="absent")
    [task] = found(world(planned(), dns=seen), "dns_missing")
    assert task.severity == "medium"
    retired = environment(lifecycle={"state": "retired"})
    assert found(world(retired, dns=seen), "dns_missing") == []


def test_a_name_that_leads_elsewhere_than_to_the_hosts_address() -> None:
    dev = environment(host={"ip": "192.0.2.1"})
    assert found(world(dev, dns=dns(dev_test=["192.0.2.1", "192.0.2.9"])), "dns_elsewhere") == []
    [task] = found(world(dev, dns=dns(dev_test=["192.0.2.9"])), "dns_elsewhere")
    assert task.action == "Point dev.test to 192.0.2.1."
    assert task.evidence["addresses"] == ["192.0.2.9"]


def test_a_routers_name_is_to_lead_to_traefik_where_its_addresses_are_known() -> None:
    dev = routed(hostnames=["app.test"])
    seen = dns(app_test=["192.0.2.7"], dev_test=["192.0.2.7"])
    [task] = found(world(dev, dns=seen, traefik_addresses=("192.0.2.1",)), "dns_elsewhere")
    assert task.subject.about == "app.test", "the machine's own name is another matter"
    assert found(world(dev, dns=seen), "dns_elsewhere") == [], "nobody says where it should"


def test_planned_environments_without_dns_are_counted_once_somebody_looked() -> None:
    one, two = planned(slug="one"), planned(slug="two")
    assert counted(world(one, two)) is None
    assert counted(world(one, two, dns=dns(one_test="failed"))) is None
    seen = dns(one_test="absent", two_test=["192.0.2.1"])
    assert counted(world(one, two, dns=seen)) == 1
    assert counted(world()) == 0


def test_a_tls_host_without_any_certificate_for_it() -> None:
    [task] = found(world(routed()), "certificate_missing")
    assert task.evidence == {
        "hosts": ["dev.test"], "problem": "the record names no certificate",
    }  # fmt: skip
    assert "dev.test" in task.action


@pytest.mark.parametrize(
    "more",
    [
        {"own": {"env-other": pair("*.test")}},
        {"own": {"env-other": pair("dev.test")}},
        {"has_resolver": True},
    ],
)
def test_a_certificate_of_another_environment_or_a_resolver_will_do(more: Any) -> None:
    assert found(world(routed(), **more), "certificate_missing") == []


def test_a_plain_route_needs_no_certificate() -> None:
    assert found(world(routed(entrypoints=["web"])), "certificate_missing") == []


@pytest.mark.parametrize(
    ("days", "severity"), [(31, None), (29, "low"), (6, "medium"), (0.5, "high"), (-3, "high")]
)
def test_a_certificate_that_ends(days: float, severity: str | None) -> None:
    dev = routed(tls={"cert_file": "dev.crt", "key_file": "dev.key"})
    tasks = found(world(dev, own={"env-dev": pair("dev.test", days=days)}), "certificate_expiring")
    assert [task.severity for task in tasks] == ([severity] if severity else [])


def test_a_certificate_that_is_not_for_a_host() -> None:
    dev = routed(hostnames=["a.test", "b.test"], tls={"cert_file": "x.crt", "key_file": "x.key"})
    [task] = found(world(dev, own={"env-dev": pair("a.test")}), "certificate_not_covering")
    assert task.evidence == {"file": "x.crt", "hosts": ["b.test"], "names": ["a.test"]}


def test_a_key_of_another_certificate() -> None:
    from provider.render.fragment import OwnCertificate

    dev = routed(tls={"cert_file": "x.crt", "key_file": "x.key"})
    own = {"env-dev": OwnCertificate(None, "x.key is not the key of x.crt", is_mismatch=True)}
    [task] = found(world(dev, own=own), "key_mismatch")
    assert (task.severity, task.action) == ("high", "Replace x.key by the key of x.crt, or both.")


def test_credentials_that_are_not_said_to_be_in_place() -> None:
    listed = [
        {"name": "DB", "vault": "ops", "ref": "db/dev", "ready": False},
        {"name": "MAIL", "ready": True},
        {"name": "", "ready": False}, "nonsense", {"ref": 3},
    ]  # fmt: skip
    dev = environment(metadata={"credentials": listed})
    required = [
        {"name": "API_KEY", "required": True, "secret": True},
        {"name": "MAIL", "required": True, "secret": True},
        {"name": "LEVEL", "required": True, "secret": False},
    ]
    tasks = found(world(dev, projects=project(env_vars=required)), "credential_missing")
    assert {task.subject.about for task in tasks} == {"DB", "API_KEY"}
    assert "(vault ops, ref db/dev)" in tasks[0].action


def test_a_value_of_a_credential_is_never_told() -> None:
    listed = [{"name": "DB", "value": "s3cret", "password": "s3cret", "ready": "s3cret"}]
    dev = environment(metadata={"credentials": listed})
    [task] = found(world(dev), "credential_missing")
    assert "s3cret" not in repr(task)


def test_health_that_nobody_looked_at_for_too_long() -> None:
    from datetime import timedelta

    from tests.unit.provider.followups.worlds import NOW

    dev = environment()
    assert len(found(world(dev), "health_stale")) == 1

    def recent(_environment: Any) -> Any:
        return NOW - timedelta(hours=1)

    def late(_environment: Any) -> Any:
        return NOW - timedelta(days=2)

    assert found(world(dev, checked_at=recent), "health_stale") == []
    assert len(found(world(dev, checked_at=late), "health_stale")) == 1
    assert found(world(planned()), "health_stale") == []


@pytest.mark.parametrize(
    ("contact", "count"),
    [
        ({"name": "Ines Okafor"}, 0),
        ({"name": "ines okafor ", "email": "x@y.test"}, 0),
        ({"name": "Somebody", "email": "x@y.test"}, 1),
    ],
)
def test_an_owner_who_is_no_contact_of_the_workspace(contact: Any, count: int) -> None:
    seen = world(environment(), projects=project(contacts=[contact]))
    assert len(found(seen, "owner_unknown")) == count
    assert found(world(environment(), projects=project()), "owner_unknown") == []


def test_a_claim_that_another_environment_holds() -> None:
    one, two = routed("one", hostnames=["x.test"]), routed("two", hostnames=["x.test"])
    [task] = found(world(one, two), "claim_lost")
    assert (task.subject.environment, task.evidence["holder"]) == ("env-two", "env-one")


def test_a_broken_record_by_the_name_that_it_claims() -> None:
    errors = (PlacedError("/slug", "must be text", Place("environments.json", 7, 3)),)
    broken = Entry(RawRecord("x", "{"), None, Fault("invalid_record", errors, None, "dev"))
    [task] = found(world(entries=(broken,)), "record_quarantined")
    assert task.subject.environment == "dev"
    assert task.action == "Mend the record dev in the catalogue, at environments.json:7:3."


def test_a_router_that_traefik_refuses() -> None:
    seen = world(routed(), traefiks=(traefik(fault("env-dev", 'entryPoint "x" doesn\'t exist')),))
    [task] = found(seen, "router_refused")
    assert task.evidence["words"] == ['entryPoint "x" doesn\'t exist']
    assert found(seen, "middleware_missing") == []


def test_a_middleware_that_traefik_does_not_have() -> None:
    words = 'middleware "login@file" does not exist'
    faults = fault("env-dev", words), fault("env-dev", words)
    seen = world(routed(), traefiks=(traefik(*faults),))
    [task] = found(seen, "middleware_missing")
    assert task.subject.about == "login@file"
    assert found(seen, "router_refused") == []


def test_while_a_traefik_is_away_nothing_it_said_is_taken_back() -> None:
    seen = world(routed(), traefiks=(traefik(problem="nothing answers"),))
    [each] = undecided(seen, "router_refused")
    assert (each.environment, each.about) == (None, None)
    assert undecided(world(routed()), "router_refused") == []


def test_the_same_thing_seen_later_is_the_same_evidence() -> None:
    dev = routed(tls={"cert_file": "dev.crt", "key_file": "dev.key"})
    one, other = (
        found(world(dev, own={"env-dev": pair("dev.test", days=days)}), "certificate_expiring")[0]
        for days in (29, 28)
    )
    assert one.evidence["step"] == other.evidence["step"]
    assert one.subject.task_id == other.subject.task_id
