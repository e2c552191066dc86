"""Which names DNS is asked for, and how a name server is written."""

from __future__ import annotations

from typing import Any

import pytest

from provider.observe.names import name_server, names_to_look_up
from registry.schema import Environment
from tests.safety.records import record


def names(*records: dict[str, Any]) -> tuple[str, ...]:
    """The names of these records."""
    return names_to_look_up(map(Environment.model_validate, records))


def with_hosts(slug: str, *hosts: str, state: str = "active") -> dict[str, Any]:
    """A record that is routed for these hosts."""
    section = {"service_url": "http://10.0.0.1:9000", "hostnames": list(hosts)}
    return record(slug, lifecycle={"state": state}, metadata={"router": section})


def test_the_host_and_every_host_name_of_the_router_each_once() -> None:
    found = names(with_hosts("a", "A.test.", "x.test", "*.y.test"), with_hosts("b", "x.test"))
    assert found == ("a.test", "x.test", "*.y.test", "b.test")


def test_a_router_without_host_names_has_that_of_the_host() -> None:
    assert names(record("a")) == ("a.test",)


def test_a_record_without_a_router_has_its_host() -> None:
    assert names(record("a", metadata={})) == ("a.test",)


@pytest.mark.parametrize("state", ["planned", "active", "maintenance"])
def test_everything_that_is_not_retired_counts(state: str) -> None:
    assert names(with_hosts("a", "x.test", state=state)) == ("a.test", "x.test")


def test_what_is_retired_does_not() -> None:
    assert names(with_hosts("a", "x.test", state="retired")) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:53", ("192.0.2.1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_is_an_address_and_a_port(text: str, expected: tuple[str, int]) -> None:
    assert name_server(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "192.0.2.1", "ns.test:53", "::1:53", "[192.0.2.1]:53", "192.0.2.1:0", "192.0.2.1:65536",
     "192.0.2.1:x", "[fe80::1%eth0]:53", "[]:53", ":53"],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address|has no port"):
        name_server(text)
