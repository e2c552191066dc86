"""A fragment's part of the document as ready bytes: encoded once, and then only copied."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from zlib import crc32

from pydantic_core import to_json

from provider.render.fragment import Claim, Fragment
from provider.render.share import Share, share_of
from registry.values import value

GROUP_MEAN = 32
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)
_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


@value(eq=False)
class Part:
    """What is rendered of `fragment` without the claims that it `lost`: what it is keyed by.

    The three sections have a comma after each entry. `tag` tells two parts apart, of whatever
    documents; it is empty where nothing is left. `ends_group` says that a group ends with it: never
    with one of which nothing is left, as who reads the document cannot see it.
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
    share = share_of(fragment, lost)
    if share is None:
        return Part(fragment, lost, b"", b"", b"", 0, "", ends_group=False)
    routers, services, middlewares = map(_entries, share.http.values())
    count = len(share.http["routers"])
    return Part(
        fragment,
        lost,
        routers,
        services,
        middlewares,
        count,
        _tag(share, routers + services + middlewares if count == 1 else None),
        ends_group=crc32(fragment.environment_id.encode()) % GROUP_MEAN == 0,
    )


def encoded(value: Any) -> bytes:
    """Compact JSON that Traefik's YAML parser takes too."""
    return _yaml_safe(_JSON.encode(value)).encode()


def _entries(section: Any) -> bytes:
    """The entries of a section; most are ASCII as they are, so that nothing is left to escape."""
    if not section:
        return b""
    text = to_json(section)
    if not text.isascii() or b"\x7f" in text:
        text = encoded(section)
    return text[1:-1] + b","


def _tag(share: Share, entries: bytes | None) -> str:
    """Equal for equal parts, in whatever order of the routers; the certificate counts.

    `entries` are all of them, where there is one order.
    """
    if entries is None:
        routers = sorted(share.http["routers"].items())
        entries = encoded([routers, share.http["services"], share.http["middlewares"]])
    certificate = (share.certificate or "").encode(errors="surrogatepass")
    return hashlib.sha256(entries + certificate).hexdigest()[:16]


def _yaml_safe(text: str) -> str:
    """ASCII keeps the YAML parser away from line breaks that it does not take.

    But it takes no surrogate pairs, and no raw U+007F. Only the paths of certificates can bring
    either: what a record says passed an allow-list.
    """
    if "\\ud" in text:
        text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f")
