"""A fragment's part of the document as ready bytes: encoded once, and then only copied."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from provider.render.fragment import Claim, Fragment
from provider.render.share import share_of

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
    share = share_of(fragment, lost)
    if share is None:
        return Part(fragment, lost, b"", b"", b"", 0, "", ends_group)
    routers, services = _entries(share.routers), _entries(share.services)
    middlewares = _entries(share.middlewares)
    return Part(
        fragment,
        lost,
        b"".join(routers),
        b"".join(services),
        b"".join(middlewares),
        len(routers),
        _tag([*routers, *services, *middlewares], share.certificate),
        ends_group,
    )


def encoded(value: Any) -> bytes:
    """Compact JSON that Traefik's YAML parser takes too."""
    return _yaml_safe(_JSON.encode(value)).encode()


def _entries(section: Mapping[str, Any]) -> list[bytes]:
    return [b"%b:%b," % (encoded(name), encoded(value)) for name, value in section.items()]


def _tag(entries: Iterable[bytes], certificate: str | None) -> str:
    """Equal for equal parts, in whatever order of the routers; the certificate counts."""
    ordered = b"".join(sorted(entries))
    return hashlib.sha256(ordered + (certificate or "").encode(errors="surrogatepass")).hexdigest()[
        :16
    ]


def _yaml_safe(text: str) -> str:
    """ASCII keeps the YAML parser away from line breaks that it does not take.

    But it takes no surrogate pairs, and no raw U+007F. Only the paths of certificates can bring
    either: what a record says passed an allow-list.
    """
    if "\\ud" in text:
        text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f")
