"""What a caller must be for a route."""

from __future__ import annotations

from enum import Enum


class Access(Enum):
    """The least that a route asks for; open mode gives a local caller everything."""

    OPEN = "open"
    VIEWER = "viewer"
    OPERATOR = "operator"
    TRAEFIK = "traefik"
