"""Records as they stand in the catalogue file, and the workspaces that they belong to."""

from __future__ import annotations

import json
from typing import Any

OLD = "2026-01-01T00:00:00Z"
WORKSPACES: dict[str, dict[str, Any]] = {
    "nightshift": {
        "id": "nightshift",
        "name": "Nightshift",
        "contacts": [{"name": "Ines Okafor", "email": "ines@nightshift.test", "role": "owner"}],
    },
    "storefront": {"id": "storefront", "name": "Storefront", "contacts": [{"name": "Mika Sato"}]},
}
FILLED_IN = ("environment_id", "owner", "created_at", "updated_at")


def record(slug: str, /, **changes: Any) -> dict[str, Any]:
    """A whole stored record that is active and routed; changes replace or add keys.

    Its id is `env-<slug>`, its host `<slug>.test`.
    """
    whole = {
        "environment_id": f"env-{slug}",
        "project_id": "nightshift",
        "slug": slug,
        "name": slug,
        "host": {"hostname": f"{slug}.test"},
        "owner": {"name": "Ines Okafor"},
        "lifecycle": {"state": "active"},
        "health": {"status": "unknown"},
        "metadata": {"router": {"service_url": "http://10.0.0.1:9000"}},
        "created_at": OLD,
        "updated_at": OLD,
    }
    return {**whole, **changes}


def keyless(slug: str, /, **changes: Any) -> dict[str, Any]:
    """A record as people write it: without the keys that are filled in."""
    whole = record(slug, **changes)
    return {key: value for key, value in whole.items() if key not in FILLED_IN}


def text_of(*records: Any) -> str:
    """A catalogue of these, one a line or more; a record is a value, or its text."""
    texts = (each if isinstance(each, str) else json.dumps(each) for each in records)
    return '{"version": 1, "environments": [\n' + ",\n".join(texts) + "\n]}\n"
