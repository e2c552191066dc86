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
_SHORT_MAX = 100
_INT64_MAX = 2**63 - 1


class Nonsense(ValueError):
    """An answer that Traefik's API does not give."""


def version_of(answer: Any) -> tuple[str, str | None]:
    """The version, and when it started: another start is another process."""
    answer = _object(answer)
    started_at = _optional(answer, "startDate")[:_SHORT_MAX]
    return _text(answer, "Version")[:_SHORT_MAX], started_at or None


def router_count(overview: Any) -> int:
    """How many routers it has, of all providers."""
    http = _object(_object(_object(overview).get("http")).get("routers"))
    return _number(http.get("total"))


def digest_in(middlewares: Any) -> str | None:
    """The digest of the document that is live, by the marker among the middlewares."""
    for item in _objects(middlewares):
        found = _MARKER.fullmatch(_text(item, "name"))
        if found and _object(item.get("addPrefix") or {}).get("prefix") == "/routebook":
            return found.group(1)
    return None


def routers_in(answer: Any) -> Iterator[RouterFact]:
    """The routers of a list."""
    for item in _objects(answer):
        yield RouterFact(
            name=_text(item, "name"),
            rule=_optional(item, "rule"),
            priority=_priority(item),
            status=_optional(item, "status"),
            entrypoints=_texts(item.get("using") or item.get("entryPoints")),
            service=_optional(item, "service"),
            tls=item.get("tls") is not None,
            errors=_words(item),
        )


def services_in(answer: Any) -> Iterator[ServiceFact]:
    """The services of a list."""
    for item in _objects(answer):
        yield ServiceFact(_text(item, "name"), _optional(item, "status"), _words(item))


def names_in(answer: Any) -> Iterator[str]:
    """The names of a list."""
    for item in _objects(answer):
        yield _text(item, "name")


def entrypoints_in(answer: Any) -> Iterator[EntryPoint]:
    """The static entrypoints."""
    for item in _objects(answer):
        http, address = _object(item.get("http") or {}), _optional(item, "address")
        redirections = _object(http.get("redirections") or {})
        target = _optional(_object(redirections.get("entryPoint") or {}), "to")
        yield EntryPoint(
            name=_text(item, "name"),
            address=address,
            port=_port(address),
            tls=http.get("tls") is not None,
            redirects_to=target or None,
            middlewares=_texts(http.get("middlewares")),
        )


def certificates_in(answer: Any) -> Iterator[CertificateFact]:
    """The loaded certificates."""
    for item in _objects(answer):
        yield CertificateFact(
            fingerprint=(_optional(item, "certFingerprint") or _optional(item, "name")).lower(),
            names=_texts(item.get("sans")),
            not_after=_instant(item.get("notAfter")),
            status=_optional(item, "status"),
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
    return _whole(value)


def _optional(item: dict[str, Any], key: str) -> str:
    """A text that may be left out."""
    return "" if item.get(key) is None else _text(item, key)


def _whole(text: str) -> str:
    """Without halves of surrogate pairs, which JSON may have and no log can be written with."""
    return text.encode("utf-8", "replace").decode()


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | None):
        raise Nonsense("not a list")
    if not all(isinstance(text, str) for text in value or ()):
        raise Nonsense("not a list of texts")
    return tuple(map(_whole, value or ()))


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise Nonsense("not a number")
    return value


def _priority(item: dict[str, Any]) -> int:
    """`priorityStr` where there is one: a JSON number need not hold an int64."""
    try:
        priority = int(item.get("priorityStr") or item.get("priority") or 0)
    except (TypeError, ValueError, OverflowError) as error:
        raise Nonsense("no priority") from error
    if abs(priority) > _INT64_MAX + 1:
        raise Nonsense("no priority")
    return priority


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
