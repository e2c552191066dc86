"""A fragment's part of the document as ready bytes: encoded once, and then only copied."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from provider.render.fragment import Claim, Fragment
from provider.render.routers import routers_of
from provider.render.traefik import Output

GROUP_MEAN = 32
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is rendered of `fragment` without the claims that it `lost`: what it is keyed by.

    The three sections have a comma after each entry. `tag` tells two parts apart, of whatever
    documents; it is empty where nothing is left. `ends_group` says that a group ends with it.
    """

    fragment: Fragment
    lost: frozenset[Claim]
    routers: bytes
    services: bytes
    middlewares: bytes
    routers_count: int
    tag: str
    ends_group: bool


def encode_part(fragment: Fragment, lost: frozenset[Claim]) -> Part:
    """Encode one; empty where every claim was lost."""
    ends_group = crc32(fragment.environment_id.encode()) % GROUP_MEAN == 0
    routers = [_entry(*each) for each in routers_of(fragment, lost)]
    if not routers:
        return Part(fragment, lost, b"", b"", b"", 0, "", ends_group)
    service = _entry(fragment.environment_id, fragment.service)
    middlewares = [_entry(*each) for each in fragment.middlewares]
    return Part(
        fragment,
        lost,
        b"".join(routers),
        service,
        b"".join(middlewares),
        len(routers),
        _tag([*routers, service, *middlewares], fragment.pair.cert_path if fragment.pair else ""),
        ends_group,
    )


def encoded(value: Any) -> bytes:
    """Compact JSON that Traefik's YAML parser takes too."""
    return _yaml_safe(_JSON.encode(value)).encode()


def _entry(name: str, value: Output) -> bytes:
    """An entry of a section; most are ASCII as they are, so that nothing is left to escape."""
    text = value.as_text()
    if not text.isascii() or "\x7f" in text:
        return b"%b:%b," % (encoded(name), encoded(value.as_json()))
    return f"{_JSON.encode(name)}:{text},".encode()


def _tag(entries: Iterable[bytes], certificate: str) -> str:
    """Equal for equal parts, in whatever order of the routers; the certificate counts."""
    ordered = b"".join(sorted(entries)) + certificate.encode(errors="surrogatepass")
    return hashlib.sha256(ordered).hexdigest()[:16]


def _yaml_safe(text: str) -> str:
    """ASCII keeps the YAML parser away from line breaks that it does not take.

    But it takes no surrogate pairs, and no raw U+007F. Only the paths of certificates can bring
    either: what a record says passed an allow-list.
    """
    if "\\ud" in text:
        text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f")
