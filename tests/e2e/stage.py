"""A daemon in this event loop, a real Traefik that polls it, and upstreams: what tests stand on."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from provider.daemon import running
from provider.demo.traefik_process import TraefikProcess, free_port
from provider.settings import read_settings
from tests.e2e.asking import Answer, ask, eventually
from tests.e2e.parts import (
    Upstreams,
    all_upstreams,
    dynamic,
    make_folders,
    polling,
    settings,
)
from tests.e2e.records import body, put

Document = dict[str, Any]
_MARKER = re.compile(r"routebook-[0-9a-f]{16}$")
_RELOADS = re.compile(r"^traefik_config_reloads_total (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """What is up. Files are in `data`; `api` is the daemon's base URL."""

    data: Path
    api: str
    proxy: TraefikProcess
    upstreams: Upstreams
    session: aiohttp.ClientSession

    @property
    def certs(self) -> Path:
        """The certificate folder."""
        return self.data / "router" / "certs"

    async def http(self, host: str | None, target: str = "/") -> Answer:
        """A request in plain HTTP on `web`."""
        return await ask(self.proxy.web, host, target)

    async def https(self, host: str, target: str = "/", sni: str | None = None) -> Answer:
        """A request over TLS on `websecure`."""
        return await ask(self.proxy.websecure, host, target, tls=True, sni=sni)

    async def write(self, method: str, ref: str, value: Any = None) -> tuple[int, Any]:
        """A write through the REST API: the status, and the answer as JSON."""
        url = f"{self.api}/api/environments" + (ref if ref[:1] in ("", "?", ":") else f"/{ref}")
        async with self.session.request(method, url, json=value) as response:
            return response.status, await response.json() if response.status != 204 else None

    async def delete(self, ref: str) -> tuple[int, Mapping[str, str]]:
        """The status and the headers of the answer."""
        async with self.session.delete(f"{self.api}/api/environments/{ref}") as response:
            return response.status, response.headers

    def neighbours(self, rule: str, priority: int) -> None:
        """One router of Traefik's file provider, `theirs`."""
        config = dynamic(self.upstreams)
        servers = {"servers": [{"url": self.upstreams.green}]}
        config["http"]["services"] = {"theirs": {"loadBalancer": servers}}
        config["http"]["routers"] = {
            "theirs": {
                "rule": rule, "priority": priority, "service": "theirs", "entryPoints": ["web"],
            }
        }  # fmt: skip
        put(self.proxy.folder / "dynamic.yml", yaml.safe_dump(config).encode())

    async def create(self, slug: str, state: str = "active", **router: Any) -> str:
        """The id of a new environment; upstream blue, unless the router says otherwise."""
        if not {"service_url", "server_urls", "port"} & router.keys():
            router["service_url"] = self.upstreams.blue
        status, answer = await self.write("POST", "", body(slug, state, **router))
        assert status == 201, answer
        return str(answer["environment_id"])

    async def expose(self, slug: str, **router: Any) -> str:
        """As `create`; returns when Traefik runs a document that has the environment."""
        environment_id = await self.create(slug, **router)
        await self.live(lambda document: environment_id in document["http"].get("services", {}))
        return environment_id

    async def patch(self, ref: str, patch: Mapping[str, Any]) -> None:
        """A merge patch that must be taken."""
        status, answer = await self.write("PATCH", ref, patch)
        assert status == 200, answer

    async def route(self, ref: str, **router: Any) -> None:
        """Patch `metadata.router`."""
        await self.patch(ref, {"metadata": {"router": router}})

    def edit(self, change: Callable[[list[Any]], object]) -> None:
        """A hand edit: the list of records changed, the file saved by rename."""
        path = self.data / "environments.json"
        catalogue = json.loads(path.read_text("utf-8"))
        change(catalogue["environments"])
        put(path, json.dumps(catalogue, indent=2, ensure_ascii=False).encode())

    async def document(self) -> Document:
        """What the daemon would give a Traefik now."""
        async with self.session.get(f"{self.api}/traefik/config?hold=0") as response:
            return dict(await response.json())

    async def live(
        self, so: Callable[[Document], object], proxy: TraefikProcess | None = None
    ) -> None:
        """Wait until the document is so, and Traefik runs exactly that one."""

        async def check() -> None:
            document = await self.document()
            assert _holds(so, document), document
            [marker] = filter(_MARKER.match, document["http"]["middlewares"])
            url = f"http://127.0.0.1:{(proxy or self.proxy).api}/api/http/middlewares/{marker}@http"
            async with self.session.get(url) as response:
                assert response.status == 200, f"{marker} is not live"

        await eventually(check)

    async def move(self, ref: str, url: str) -> None:
        """Point an environment at another upstream, and wait until Traefik has it."""
        await self.route(ref, service_url=url)
        await self.live(lambda document: url in json.dumps(document["http"]["services"][ref]))

    async def traefik_api(self, path: str) -> Any:
        """What Traefik's own API says."""
        async with self.session.get(f"http://127.0.0.1:{self.proxy.api}{path}") as response:
            return await response.json()

    async def router_states(self, environment_id: str) -> set[str]:
        """The states of an environment's routers, as Traefik sees them."""
        routers = await self.traefik_api("/api/http/routers?per_page=1000000")
        return {r["status"] for r in routers if r["service"] == environment_id}

    async def reloads(self) -> int:
        """How often Traefik took a new configuration since it started."""
        async with self.session.get(f"http://127.0.0.1:{self.proxy.api}/metrics") as response:
            found = _RELOADS.search(await response.text())
        assert found is not None
        return int(float(found.group(1)))

    async def get(self, path: str) -> Any:
        """What our API says."""
        async with self.session.get(f"{self.api}{path}") as response:
            return await response.json()

    async def routing(self, ref: str) -> Any:
        """The conditions of an environment."""
        return await self.get(f"/api/environments/{ref}/routing")

    async def problems(self, environment: str | None) -> set[str]:
        """The codes of what the daemon says is wrong with an environment (its id or slug)."""
        async with self.session.get(f"{self.api}/api/health") as response:
            found = (await response.json())["problems"]
        return {each["code"] for each in found if each["environment"] == environment}


def _holds(so: Callable[[Document], object], document: Document) -> bool:
    """A document without the part that is asked about, as before the first route, is not so."""
    try:
        return bool(so(document))
    except KeyError:
        return False


@asynccontextmanager
async def stage_in(
    folder: Path,
    *flags: str,
    records: tuple[Any, ...] = (),
    also: str = "",
    alter: Callable[[dict[str, Any]], None] = lambda _: None,
    poll: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """Everything up, on free ports, over a catalogue of these records; all of it ends after.

    `also` is the API of a further known Traefik; `alter` and `poll` as for `polling`.
    """
    data = make_folders(folder, records)
    async with AsyncExitStack() as stack:
        upstreams = await stack.enter_async_context(all_upstreams(folder))
        daemon = await stack.enter_async_context(AsyncExitStack())
        ports = free_port(), free_port(), free_port()
        known = f"--traefik-api=http://127.0.0.1:{ports[2]} {also}"
        settled = read_settings([*settings(folder), known, *flags])
        port = await daemon.enter_async_context(running(settled))
        api = f"http://127.0.0.1:{port}"
        proxy = await stack.enter_async_context(
            polling(api, folder / "traefik", upstreams, ports=ports, alter=alter, **(poll or {}))
        )
        # The daemon goes first: Traefik does not end while a poll of its own is held.
        stack.push_async_callback(daemon.aclose)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(data, api, proxy, upstreams, session)
        await stage.live(lambda _: True)
        yield stage
