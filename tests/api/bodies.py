"""Request bodies: the least that POST takes, and what makes an environment routed."""

from __future__ import annotations

from typing import Any


def body(slug: str = "nightshift-dev", **changes: Any) -> dict[str, Any]:
    """A body that POST takes; changes replace or add keys."""
    return {
        "project_id": "nightshift",
        "slug": slug,
        "name": slug.replace("-", " ").title(),
        "host": {"hostname": f"{slug}.test"},
        **changes,
    }


def routed(*hostnames: str, state: str = "active", **router: Any) -> dict[str, Any]:
    """The changes that route an environment: its state, and the router section."""
    section = {"service_url": "http://127.0.0.1:9001", **router}
    if hostnames:
        section["hostnames"] = list(hostnames)
    return {"lifecycle": {"state": state}, "metadata": {"router": section}}


def stored(slug: str = "nightshift-dev", **changes: Any) -> dict[str, Any]:
    """A whole record as it stands in the catalogue file."""
    record = {
        "environment_id": f"env-{slug}",
        **body(slug),
        "owner": {"name": "Ines Okafor", "email": "ines@nightshift.test"},
        "lifecycle": {"state": "planned"},
        "health": {"status": "unknown"},
        "created_at": "2026-01-05T09:00:00Z",
        "updated_at": "2026-01-05T09:00:00Z",
    }
    return {**record, **changes}
