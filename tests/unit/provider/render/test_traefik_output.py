"""The typed output: what Traefik would choke on is never encoded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from provider.render.traefik import Http, checked

ROUTER: dict[str, Any] = {
    "rule": 'Host("a.test")',
    "priority": 20_001,
    "entryPoints": ["web"],
    "service": "env-dev",
}
BALANCER: dict[str, Any] = {"servers": [{"url": "http://10.0.0.1:9000"}], "passHostHeader": True}


def http(
    router: dict[str, Any] | None = None,
    balancer: dict[str, Any] | None = None,
    middleware: dict[str, Any] | None = None,
) -> Any:
    """A section with one of each, of which something may be another."""
    return {
        "routers": {"env-dev.exact.web": {**ROUTER, **(router or {})}},
        "services": {"env-dev": {"loadBalancer": {**BALANCER, **(balancer or {})}}},
        "middlewares": {"env-dev.strip": middleware or {"stripPrefix": {"prefixes": ["/app"]}}},
    }


def encoded_order(value: Http) -> list[str]:
    """The keys of the router, as they would be written."""
    return list(value["routers"]["env-dev.exact.web"])


def test_what_traefik_takes_comes_out_as_it_is() -> None:
    tls = {"certResolver": "le", "domains": [{"main": "a.test", "sans": ["b.test"]}]}
    whole = http({"middlewares": ["auth@file"], "tls": tls}, {"serversTransport": "ca@file"})
    assert checked(whole) == whole
    assert checked(http(middleware={"addPrefix": {"prefix": "/base"}}))


def test_an_empty_tls_stays_since_it_means_something() -> None:
    assert checked(http({"tls": {}}))["routers"]["env-dev.exact.web"]["tls"] == {}


def test_the_order_of_the_keys_is_always_the_same() -> None:
    late = checked(http({"tls": {}, "middlewares": ["auth@file"]}))
    names = ["rule", "priority", "entryPoints", "middlewares", "service", "tls"]
    assert encoded_order(late) == names


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": ""},
        {"priority": 0},
        {"priority": 2**63},
        {"priority": "20001"},
        {"entryPoints": []},
        {"middlewares": []},
        {"middlewares": None},
        {"service": ""},
        {"tls": None},
        {"tls": {"domains": []}},
        {"tls": {"domains": [{"main": "a.test", "sans": []}]}},
        {"unknown": 1},
    ],
)
def test_a_router_that_traefik_would_refuse_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        checked(http(changes))


@pytest.mark.parametrize(
    "url",
    ["", "10.0.0.1:9000", "//10.0.0.1", "ftp://a", "http://a/path", "http://a?b", "http://me@a"],
)
def test_a_server_has_a_scheme_and_nothing_that_traefik_drops(url: str) -> None:
    with pytest.raises(ValidationError):
        checked(http(balancer={"servers": [{"url": url}]}))


@pytest.mark.parametrize(
    "middleware",
    [{"stripPrefix": {"prefixes": []}}, {"addPrefix": {"prefix": "/"}}, {"redirect": {}}],
)
def test_a_middleware_has_something_to_do(middleware: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        checked(http(middleware=middleware))


def test_a_service_has_servers() -> None:
    with pytest.raises(ValidationError):
        checked(http(balancer={"servers": []}))
