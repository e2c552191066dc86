"""What the daemon keeps on disk, as text."""

from __future__ import annotations

import gzip
from pathlib import Path

_GZIP = b"\x1f\x8b"


def text_of(path: Path) -> str:
    """What a file says; of a compressed one, whatever its name, inflated."""
    content = path.read_bytes()
    return (gzip.decompress(content) if content.startswith(_GZIP) else content).decode()
