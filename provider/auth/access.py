"""Who may call what: roles, what a route asks for, and the one table between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What an account or a token is for."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    TRAEFIK = "traefik"


class Access(Enum):
    """The least that a route asks for."""

    OPEN = "open"
    VIEWER = "viewer"
    OPERATOR = "operator"
    TRAEFIK = "traefik"


ALLOWED: dict[Access, frozenset[Role]] = {
    Access.OPEN: frozenset(Role),
    Access.VIEWER: frozenset({Role.VIEWER, Role.OPERATOR}),
    Access.OPERATOR: frozenset({Role.OPERATOR}),
    Access.TRAEFIK: frozenset({Role.TRAEFIK, Role.VIEWER, Role.OPERATOR}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller who is known. `actor` is an e-mail address or `token:<name>`, for the history."""

    actor: str
    role: Role


LOCAL = Identity("local", Role.OPERATOR)
"""Every caller of open mode."""


def may(identity: Identity | None, access: Access) -> bool:
    """Whether a caller (None: a stranger) may call a route."""
    if identity is None:
        return access is Access.OPEN
    return identity.role in ALLOWED[access]
