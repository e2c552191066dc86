"""Services: one a record, with the servers of its upstream."""

from __future__ import annotations

from provider.render.traefik import LoadBalancer, Server, Service
from registry.router_spec import RouterSpec
from registry.upstream import Upstream


def service_of(router: RouterSpec, upstream: Upstream, servers_transport: str | None) -> Service:
    """The service; `servers_transport` is for https upstreams, whose CA Traefik may not know."""
    secure = any(server.startswith("https:") for server in upstream.servers)
    return Service(
        load_balancer=LoadBalancer(
            servers=tuple(Server(url=server) for server in upstream.servers),
            pass_host_header=router.pass_host_header is not False,
            servers_transport=servers_transport if secure else None,
        )
    )
