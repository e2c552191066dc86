"""Routers of other providers that match a request, or may: of all Traefiks, each once."""

from __future__ import annotations

from collections.abc import Sequence

from provider.explain.target import Target
from provider.explain.values import Other
from provider.neighbours.conditions import Catch, Request, decide, is_on, is_redirection, rule_of
from provider.observe.facts import RouterFact, TraefikFacts


class Others:
    """The neighbours that were seen on Traefiks that could be reached, decided for one request."""

    def __init__(self, target: Target, traefiks: Sequence[TraefikFacts]) -> None:
        self._tls = target.tls
        self._reached = len(traefiks)
        self._caught: list[tuple[RouterFact, Catch, list[str]]] = []
        seen: dict[RouterFact, list[str]] = {}
        for facts in traefiks:
            for router in facts.neighbours:
                seen.setdefault(router, []).append(facts.url)
        request = Request(target.host, target.routing_path, "GET")
        for router, urls in seen.items():
            caught = decide(rule_of(router), request)
            if caught is not Catch.NO:
                self._caught.append((router, caught, urls))

    @property
    def entrypoints(self) -> set[str]:
        """Where any of them has a say."""
        return {
            name
            for router, _, _ in self._caught
            for name in router.entrypoints
            if is_on(router, name, self._tls)
        }

    def on(self, entrypoint: str) -> list[Other]:
        """Those of one entrypoint, as Traefik ranks them."""
        found = [
            Other(router, caught, tuple(urls), len(urls) == self._reached, is_redirection(router))
            for router, caught, urls in self._caught
            if is_on(router, entrypoint, self._tls)
        ]
        return sorted(found, key=lambda other: (-other.priority, other.router.name))
