"""A Traefik file-provider configuration as records, and what no record can carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from registry.importers.imported import Claim, Imported, Record, Unusable, claims_of, completed
from registry.importers.traefik_records import Surroundings, record_of
from registry.importers.traefik_routes import Route, routes_of, twins_merged
from registry.importers.traefik_services import Servers, servers_of
from registry.importers.traefik_shapes import LeftOut, field_of, mapping_of, other_keys, shown

_HTTP_PARTS = ("routers", "services", "middlewares")
_STAYS = "not carried over; keep it in Traefik's file"
_OF_TLS = {
    "certificates": "not carried over; put the pairs into data/router/certs and name them in a "
    "record's tls, or keep them in Traefik's file",
}


def from_traefik(
    config: Mapping[Any, Any],
    *,
    project_id: str,
    provider: str = "traefik",
    region: str = "local",
    state: str = "active",
) -> Imported:
    """The records that say what the file says. Never raises for what is in the file.

    `left_out` has what is lost or changes, each sentence beginning with its place.
    """
    return _Import(config, Surroundings(project_id, provider, region, state)).done()


class _Import:
    """One import: records and sentences gather here, in the file's order."""

    def __init__(self, config: Mapping[Any, Any], around: Surroundings) -> None:
        self._around = around
        self._records: list[Record] = []
        self._slugs: set[str] = set()
        self._left_out: dict[str, None] = {}
        self._claimed: dict[Claim, str] = {}
        self._remarks: dict[str, Sequence[str]] = {}
        self._config = self._part({"file": config}, "file", "the file")
        self._http = self._part(self._config, "http", "http")
        self._routers, self._services, self._middlewares = (
            _by_name(self._part(self._http, key, f"http.{key}")) for key in _HTTP_PARTS
        )

    def done(self) -> Imported:
        routes = twins_merged(list(self._routes()))
        several = Counter(router for route in routes for router in route.routers)
        for route in routes:
            shared = route.path != "/" and any(several[name] > 1 for name in route.routers)
            self._add(route, route.path if shared else "")
        self._say_unused()
        self._say_middlewares()
        self._say_other_sections()
        return Imported(tuple(self._records), tuple(self._left_out))

    def _say(self, place: str, sentences: Iterable[str]) -> None:
        self._left_out.update(dict.fromkeys(f"{place}: {sentence}" for sentence in sentences))

    def _part(self, parent: Mapping[Any, Any], key: str, place: str) -> Mapping[Any, Any]:
        try:
            return mapping_of(parent, key)
        except LeftOut:
            self._say(place, ["left out: it is not a mapping"])
            return {}

    def _routes(self) -> Iterator[Route]:
        for name, body in self._routers.items():
            place = f"http.routers.{shown(name)}"
            try:
                routes, remarks = routes_of(name, body, self._middlewares)
            except LeftOut as reason:
                self._say(place, [f"left out: {reason}"])
            else:
                self._remarks[name] = remarks
                yield from routes

    def _add(self, route: Route, tail: str) -> None:
        try:
            servers = self._servers(route.service)
            record = record_of(route, servers, self._around, self._slugs, tail)
            claims = claims_of(completed(record))
        except (LeftOut, Unusable) as reason:
            below = f" below {tail}" if tail else ""
            for router in route.routers:
                self._say(f"http.routers.{shown(router)}", [f"left out{below}: {reason}"])
            return
        self._records.append(record)
        self._slugs.add(record["slug"])
        for router in route.routers:  # only now: of a router that is left out nothing changes
            self._say(f"http.routers.{shown(router)}", self._remarks[router])
        self._say(f"http.services.{shown(route.service)}", servers.remarks)
        self._say_contested(route.routers[0], record["slug"], claims)

    def _servers(self, service: str) -> Servers:
        try:
            return servers_of(self._services, service)
        except LeftOut as reason:
            raise LeftOut(f"its service {shown(service)}: {reason}") from reason

    def _say_contested(self, router: str, slug: str, claims: Iterable[Claim]) -> None:
        # Traefik decides by priority, or by chance; the catalogue lets one record have a claim.
        for host, path, entrypoint in sorted(claims):
            first = self._claimed.setdefault((host, path, entrypoint), slug)
            if first != slug:
                sentence = f"the record {first} has {host}{path} on {entrypoint} already"
                self._say(f"http.routers.{shown(router)}", [sentence])

    def _say_unused(self) -> None:
        named = {
            str(field_of(body, "service")).removesuffix("@file")
            for body in self._routers.values()
            if isinstance(body, Mapping)
        }
        for name in self._services:
            if name not in named:
                self._say(f"http.services.{shown(name)}", ["left out: no router names it"])

    def _say_middlewares(self) -> None:
        routers = [record["metadata"]["router"] for record in self._records]
        names = {name for router in routers for name in router.get("middlewares", ())}
        kept = sorted(name for name in names if name.endswith("@file"))
        if kept:
            sentence = f"must stay in Traefik's file, since records name them: {', '.join(kept)}"
            self._say("http.middlewares", [sentence])

    def _say_other_sections(self) -> None:
        for key in other_keys(self._http, _HTTP_PARTS):
            self._say(f"http.{key}", [_STAYS])
        tls = self._part(self._config, "tls", "tls")
        for key in other_keys(tls, ()):
            self._say(f"tls.{key}", [_OF_TLS.get(key.lower(), _STAYS)])
        for key in other_keys(self._config, ("http", "tls")):
            self._say(key, [_STAYS])


def _by_name(part: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): body for name, body in part.items()}
