"""Records for tests: valid ones, changed only in what a test is about."""

from __future__ import annotations

from typing import Any

from registry.schema import Environment

OLD, NEW = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
UPSTREAM = "http://10.0.0.1:9000"
GONE: Any = object()
"""As a change: the key is taken away."""


def record(**changes: Any) -> dict[str, Any]:
    """A whole stored record, active and without a router; changes merge in deeply.

    The id is `env-<slug>` and the host name `<slug>.test` unless they are given.
    """
    slug = changes["slug"] if isinstance(changes.get("slug"), str) else "dev"
    whole = {
        "environment_id": f"env-{slug}",
        "project_id": "nightshift",
        "slug": slug,
        "name": "Nightshift dev",
        "host": {"hostname": f"{slug}.test"},
        "owner": {"name": "Ines Okafor"},
        "lifecycle": {"state": "active"},
        "health": {"status": "unknown"},
        "created_at": OLD,
        "updated_at": OLD,
    }
    return merged(whole, changes)


def router(**fields: Any) -> dict[str, Any]:
    """The changes that give a record a router: to UPSTREAM, unless the fields say where else."""
    return {"metadata": {"router": merged({"service_url": UPSTREAM}, fields)}}


def environment(**changes: Any) -> Environment:
    """The record as the model that the program works with."""
    return Environment.model_validate(record(**changes))


def routed(slug: str = "dev", created_at: str | None = OLD, **fields: Any) -> Environment:
    """An active environment with a router; its host is `<slug>.test` unless fields say another."""
    return environment(slug=slug, created_at=created_at, **router(**fields))


def merged(value: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The value with the changes: objects merge, everything else replaces, GONE removes."""
    result = dict(value)
    for key, change in changes.items():
        if change is GONE:
            result.pop(key, None)
        elif isinstance(change, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], change)
        else:
            result[key] = change
    return result
