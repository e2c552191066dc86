"""The typed output: what Traefik would choke on cannot be made."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from provider.render.traefik import (
    AddPrefix,
    Domain,
    LoadBalancer,
    Middleware,
    Router,
    RouterTls,
    Server,
    StripPrefix,
)

ROUTER: dict[str, Any] = {
    "rule": 'Host("a.test")',
    "priority": 20_001,
    "entry_points": ("web",),
    "service": "env-dev",
}


def test_names_are_in_camel_case_and_what_is_none_is_left_out() -> None:
    assert Router(**ROUTER).as_json() == {
        "rule": 'Host("a.test")',
        "priority": 20_001,
        "entryPoints": ["web"],
        "service": "env-dev",
    }


def test_an_empty_tls_stays_since_it_means_something() -> None:
    assert Router(**ROUTER, tls=RouterTls()).as_json()["tls"] == {}


def test_tls_names_its_resolver_and_domains() -> None:
    tls = RouterTls(cert_resolver="le", domains=(Domain(main="a.test", sans=("b.test",)),))
    assert tls.as_json() == {
        "certResolver": "le",
        "domains": [{"main": "a.test", "sans": ["b.test"]}],
    }


def test_a_middleware_is_of_one_kind() -> None:
    assert Middleware(strip_prefix=StripPrefix(prefixes=("/app",))).as_json() == {
        "stripPrefix": {"prefixes": ["/app"]}
    }
    assert Middleware(add_prefix=AddPrefix(prefix="/base")).as_json() == {
        "addPrefix": {"prefix": "/base"}
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": ""},
        {"priority": 0},
        {"priority": 2**63},
        {"priority": "20001"},
        {"entry_points": ()},
        {"middlewares": ()},
        {"service": ""},
        {"unknown": 1},
    ],
)
def test_a_router_that_traefik_would_refuse_cannot_be_made(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Router(**{**ROUTER, **changes})


@pytest.mark.parametrize(
    "url",
    ["", "10.0.0.1:9000", "//10.0.0.1", "ftp://a", "http://a/path", "http://a?b", "http://me@a"],
)
def test_a_server_has_a_scheme_and_nothing_that_traefik_drops(url: str) -> None:
    with pytest.raises(ValidationError):
        Server(url=url)


def test_no_list_is_empty() -> None:
    for make in (
        lambda: LoadBalancer(servers=(), pass_host_header=True),
        lambda: StripPrefix(prefixes=()),
        lambda: AddPrefix(prefix="/"),
        lambda: Domain(main="a.test", sans=()),
        lambda: RouterTls(domains=()),
    ):
        with pytest.raises(ValidationError):
            make()
