"""A router's middlewares as a record has them: names of the file's own, and the strip prefix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from registry.importers.traefik_shapes import LeftOut, field_of, shown

_UNREACHABLE = ("http", "internal")
# Those that do the same whatever the path is, so that the prefix may come off after them.
_PATH_BLIND = frozenset(
    {"basicauth", "buffering", "compress", "headers", "inflightreq", "ipallowlist", "ratelimit"}
)


@dataclass(frozen=True, slots=True)
class Before:
    """What a request passes before the service: qualified names, then perhaps the strip."""

    names: tuple[str, ...]
    strips: bool


def middlewares_before(path: str, given: Sequence[str], defined: Mapping[Any, Any]) -> Before:
    """The middlewares of a router for one normal path. Raises LeftOut.

    The record strips last; a strip before what sees the path stays a middleware of the file.
    """
    strip = _strip_index(path, given, defined)
    kept = [name for index, name in enumerate(given) if index != strip]
    return Before(tuple(_qualified(name) for name in kept), strip is not None)


def _strip_index(path: str, given: Sequence[str], defined: Mapping[Any, Any]) -> int | None:
    if path == "/":
        return None
    for index in range(len(given) - 1, -1, -1):
        body = _defined(given[index], defined)
        if _strips_just(path, body):
            return index
        if not _is_path_blind(body):
            return None
    return None


def _is_path_blind(body: Mapping[Any, Any]) -> bool:
    kinds = {str(key).lower() for key in body}
    return bool(kinds) and kinds <= _PATH_BLIND


def _strips_just(path: str, body: Mapping[Any, Any]) -> bool:
    strip = field_of(body, "stripPrefix")
    if len(body) != 1 or not isinstance(strip, Mapping):
        return False
    prefixes = field_of(strip, "prefixes")
    return prefixes in (path, f"{path}/", [path], [f"{path}/"])


def _defined(reference: str, defined: Mapping[Any, Any]) -> Mapping[Any, Any]:
    name, _, provider = reference.partition("@")
    body = defined.get(name) if provider in ("", "file") else None
    return body if isinstance(body, Mapping) else {}


def _qualified(reference: str) -> str:
    name, _, provider = reference.partition("@")
    if provider in _UNREACHABLE:
        raise LeftOut(f"a record cannot name the middleware {shown(reference)}")
    return reference if provider else f"{name}@file"
