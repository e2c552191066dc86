"""What a Traefik rule claims: hosts and the paths below which they are taken, or why it cannot be.

A record has hosts and one path prefix. What asks for more is refused whole: a record without the
condition would let in what the rule kept out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from registry.importers.traefik_shapes import LeftOut, shown
from registry.names import canonical_pattern
from registry.router_spec import normal_path
from registry.traefik_rule import Alternative, Matcher, RuleFault, alternatives, parse_rule

_HOSTS = ("Host", "HostRegexp")
_PATHS = ("Path", "PathPrefix")
_ONE_LABEL = re.compile(
    r"\^\[(?:\^\.|a-z0-9-)\]\+((?:\\\.[a-z0-9_-]+)+)(?:\\\.\?)?\$",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A normal path and the hosts that have it; `remarks` say how it differs from the rule."""

    path: str
    hosts: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Condition:
    exact: bool
    path: str


def claims_of(rule: str) -> tuple[Claim, ...]:
    """The claims of a rule, one a path, in the rule's order. Raises LeftOut."""
    try:
        found = alternatives(parse_rule(rule))
    except RuleFault as fault:
        raise LeftOut(f"its rule is not understood: {fault}") from fault
    conditions: dict[str, list[_Condition]] = {}
    for alternative in found:
        hosts, paths = _parts(alternative)
        for host in hosts:
            conditions.setdefault(host, []).extend(paths)
    return _by_path(conditions)


def _by_path(conditions: dict[str, list[_Condition]]) -> tuple[Claim, ...]:
    hosts: dict[str, list[str]] = {}
    remarks: dict[str, dict[str, None]] = {}
    for host, asked in conditions.items():
        for path, remark in _prefixes(asked):
            hosts.setdefault(path, []).append(host)
            remarks.setdefault(path, {}).update({remark: None} if remark else {})
    return tuple(Claim(path, tuple(having), tuple(remarks[path])) for path, having in hosts.items())


def _parts(alternative: Alternative) -> tuple[Sequence[str], Sequence[_Condition]]:
    for matcher, negated in alternative:
        if negated or matcher.name not in (*_HOSTS, *_PATHS):
            raise LeftOut(
                f"a record cannot say {'!' if negated else ''}{shown(matcher.name)}(…), "
                "and without it would let in more requests than the rule does"
            )
    hosts = [matcher for matcher, _ in alternative if matcher.name in _HOSTS]
    paths = [matcher for matcher, _ in alternative if matcher.name in _PATHS]
    if not hosts:
        raise LeftOut("its rule takes requests of every host; a record is for hosts of its own")
    if len(hosts) > 1 or len(paths) > 1:
        raise LeftOut("its rule asks for two hosts, or two paths, at once")
    return list(_hosts(hosts[0])), list(_conditions(paths))


def _hosts(matcher: Matcher) -> Iterator[str]:
    # Several arguments are alternatives, as in Traefik v2.
    for arg in matcher.args:
        pattern = _wildcard(arg) if matcher.name == "HostRegexp" else arg
        try:
            yield canonical_pattern(pattern)
        except ValueError as error:
            raise LeftOut(f"{matcher.name}: {error}") from error


def _wildcard(regexp: str) -> str:
    match = _ONE_LABEL.fullmatch(regexp)
    if match is None:
        raise LeftOut(
            f"HostRegexp({shown(regexp)}) is not exactly one label below a name, which is all that "
            r"a record's *.x.test can say (^[^.]+\.x\.test$)"
        )
    return "*" + match[1].replace("\\", "")


def _conditions(paths: Sequence[Matcher]) -> Iterator[_Condition]:
    if not paths:
        yield _Condition(exact=False, path="/")
    for matcher in paths:
        for arg in matcher.args:
            yield _Condition(matcher.name == "Path", arg)


def _prefixes(asked: Sequence[_Condition]) -> Iterator[tuple[str, str | None]]:
    exact = {condition.path for condition in asked if condition.exact}
    raw = dict.fromkeys(condition.path for condition in asked if not condition.exact)
    for path in sorted(exact):
        if not any(path.startswith(prefix) or f"{path}/" == prefix for prefix in raw):
            raise LeftOut(
                f"Path({shown(path)}) takes one path only; a record takes all below it as well"
            )
    for prefix in raw:
        path = normal_path(prefix)
        if prefix == path == "/":
            yield path, None
        elif path == "/":
            raise LeftOut(f"PathPrefix({shown(prefix)}) is no path that Traefik could match")
        elif prefix == path:
            yield path, f"PathPrefix({path}) also took {path}xyz; the record takes {path} and below"
        elif prefix == f"{path}/":
            if path not in raw:
                yield path, None if path in exact else f"the record also takes {path} itself"
        else:
            raise LeftOut(f"PathPrefix({shown(prefix)}) is no path that Traefik could match")
