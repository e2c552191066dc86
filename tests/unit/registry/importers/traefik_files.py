"""Traefik files of one router, and their import."""

from __future__ import annotations

from typing import Any

from registry.importers.imported import Imported, completed
from registry.importers.traefik_file import from_traefik

TWO_BACKENDS = [{"url": "http://10.0.0.1:80"}, {"url": "http://10.0.0.2:80"}]
MIDDLEWARES = {
    "strip-app": {"stripPrefix": {"prefixes": ["/app"]}},
    "strip-two": {"stripPrefix": {"prefixes": ["/app", "/other"]}},
    "auth": {"basicAuth": {"users": ["a:b"]}},
    "ask": {"forwardAuth": {"address": "http://10.0.0.9"}},
    "both": {"chain": {"middlewares": ["auth", "strip-app"]}},
}


def file_with(router: Any, service: Any = None, **sections: Any) -> dict[str, Any]:
    """A file with one router, `app`, and the service `app`."""
    service = service or {"loadBalancer": {"servers": [{"url": "http://10.0.0.1:9000"}]}}
    http = {"routers": {"app": router}, "services": {"app": service}, "middlewares": MIDDLEWARES}
    return {"http": http, **sections}


def router_with(rule: str = "Host(`app.test`)", **fields: Any) -> dict[str, Any]:
    """A router on websecure, of which only what is named differs."""
    return {"rule": rule, "service": "app", "entryPoints": ["websecure"], "tls": {}, **fields}


def balancer(**fields: Any) -> dict[str, Any]:
    """A load balancer with two servers, unless others are named."""
    return {"loadBalancer": {"servers": TWO_BACKENDS, **fields}}


def one_server(url: str, **fields: Any) -> dict[str, Any]:
    """A load balancer with one server."""
    return balancer(servers=[{"url": url, **fields}])


def imported(config: Any, **given: str) -> Imported:
    """The import, every record of which is one that the catalogue takes."""
    result = from_traefik(config, project_id="shop", **given)
    for record in result.records:
        completed(record)
    return result
