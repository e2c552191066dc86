"""Whether a router catches a request, with "may" wherever only a regular expression could tell.

A regular expression of others is never run: it is compared with the few that mean "everything".
Source: traefik `pkg/muxer/http/matcher.go`, `pkg/muxer/http/mux.go` (the routing path).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from provider.observe.facts import RouterFact
from registry.names import covers
from registry.traefik_rule import And, Matcher, Not, Rule, RuleFault, parse_rule

_ANY_TEXT = frozenset({".*", "^.*", ".*$", "^.*$", "^", "$", ""})
_ANY_HOST = _ANY_TEXT | {".+", "^.+", ".+$", "^.+$"}
_ANY_PATH = _ANY_HOST | {"^/", "/", "^/.*", "^/.*$", "/.*", "/.*$"}
_OF_TCP = frozenset({"HostSNI", "HostSNIRegexp", "ALPN"})


class Catch(Enum):
    """Whether a request goes to a router, when none goes before it."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"

    @property
    def contrary(self) -> Catch:
        """What `!` makes of it."""
        return _CONTRARY[self]


_CONTRARY = {Catch.YES: Catch.NO, Catch.NO: Catch.YES, Catch.MAYBE: Catch.MAYBE}


@dataclass(frozen=True, slots=True)
class Request:
    """What rules look at. `host` is canonical, `path` is Traefik's routing path: cleaned, with
    only reserved characters escaped. A `method` of None is not known."""

    host: str
    path: str
    method: str | None = None


def catches(
    router: RouterFact, entrypoint: str, tls: bool, host: str, path: str, method: str | None = None
) -> Catch:
    """Whether the router catches this request, whatever the others do."""
    if not is_on(router, entrypoint, tls):
        return Catch.NO
    return decide(rule_of(router), Request(host, path, method))


def is_on(router: RouterFact, entrypoint: str, tls: bool) -> bool:
    """Whether a router that was built has a say on this kind of connection."""
    return router.status != "disabled" and router.tls is tls and entrypoint in router.entrypoints


def rule_of(router: RouterFact) -> Rule | None:
    """Its rule as a value; None where it is beyond us, so that anything may be caught."""
    try:
        return parse_rule(router.rule)
    except RuleFault:
        return None


def is_redirection(router: RouterFact) -> bool:
    """Whether it is the static redirection of a whole entrypoint to another one.

    Source: traefik `pkg/provider/traefik/internal.go` (`web-to-websecure@internal`).
    """
    local, _, provider = router.name.rpartition("@")
    rule = rule_of(router) if provider == "internal" and "-to-" in local else None
    return isinstance(rule, Matcher) and decide(rule, Request("host", "/")) is Catch.YES


def decide(rule: Rule | None, request: Request) -> Catch:
    """Whether the rule holds for the request."""
    if rule is None:
        return Catch.MAYBE
    if isinstance(rule, Matcher):
        return _matches(rule, request)
    if isinstance(rule, Not):
        return decide(rule.part, request).contrary
    parts = (decide(part, request) for part in rule.parts)
    return all_of(parts) if isinstance(rule, And) else _any_of(parts)


def all_of(each: Iterable[Catch]) -> Catch:
    """What several conditions together are."""
    outcome = Catch.YES
    for one in each:
        if one is Catch.NO:
            return one
        if one is Catch.MAYBE:
            outcome = one
    return outcome


def _any_of(each: Iterable[Catch]) -> Catch:
    return all_of(one.contrary for one in each).contrary


def matchers_of(rule: Rule) -> Iterator[Matcher]:
    """Every matcher in a rule."""
    if isinstance(rule, Matcher):
        yield rule
    else:
        for part in (rule.part,) if isinstance(rule, Not) else rule.parts:
            yield from matchers_of(part)


def plain_host(text: str) -> str:
    """An argument of Host as Traefik compares it: any case, one trailing dot tolerated."""
    return text.lower().removesuffix(".")


def _matches(matcher: Matcher, request: Request) -> Catch:
    if matcher.name in _OF_TCP:
        return Catch.NO  # such a router is not built
    if len(matcher.args) != 1:
        return Catch.MAYBE
    argument = matcher.args[0]
    match matcher.name:
        case "Host":
            return _host(argument, request.host)
        case "HostRegexp":
            return Catch.YES if argument in _ANY_HOST else Catch.MAYBE
        case "Path":
            return _sure(request.path == argument)
        case "PathPrefix":
            return _sure(request.path.startswith(argument))
        case "PathRegexp":
            return Catch.YES if argument in _ANY_PATH else Catch.MAYBE
        case "Method" if request.method is not None:
            return _sure(request.method == argument.upper())
    return Catch.MAYBE


def _host(argument: str, host: str) -> Catch:
    pattern = plain_host(argument)
    if pattern == host:
        return Catch.YES
    # A wildcard, `*` alone too, since Traefik 3.7; a literal that no host equals before.
    if pattern == "*" or (pattern.startswith("*.") and covers(pattern, host)):
        return Catch.MAYBE
    return Catch.NO


def _sure(holds: bool) -> Catch:
    return Catch.YES if holds else Catch.NO
