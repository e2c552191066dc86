"""Services: one a record, with the servers of its upstream."""

from __future__ import annotations

from registry.upstream import Upstream


def transport_of(upstream: Upstream, servers_transport: str | None) -> str | None:
    """The transport: it is for https upstreams, whose CA Traefik may not know."""
    if servers_transport is None:
        return None
    secure = any(server.startswith("https:") for server in upstream.servers)
    return servers_transport if secure else None
