"""A publication as it is kept on disk: its gzip, behind a seal that shows that it is whole.

The seal is a member of its own (RFC 1952): empty, with a comment. So `zcat` reads the document.
"""

from __future__ import annotations

import hashlib
import re

from provider.publication import Publication

# A comment follows; no name, no time stamp, fastest level, no operating system.
_HEADER = b"\x1f\x8b\x08\x10\x00\x00\x00\x00\x04\xff"
# Nothing, deflated (RFC 1951), its checksum, and its size.
_NOTHING = b"\x03\x00" + bytes(8)
_SEAL = re.compile(
    re.escape(_HEADER) + rb"routebook ([0-9a-f]{16}) sha256 ([0-9a-f]{64})\0" + _NOTHING
)


def sealed(publication: Publication) -> tuple[bytes, bytes]:
    """The seal, with the digest of the document and a hash over that and the gzip; and the gzip."""
    comment = (
        f"routebook {publication.digest} sha256 {_hash(publication.digest, publication.gzipped)}"
    )
    return b"%b%b\0%b" % (_HEADER, comment.encode(), _NOTHING), publication.gzipped


def unsealed(content: bytes) -> Publication | None:
    """What was sealed, by its gzip alone; None when that is not whole."""
    seal = _SEAL.match(content)
    if seal is None:
        return None
    digest, expected = seal.group(1).decode(), seal.group(2).decode()
    gzipped = content[seal.end() :]
    return Publication(digest, (), gzipped) if _hash(digest, gzipped) == expected else None


def _hash(digest: str, gzipped: bytes) -> str:
    whole = hashlib.sha256(digest.encode())
    whole.update(gzipped)
    return whole.hexdigest()
