"""A published document: bytes made once, in both encodings that pollers ask for."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class Publication:
    """What Traefik gets until `superseded` is set by the next one. Bodies are never changed."""

    body: bytes
    digest: str
    gzipped: bytes
    superseded: asyncio.Event = field(default_factory=asyncio.Event)


def encode_publication(body: bytes, digest: str) -> Publication:
    """A publication with its gzip: level 1, no time stamp, so the same bytes for the same body."""
    return Publication(body, digest, gzip.compress(body, compresslevel=1, mtime=0))
