"""Ports of compose services, in all their spellings."""

from __future__ import annotations

from typing import Any

import pytest

from registry.importers.compose_ports import (
    PublishedPort,
    exposed_ports,
    port_records,
    published_ports,
)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("8080:80", [(80, 8080, "tcp")]),
        ("127.0.0.1:8080:80", [(80, 8080, "tcp")]),
        ("[::1]:8080:80", [(80, 8080, "tcp")]),
        ("5353:53/udp", [(53, 5353, "udp")]),
        ("5353:53/UDP", [(53, 5353, "udp")]),
        ("9000-9001:80-81", [(80, 9000, "tcp"), (81, 9001, "tcp")]),
        ("127.0.0.1:9000-9001:80-81/udp", [(80, 9000, "udp"), (81, 9001, "udp")]),
        ("80", [(80, None, "tcp")]),
        (80, [(80, None, "tcp")]),
        ("80-81", [(80, None, "tcp"), (81, None, "tcp")]),
        ("127.0.0.1::80", [(80, None, "tcp")]),
        ("8000-8009:80", [(80, None, "tcp")]),
        ({"target": 80, "published": 8080}, [(80, 8080, "tcp")]),
        ({"target": 80, "published": "8080", "protocol": "udp"}, [(80, 8080, "udp")]),
        ({"target": 80, "published": "8000-8009"}, [(80, None, "tcp")]),
        ({"target": 80}, [(80, None, "tcp")]),
    ],
)
def test_each_spelling_of_a_port_is_read(entry: Any, expected: list[tuple[Any, ...]]) -> None:
    found = [(port.target, port.published, port.protocol) for port in published_ports([entry])]
    assert found == expected


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        ({"80": "8080"}, "ports: must be a list"),
        (["a:80"], "'a' is not a port"),
        (["0:80"], "'0' is not a port"),
        (["80:70000"], "'70000' is not a port"),
        (["9-8:9-8"], "'9-8' is not a port"),
        (["8000-8001:80-82"], "not of one length"),
        (["1:2:3:4"], r"is not \[ADDRESS:\]"),
        (["[::1]:1:2:3"], r"is not \[ADDRESS:\]"),
        (["x]:1:2"], r"is not \[ADDRESS:\]"),
        (["80:80/icmp"], "the protocol must be one of"),
        ([{"published": 80}], "'None' is not a port"),
        ([True], "neither a text, a number nor a mapping"),
        ([None], "neither a text, a number nor a mapping"),
    ],
)
def test_what_is_no_port_is_refused(ports: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        published_ports(ports)


def test_a_service_without_ports_has_none() -> None:
    assert published_ports(None) == []
    assert exposed_ports(None) == []


def test_the_tcp_ports_of_expose_are_read_each_once() -> None:
    assert exposed_ports(["80", 81, "90-91/tcp", "53/udp", "80"]) == [80, 81, 90, 91]


def test_each_port_of_a_record_has_a_valid_name_of_its_own() -> None:
    ports = [
        PublishedPort(53, 5353),
        PublishedPort(53, 5353, "udp"),
        PublishedPort(80, 8080, name="the web!", app_protocol="https"),
        PublishedPort(81, 8081, "udp", app_protocol="http"),
        PublishedPort(82, 8082, app_protocol="grpc"),
    ]
    assert port_records("dns", ports) == [
        {"name": "dns-53", "port": 5353, "protocol": "tcp"},
        {"name": "dns-53-2", "port": 5353, "protocol": "udp"},
        {"name": "the-web", "port": 8080, "protocol": "https"},
        {"name": "dns-81", "port": 8081, "protocol": "udp"},
        {"name": "dns-82", "port": 8082, "protocol": "tcp"},
    ]
