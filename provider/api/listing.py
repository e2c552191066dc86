"""The list of environments: which of them, in which order, a page at a time. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from registry.errors import FieldError, InvalidRecord, NotReady
from registry.schema import Environment, HealthStatus, State
from registry.snapshot import Entry, Snapshot
from registry.store import EnvironmentStore


class ListQuery(BaseModel):
    """The filters of a list; all that are given must hold."""

    model_config = ConfigDict(extra="forbid")

    project_id: str | None = None
    state: State | None = None
    health: HealthStatus | None = None
    owner: Annotated[str | None, Field(description="the owner's name or e-mail, in any case")] = (
        None
    )
    q: Annotated[
        str | None, Field(description="a part of id, slug, name, description or a host name")
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: Annotated[str | None, Field(description="`next` of the page before")] = None


def known_snapshot(store: EnvironmentStore) -> Snapshot:
    """What is in force. Raises NotReady before the first reading."""
    if store.snapshot is None:
        raise NotReady("the catalogue could not be read since the start")
    return store.snapshot


def select(entries: Sequence[Entry], query: ListQuery) -> list[Entry]:
    """The entries in force that the query asks for, in the catalogue's order."""
    return [entry for entry in entries if entry.environment and _asked(entry.environment, query)]


def page(entries: Sequence[Entry], query: ListQuery) -> tuple[Sequence[Entry], str | None]:
    """One page, and the cursor of the next; None after the last."""
    start = _start(entries, query.cursor)
    end = start + query.limit
    following = _cursor(end, entries[end - 1]) if end < len(entries) else None
    return entries[start:end], following


def _asked(environment: Environment, query: ListQuery) -> bool:
    owner = environment.owner
    return (
        query.project_id in (None, environment.project_id)
        and query.state in (None, environment.lifecycle.state)
        and query.health in (None, environment.health.status)
        and (query.owner is None or _same(query.owner, owner.name, owner.email))
        and (query.q is None or query.q.lower() in _text(environment))
    )


def _same(wanted: str, *values: str | None) -> bool:
    return wanted.lower() in {value.lower() for value in values if value}


def _text(environment: Environment) -> str:
    hostnames = environment.router.hostnames or () if environment.router else ()
    parts = (
        environment.environment_id,
        environment.slug,
        environment.name,
        environment.description or "",
        environment.host.hostname,
        *hostnames,
    )
    return "\n".join(parts).lower()


def _cursor(offset: int, last: Entry) -> str:
    last_id = last.environment.environment_id if last.environment else ""
    return base64.urlsafe_b64encode(f"{offset}:{last_id}".encode()).decode()


def _start(entries: Sequence[Entry], cursor: str | None) -> int:
    """After the last one shown, wherever it is now; by count, when it is gone."""
    if cursor is None:
        return 0
    try:
        offset, _, last_id = base64.b64decode(cursor, b"-_", validate=True).decode().partition(":")
        start = max(0, int(offset))
    except (binascii.Error, ValueError) as error:
        fault = FieldError("/cursor", "not a cursor of this list")
        raise InvalidRecord("the query is wrong", [fault]) from error
    for index, entry in enumerate(entries):
        if entry.environment and entry.environment.environment_id == last_id:
            return index + 1
    return max(0, start - 1)  # the last one shown is gone: the rest moved up
