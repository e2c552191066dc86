"""Whether a router of another provider catches one request: yes, no, or nobody can tell."""

from __future__ import annotations

import pytest

from provider.neighbours.conditions import Catch, catches, is_redirection
from provider.observe.facts import RouterFact


def router(
    rule: str, *, name: str = "other@file", tls: bool = True, status: str = "enabled"
) -> RouterFact:
    """A router on `websecure`."""
    return RouterFact(name, rule, 10, status, ("websecure",), tls=tls)


def caught(rule: str, host: str = "app.test", path: str = "/a/b", method: str | None = None) -> str:
    """yes, no or maybe."""
    return catches(router(rule), "websecure", True, host, path, method).value


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Host(`app.test`)", "yes"),
        ("host(`APP.Test.`)", "yes"),
        ("Host(`b.test`)", "no"),
        ("Host(`*.test`)", "maybe"),
        ("Host(`*.app.test`)", "no"),
        ("Host(`*`)", "maybe"),
        ("Host(`app.test`, `b.test`)", "maybe"),
        ("Path(`/a/b`)", "yes"),
        ("Path(`/a`)", "no"),
        ("PathPrefix(`/a`)", "yes"),
        ("PathPrefix(`/a/bc`)", "no"),
        ("PathPrefix(`/A`)", "no"),
        ("HostRegexp(`^.+$`)", "yes"),
        ("HostRegexp(`app`)", "maybe"),
        ("PathRegexp(`^/`)", "yes"),
        ("PathRegexp(`^/a`)", "maybe"),
        ("Header(`X-A`, `1`)", "maybe"),
        ("Query(`a`, `1`)", "maybe"),
        ("ClientIP(`10.0.0.0/8`)", "maybe"),
        ("HostSNI(`*`)", "no"),
        ("Unheard(`x`)", "maybe"),
        ("Host(`app.test`", "maybe"),
    ],
)
def test_each_matcher_decides_what_it_can(rule: str, expected: str) -> None:
    assert caught(rule) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("Host(`app.test`) && PathPrefix(`/x`)", "no"),
        ("Host(`app.test`) && HostRegexp(`x`)", "maybe"),
        ("Host(`b.test`) && HostRegexp(`x`)", "no"),
        ("Host(`app.test`) || HostRegexp(`x`)", "yes"),
        ("Host(`b.test`) || HostRegexp(`x`)", "maybe"),
        ("Host(`b.test`) || Host(`app.test`) && PathPrefix(`/a`)", "yes"),
        ("!Host(`b.test`)", "yes"),
        ("!PathPrefix(`/a`)", "no"),
        ("!HostRegexp(`x`)", "maybe"),
        ("!(Host(`b.test`) || PathPrefix(`/x`))", "yes"),
    ],
)
def test_conditions_combine_and_doubt_spreads_only_where_it_matters(
    rule: str, expected: str
) -> None:
    assert caught(rule) == expected


def test_a_method_is_decided_where_it_is_known() -> None:
    assert caught("Method(`get`)", method="GET") == "yes"
    assert caught("Method(`POST`)", method="GET") == "no"
    assert caught("Method(`GET`)") == "maybe"


def test_only_a_built_router_on_this_entrypoint_and_of_this_kind_has_a_say() -> None:
    rule = "Host(`app.test`)"
    assert catches(router(rule), "web", True, "app.test", "/") is Catch.NO
    assert catches(router(rule), "websecure", False, "app.test", "/") is Catch.NO
    assert catches(router(rule, tls=False), "websecure", True, "app.test", "/") is Catch.NO
    assert catches(router(rule, status="disabled"), "websecure", True, "app.test", "/") is Catch.NO
    assert catches(router(rule, status="warning"), "websecure", True, "app.test", "/") is Catch.YES


def test_a_regular_expression_that_would_take_for_ever_is_never_run() -> None:
    assert caught(r"HostRegexp(`^(a+)+$`)", host=f"{'a' * 60}.test") == "maybe"


def test_traefiks_own_redirection_of_an_entrypoint_is_told_from_its_other_routers() -> None:
    assert is_redirection(router("HostRegexp(`^.+$`)", name="web-to-websecure@internal"))
    assert not is_redirection(router("HostRegexp(`^.+$`)", name="web-to-websecure@file"))
    assert not is_redirection(router("PathPrefix(`/ping`)", name="ping@internal"))
    assert not is_redirection(router("PathPrefix(`/`)", name="dashboard@internal"))
