"""A folder that is judged without a daemon, and what is found in it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from provider.offline import Inputs, Inspection, inspect
from provider.render.compile import Rules
from tests.daemons import Folders
from tests.records import record, router
from tests.unit.provider.observe.pems import START

TLS = {"cert_file": "app.crt", "key_file": "app.key"}
SOON = START + timedelta(days=1)


async def judged(
    folders: Folders, now: datetime = SOON, *, default_certificate: bool = False, **rules: Any
) -> Inspection:
    """What is found in these folders."""
    inputs = Inputs(
        data=folders.data,
        projects=folders.projects,
        certificates=folders.certificates,
        traefik_certificates="/certs",
        rules=Rules(**rules),
        default_certificate=default_certificate,
    )
    return await inspect(inputs, now)


def write(folders: Folders, *records: Any) -> None:
    """The catalogue, as the daemon lays it out."""
    value = {"version": 1, "environments": list(records)}
    folders.catalogue.write_text(json.dumps(value, indent=2) + "\n")


def place(folders: Folders, value: str, nth: int = 1) -> str:
    """File, line and column of a value in the catalogue, a text or a `[`; `nth` of its lines."""
    sought = value if value == "[" else json.dumps(value)
    text = folders.catalogue.read_text()
    line, row = [row for row in enumerate(text.splitlines(), 1) if sought in row[1]][nth - 1]
    return f"{folders.catalogue}:{line}:{row.index(sought) + 1}"


def routed(slug: str = "dev", created_at: str | None = None, **fields: Any) -> dict[str, Any]:
    """A record with a router, named `<slug>.test`."""
    times = {"created_at": created_at} if created_at else {}
    return record(slug=slug, **times, **router(**fields))


def lines(found: Inspection) -> list[str]:
    """The faults; there must be no warning."""
    assert found.warnings == []
    return [str(fault) for fault in found.faults]
