"""One change in another program, in its own environment; prints the milliseconds as JSON.

    python other_programs_process.py PACKAGE FILE ROUTES

Imports nothing of ours. The routes are made first; then one is changed, twice, and each time the
whole file is written as the program writes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_CHANGES = 2


def main() -> None:
    """Measure the package that is named."""
    package, file, routes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if package == "jupyterhub-traefik-proxy":
        print(json.dumps(asyncio.run(_jupyterhub(file, routes))))
    else:
        print(json.dumps(_control_plane(file, routes)))


async def _jupyterhub(file: Path, routes: int) -> list[float]:
    """`add_route` without its wait for Traefik: merge the route, and dump the file."""
    from jupyterhub_traefik_proxy.fileprovider import TraefikFileProviderProxy

    proxy = TraefikFileProviderProxy(dynamic_config_file=str(file), should_start=False)
    proxy.dynamic_config["http"].update(routers={}, services={})
    for number in range(routes):
        traefik, hub = _jupyterhub_route(proxy, number, 9)
        for kind in ("routers", "services"):
            proxy.dynamic_config["http"][kind].update(traefik["http"][kind])
        proxy.dynamic_config["jupyterhub"]["routes"].update(hub["routes"])
    took_ms = []
    for change in range(_CHANGES):
        start_s = time.perf_counter()
        await proxy._apply_dynamic_config(*_jupyterhub_route(proxy, routes // 2, 10 + change))
        took_ms.append((time.perf_counter() - start_s) * 1000)
    assert file.read_text().count("loadBalancer") >= routes
    return took_ms


def _jupyterhub_route(proxy: Any, number: int, port: int) -> tuple[Any, Any]:
    target = f"http://127.0.0.1:{port}"
    return proxy._dynamic_config_for_route(f"env-{number:05}.test/", target, {"user": str(number)})


def _control_plane(file: Path, routes: int) -> list[float]:
    """Render the inventory that its database would give, and write the file."""
    os.environ["TRAEFIK_CONTROL_PLANE_CONFIG_DIR"] = str(file.parent)
    os.environ["TRAEFIK_DB_URL"] = "postgresql://nobody@127.0.0.1:9/nothing"  # never connected to
    from control_plane import server
    from control_plane.db import InventorySnapshot

    sites = [_site(number) for number in range(routes)]
    entrypoint = {"id": 1, "name": "web", "address": ":80", "enabled": True, "as_default": True}
    snapshot = InventorySnapshot(
        sites=sites,
        **{name: [] for name in ("streams", "middlewares", "oidc_clients", "cert_resolvers",
                                 "tls_options", "servers_transports", "deployments")},
        entrypoints=[entrypoint],
        site_entrypoints={site["id"]: [entrypoint] for site in sites},
        stream_entrypoints={},
        site_middlewares={},
    )  # fmt: skip
    took_ms = []
    for change in range(_CHANGES):
        sites[routes // 2]["upstream_url"] = f"http://127.0.0.1:{10 + change}"
        start_s = time.perf_counter()
        rendered = server.render_dynamic_config(snapshot)
        server.atomic_write(file, rendered[0])
        took_ms.append((time.perf_counter() - start_s) * 1000)
    assert file.read_text().count("loadBalancer") >= routes
    return took_ms


def _site(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "name": f"env-{number:05}",
        "enabled": True,
        "host": f"env-{number:05}.test",
        "upstream_url": "http://127.0.0.1:9",
        "pass_host_header": True,
    }


if __name__ == "__main__":
    main()
