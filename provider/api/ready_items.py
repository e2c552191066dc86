"""Environments as bytes that are made once: of the record, and of all else that an answer shows.

What was made is kept beside what it was made from, and made anew when that is another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import is_
from typing import Any

from aiohttp import web

from provider.api.views import listed_view
from provider.health_overlay import CheckedAt
from registry.entries import Entry
from registry.errors import UnknownProject
from registry.project_spec import ProjectDefinition, Projects

_KEPT_MAX = 20_000
_AT_ONCE = 50
MadeOf = tuple[object, ...]


@dataclass(slots=True)
class _Item:
    """`record` is without routing; `listed` has it, as it was when all else was `made_of`."""

    entry: Entry
    checked_at: datetime | None
    record: bytes
    listed: bytes = b""
    made_of: MadeOf | None = None


class ReadyItems:
    """The bytes of environments and workspaces; of 20,000 environments at most.

    `made_of` gives all that `checked_at` and `in_short` may depend on beside the entry: objects,
    of which one is another where one of them may say anything else. `encoded` counts the records
    that were encoded.
    """

    def __init__(
        self,
        projects: Projects,
        checked_at: CheckedAt,
        in_short: Callable[[Entry], Mapping[str, Any]],
        made_of: Callable[[], MadeOf],
    ) -> None:
        self._projects, self._checked_at = projects, checked_at
        self._in_short, self._made_of = in_short, made_of
        self._items: dict[str, _Item] = {}
        self._known_projects: dict[str, tuple[ProjectDefinition, bytes]] = {}
        self._last: MadeOf = ()
        self.encoded = 0

    async def listed(self, entries: Sequence[Entry]) -> bytes:
        """Environments in force as a list shows them, joined. Many new ones leave others room."""
        made_of, before = self._made_of_now(), self.encoded
        items: list[bytes] = []
        for start in range(0, len(entries), _AT_ONCE):
            items += [self._listed(entry, made_of) for entry in entries[start : start + _AT_ONCE]]
            if self.encoded > before + _AT_ONCE:
                await asyncio.sleep(0)
                made_of, before = self._made_of_now(), self.encoded
        return b", ".join(items)

    def record(self, entry: Entry) -> bytes:
        """One environment in force, without its routing."""
        return self._item(entry).record

    def project(self, project_id: str) -> bytes | None:
        """A workspace as it is on disk now; None when there is none by this id."""
        try:
            project = self._projects.get(project_id)
        except UnknownProject:
            return None
        known = self._known_projects.get(project_id)
        if known is None or known[0] is not project:
            known = self._known_projects[project_id] = (
                project,
                _json(project.document),
            )
        return known[1]

    def _listed(self, entry: Entry, made_of: MadeOf) -> bytes:
        item = self._items.get(entry.environment.environment_id) if entry.environment else None
        if item is None or item.entry is not entry or item.made_of is not made_of:
            item = self._item(entry)
            item.listed = with_member(item.record, b"routing", _json(self._in_short(entry)))
            item.made_of = made_of
        return item.listed

    def _item(self, entry: Entry) -> _Item:
        """What is kept of an entry, or what is made now; its record is up to date."""
        assert entry.environment is not None
        checked_at, key = self._checked_at(entry.environment), entry.environment.environment_id
        item = self._items.get(key)
        if item is None or item.entry is not entry or item.checked_at != checked_at:
            self.encoded += 1
            made = _json(listed_view(entry, lambda _environment: checked_at))
            item = self._items[key] = _Item(entry, checked_at, made)
            if len(self._items) > _KEPT_MAX:
                del self._items[next(iter(self._items))]
        return item

    def _made_of_now(self) -> MadeOf:
        """The same object while nothing is another."""
        now = self._made_of()
        if len(now) != len(self._last) or not all(map(is_, now, self._last)):
            self._last = now
        return self._last


ITEMS = web.AppKey("ready_items", ReadyItems)


def with_member(record: bytes, name: bytes, value: bytes) -> bytes:
    """A JSON object of at least one member, with one more at its end."""
    return b'%b, "%b": %b}' % (record[:-1], name, value)


def members(pairs: Iterable[tuple[str, bytes]]) -> bytes:
    """A JSON object of ready values."""
    return b"{%b}" % b", ".join(b"%b: %b" % (_json(name), value) for name, value in pairs)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
