"""Router rules: what a request must be, in Traefik v3's rule language, and how they rank.

Values are Go string literals in double quotes; names and paths passed an allow-list before, so
JSON needs no escape that Go does not know.
Source: traefik `pkg/muxer/http/matcher.go`, `pkg/rules/parser.go`.
"""

from __future__ import annotations

from collections.abc import Sequence
from json import JSONEncoder

PRIORITY_EXACT = 20_000
PRIORITY_WILDCARD = 10_000
_quoted = JSONEncoder().encode


def is_wildcard(host: str) -> bool:
    """Whether a canonical host pattern stands for one label and a rest."""
    return host.startswith("*.")


def rule(hosts: Sequence[str], path: str) -> str:
    """The rule for canonical hosts of one kind and a normal path."""
    alternatives = [_host(host) for host in hosts]
    matched = " || ".join(alternatives)
    if path == "/":
        return matched
    if len(alternatives) > 1:
        matched = f"({matched})"
    # PathPrefix is a raw string prefix: alone, /app would catch /application.
    return f"{matched} && (Path({_quoted(path)}) || PathPrefix({_quoted(path + '/')}))"


def priority(host: str, path: str) -> int:
    """Exact before wildcard, then the longer path: two that match one request never tie."""
    return (PRIORITY_WILDCARD if is_wildcard(host) else PRIORITY_EXACT) + len(path)


def _host(host: str) -> str:
    if not is_wildcard(host):
        return f"Host({_quoted(host)})"
    # Host("*.x") is a literal before Traefik 3.7; the regexp is understood by every v3.
    rest = host[2:].replace(".", r"\.")
    pattern = rf"^[^.]+\.{rest}\.?$"
    return f"HostRegexp({_quoted(pattern)})"
