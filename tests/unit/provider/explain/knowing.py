"""What an explanation is made from, for tests: records, neighbours, and the answer as JSON."""

from __future__ import annotations

from typing import Any

from provider.explain.explaining import explain
from provider.explain.target import target_of
from provider.explain.values import Knowledge
from provider.explain.views import explanation_view
from provider.observe.facts import EntryPoint, RouterFact, TraefikFacts
from provider.render.compile import Rules
from provider.render.compiler import Compiler
from provider.render.document import assemble
from registry.entries import Entry, RawRecord
from registry.schema import Environment
from registry.snapshot import Snapshot

RULES = Rules(forbidden_upstreams={("10.9.9.9", 80): "a Traefik API"})


def entry(environment: Environment) -> Entry:
    """The entry of a good record."""
    return Entry(RawRecord(environment.slug, "{}"), environment)


def knowledge(
    *environments: Environment, entries: tuple[Entry, ...] = (), traefiks: Any = ()
) -> Knowledge:
    """The document of these records, and further entries that are in the catalogue alone."""
    good = [*environments, *(each.environment for each in entries if each.environment)]
    document = assemble(Compiler(RULES).compile_all(good))
    snapshot = Snapshot((*map(entry, environments), *entries))
    return Knowledge(document, snapshot, RULES.tls_entrypoints, tuple(traefiks))


def seen(known: Knowledge, *routers: RouterFact, **changes: Any) -> TraefikFacts:
    """A Traefik that runs the document, with these routers of others."""
    facts: dict[str, Any] = {
        "url": "http://traefik.test:8080",
        "problem": None,
        "live_digest": known.document.digest,
        "neighbours": routers,
        "entrypoints": (EntryPoint("web", ":80", 80), EntryPoint("websecure", ":443", 443)),
    }
    return TraefikFacts(**{**facts, **changes})


def other(rule: str, rank: int = 30_000, *, tls: bool = True, **changes: Any) -> RouterFact:
    """A router of the file provider on both usual entrypoints."""
    facts: dict[str, Any] = {
        "name": "other@file",
        "rule": rule,
        "priority": rank,
        "status": "enabled",
        "entrypoints": ("web", "websecure"),
        "tls": tls,
    }
    return RouterFact(**{**facts, **changes})


def explained(url: str, known: Knowledge, entrypoint: str | None = None) -> dict[str, Any]:
    """The answer of the API."""
    target = target_of(url)
    return explanation_view(target, explain(target, entrypoint, known), known)


def reasons(view: dict[str, Any]) -> list[tuple[str | None, str]]:
    """Each candidate by slug or router, with its reason, in order."""
    return [(each["slug"] or each.get("router"), each["reason"]) for each in view["candidates"]]
