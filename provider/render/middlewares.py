"""Middlewares: the record's own by name, and the two that paths need."""

from __future__ import annotations

from provider.render.traefik import Middleware
from registry.router_spec import RouterSpec
from registry.upstream import Upstream


def qualified(name: str, provider: str) -> str:
    """A reference that resolves: a bare name belongs to another provider than ours."""
    return name if "@" in name else f"{name}@{provider}"


def middlewares_of(
    environment_id: str, router: RouterSpec, upstream: Upstream
) -> tuple[tuple[str, Middleware], ...]:
    """Strip, then add, each where it is needed: Traefik applies them in this order."""
    middlewares: list[tuple[str, Middleware]] = []
    if router.strips:
        strip: Middleware = {"stripPrefix": {"prefixes": [router.path]}}
        middlewares.append((f"{environment_id}.strip", strip))
    if upstream.base_path != "/":
        add: Middleware = {"addPrefix": {"prefix": upstream.base_path}}
        middlewares.append((f"{environment_id}.add", add))
    return tuple(middlewares)
