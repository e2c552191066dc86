"""The JSON of Traefik's API as facts: what is needed is checked, everything else is passed over.

Source: traefik `pkg/api/handler_http.go`, `handler_entrypoint.go`, `handler_certificates.go`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from provider.observe.facts import CertificateFact, EntryPoint, RouterFact, ServiceFact
from provider.render.document import MARKER
from registry.fields import parse_instant

_MARKER = re.compile(rf"{MARKER}([0-9a-f]{{16}})@http")
_WORDS_MAX = 500


class Nonsense(ValueError):
    """An answer that Traefik's API does not give."""


def version_of(answer: Any) -> tuple[str, str | None]:
    """The version, and when it started: another start is another process."""
    answer = _object(answer)
    return _text(answer, "Version"), answer.get("startDate")


def router_count(overview: Any) -> int:
    """How many routers it has, of all providers."""
    http = _object(_object(_object(overview).get("http")).get("routers"))
    return _number(http.get("total"))


def digest_in(middlewares: Any) -> str | None:
    """The digest of the document that is live, by the marker among the middlewares."""
    for item in _objects(middlewares):
        found = _MARKER.fullmatch(_text(item, "name"))
        if found and _object(item.get("addPrefix")).get("prefix") == "/routebook":
            return found.group(1)
    return None


def routers_in(answer: Any) -> Iterator[RouterFact]:
    """The routers of a list."""
    for item in _objects(answer):
        yield RouterFact(
            name=_text(item, "name"),
            rule=str(item.get("rule", "")),
            priority=_priority(item),
            status=str(item.get("status", "")),
            entrypoints=_texts(item.get("using") or item.get("entryPoints")),
            service=str(item.get("service", "")),
            tls=item.get("tls") is not None,
            errors=_words(item),
        )


def services_in(answer: Any) -> Iterator[ServiceFact]:
    """The services of a list."""
    for item in _objects(answer):
        yield ServiceFact(_text(item, "name"), str(item.get("status", "")), _words(item))


def names_in(answer: Any) -> Iterator[str]:
    """The names of a list."""
    for item in _objects(answer):
        yield _text(item, "name")


def entrypoints_in(answer: Any) -> Iterator[EntryPoint]:
    """The static entrypoints."""
    for item in _objects(answer):
        http, address = _object(item.get("http") or {}), str(item.get("address", ""))
        redirections = _object(http.get("redirections") or {})
        target = _object(redirections.get("entryPoint") or {}).get("to")
        yield EntryPoint(
            name=_text(item, "name"),
            address=address,
            port=_port(address),
            tls=http.get("tls") is not None,
            redirects_to=str(target) if target else None,
            middlewares=_texts(http.get("middlewares")),
        )


def certificates_in(answer: Any) -> Iterator[CertificateFact]:
    """The loaded certificates."""
    for item in _objects(answer):
        yield CertificateFact(
            fingerprint=str(item.get("certFingerprint") or item.get("name") or "").lower(),
            names=_texts(item.get("sans")),
            not_after=_instant(item.get("notAfter")),
            status=str(item.get("status", "")),
        )


def _objects(answer: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(answer, list):
        raise Nonsense("not a list")
    yield from map(_object, answer)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Nonsense("not an object")
    return value


def _text(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise Nonsense(f"no {key}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | None):
        raise Nonsense("not a list")
    return tuple(map(str, value or ()))


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise Nonsense("not a number")
    return value


def _priority(item: dict[str, Any]) -> int:
    """`priorityStr` where there is one: a JSON number need not hold an int64."""
    try:
        return int(item.get("priorityStr") or item.get("priority") or 0)
    except (TypeError, ValueError) as error:
        raise Nonsense("no priority") from error


def _words(item: dict[str, Any]) -> tuple[str, ...]:
    return tuple(text[:_WORDS_MAX] for text in _texts(item.get("error")))


def _port(address: str) -> int | None:
    text = address.partition("/")[0].rpartition(":")[2]
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None


def _instant(value: Any) -> datetime | None:
    try:
        return parse_instant(value)
    except (TypeError, ValueError):
        return None
