"""Rules and priorities: what each must match and must not, and which goes first."""

from __future__ import annotations

from typing import Any

import pytest

from provider.render.rules import PRIORITY_EXACT, PRIORITY_WILDCARD, is_wildcard, priority, rule
from tests.unit.provider.render.matching import Request, takes


def matches(hosts: list[str], path: str, request_host: str, request_path: str) -> bool:
    """Whether a router with this rule takes the request."""
    router: dict[str, Any] = {"rule": rule(hosts, path), "entryPoints": ["web"]}
    return takes(router, Request(request_host, request_path, "web", secure=False))


def test_one_host_at_the_root_is_a_host_alone() -> None:
    assert rule(["app.test"], "/") == 'Host("app.test")'


def test_several_hosts_at_the_root_need_no_brackets() -> None:
    assert rule(["a.test", "b.test"], "/") == 'Host("a.test") || Host("b.test")'


def test_several_hosts_are_bracketed_before_a_path() -> None:
    assert rule(["a.test", "b.test"], "/app") == (
        '(Host("a.test") || Host("b.test")) && (Path("/app") || PathPrefix("/app/"))'
    )


def test_a_wildcard_is_a_regexp_with_escaped_dots_in_a_go_string() -> None:
    assert rule(["*.app.test"], "/") == r'HostRegexp("^[^.]+\\.app\\.test\\.?$")'


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("www.app.test", True),
        ("www.app.test.", True),
        ("www-1.app.test", True),
        ("app.test", False),
        (".app.test", False),
        ("a.www.app.test", False),
        ("www.app.test.evil.test", False),
        ("www.appxtest", False),
        ("www.app.tests", False),
    ],
)
def test_a_wildcard_matches_one_label_and_nothing_around_it(host: str, taken: bool) -> None:
    assert matches(["*.app.test"], "/", host, "/") is taken


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/app", True),
        ("/app/", True),
        ("/app/x", True),
        ("/application", False),
        ("/app;v=1", False),
        ("/app%2Fx", False),
        ("/App", False),
        ("/", False),
        ("/x/app", False),
    ],
)
def test_a_path_matches_itself_and_what_is_below(path: str, taken: bool) -> None:
    assert matches(["app.test"], "/app", "app.test", path) is taken


def test_a_path_holds_for_every_host_of_its_rule() -> None:
    for host in ("a.test", "b.test"):
        assert matches(["a.test", "b.test"], "/app", host, "/app/x")
        assert not matches(["a.test", "b.test"], "/app", host, "/other")


def test_values_are_quoted_even_though_they_passed_an_allow_list() -> None:
    assert rule(['a"b'], "/") == r'Host("a\"b")'


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("app.test", "/"), ("*.test", "/")),
        (("app.test", "/"), ("*.test", "/" + "x" * 1999)),
        (("app.test", "/app"), ("app.test", "/")),
        (("app.test", "/app/x"), ("app.test", "/app")),
        (("*.test", "/app"), ("*.test", "/")),
    ],
)
def test_exact_goes_before_wildcard_and_then_the_longer_path(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    assert priority(*first) > priority(*second)


def test_priorities_leave_room_above_and_below_for_an_operators_own() -> None:
    longest = "/" + "x" * 1999
    assert 0 < PRIORITY_WILDCARD < priority("*.a.test", longest) < PRIORITY_EXACT
    assert priority("a.test", longest) < 30_000
    assert (priority("a.test", "/"), priority("*.a.test", "/app")) == (20_001, 10_004)


def test_the_length_of_hosts_has_no_say() -> None:
    assert priority("a.test", "/") == priority("a-very-long-name.example.test", "/")


def test_only_a_leading_star_label_is_a_wildcard() -> None:
    assert is_wildcard("*.test")
    assert not is_wildcard("test")
