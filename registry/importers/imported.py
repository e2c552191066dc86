"""What an importer hands back: records to be, and what could not be carried over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Imported:
    """Bodies for `POST /api/environments`; sentences that begin with the place left out."""

    records: tuple[dict[str, Any], ...]
    left_out: tuple[str, ...]
