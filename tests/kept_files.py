"""What the daemon keeps on disk, as text."""

from __future__ import annotations

import gzip
from pathlib import Path


def text_of(path: Path) -> str:
    """What a file says; of a compressed one, inflated."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
