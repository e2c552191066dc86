"""The list of environments: which of them, in which order, a page at a time. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from registry.entries import Entry
from registry.errors import FieldError, InvalidRecord, NotReady
from registry.schema import Environment, HealthStatus, State
from registry.snapshot import Snapshot
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


def select(snapshot: Snapshot, query: ListQuery) -> Sequence[Entry]:
    """The entries in force that the query asks for, in the catalogue's order."""
    entries: Sequence[Entry] = snapshot.in_force
    if query.project_id is not None:
        entries = snapshot.by_project.get(query.project_id, ())
    elif query.state is not None:
        entries = snapshot.by_state.get(query.state, ())
    if not _asks_more(query):
        return entries
    return [entry for entry in entries if entry.environment and _asked(entry.environment, query)]


def page(entries: Sequence[Entry], query: ListQuery) -> tuple[Sequence[Entry], str | None]:
    """One page, and the cursor of the next; None after the last."""
    start = _start(entries, query.cursor)
    end = start + query.limit
    following = _cursor(end, entries[end - 1]) if end < len(entries) else None
    return entries[start:end], following


def _asks_more(query: ListQuery) -> bool:
    """Whether the groups of the snapshot do not answer it."""
    both = query.project_id is not None and query.state is not None
    return both or query.health is not None or query.owner is not None or query.q is not None


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
    return base64.urlsafe_b64encode(f"{offset}:{_id(last)}".encode()).decode()


def _id(entry: Entry) -> str:
    return entry.environment.environment_id if entry.environment else ""


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
    if 0 < start <= len(entries) and _id(entries[start - 1]) == last_id:
        return start  # as almost always: nothing came or went before it
    for index, entry in enumerate(entries):
        if _id(entry) == last_id:
            return index + 1
    return max(0, start - 1)  # the last one shown is gone: the rest moved up
