"""Catalogues to measure with: N realistic records of about 1.2 KB each, and changes to them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

_AT = "2026-01-01T00:00:00Z"
_STATES = ("active",) * 8 + ("maintenance", "active")
_TEXT = "Built by the pipeline for a merge request; the database is a copy of last night's. "
UPSTREAM = "http://127.0.0.1:9"
PROJECTS = 10


def environment_id(number: int) -> str:
    """The id of an environment; its host is the id below `.test`.

    Half of it looks random, as names of branches and commits do to gzip.
    """
    return f"env-{number:05}-{hashlib.sha256(str(number).encode()).hexdigest()[:10]}"


def write_catalogue(folder: Path, environments: int, url: str = UPSTREAM) -> Path:
    """Data and projects folders; the catalogue's file. Each environment has one host and upstream
    `url`, and there are as many workspaces as `PROJECTS`."""
    for number in range(PROJECTS):
        project = folder / "projects" / f"bench-{number}"
        project.mkdir(parents=True)
        (project / "project.json").write_text(
            json.dumps({"id": project.name, "name": f"Benchmark {number}"})
        )
    file = folder / "data" / "environments.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(catalogue_bytes(environments, url))
    return file


def catalogue_bytes(environments: int, url: str = UPSTREAM) -> bytes:
    """The catalogue's file, as the daemon lays it out."""
    records = [_record(number, url) for number in range(environments)]
    catalogue = {"version": 1, "environments": records}
    return (json.dumps(catalogue, indent=2, ensure_ascii=False) + "\n").encode()


def moved(content: bytes, environment: str, url: str) -> bytes:
    """The file with one environment on another upstream, as somebody would edit it by hand."""
    start = content.index(f'"environment_id": "{environment}"'.encode())
    key = b'"service_url": "'
    begin = content.index(key, start) + len(key)
    return content[:begin] + url.encode() + content[content.index(b'"', begin) :]


def rewrite_durably(file: Path, content: bytes) -> None:
    """The floor of every durable write: a new file, synced, renamed onto the old one, and the
    folder synced."""
    handle, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "wb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    Path(name).replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _record(number: int, url: str) -> dict[str, Any]:
    name = environment_id(number)
    host, state = f"{name}.test", _STATES[number % len(_STATES)]
    return {
        "environment_id": name,
        "project_id": f"bench-{number % PROJECTS}",
        "slug": f"preview-{number:05}",
        "name": f"Preview {number}",
        "description": _TEXT,
        "host": {
            "hostname": host,
            "provider": "compose",
            "region": "eu-1",
            "ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            "notes": None,
        },
        "ports": [
            {"name": "web", "port": 8080, "protocol": "http", "url": None, "description": None},
            {"name": "db", "port": 5432, "protocol": "tcp", "url": None, "description": None},
        ],
        "owner": {
            "name": f"Owner {number % 97}",
            "email": f"owner-{number % 97}@bench.example",
            "slack": None,
            "role": "owner",
        },
        "lifecycle": {"state": state, "notes": None, "changed_at": _AT},
        "health": {"status": "unknown", "url": None, "checked_at": None, "notes": None},
        "metadata": {
            "router": {"hostnames": [host], "entrypoints": ["web"], "service_url": url},
            "merge_request": number,
        },
        "created_at": _AT,
        "updated_at": _AT,
    }
