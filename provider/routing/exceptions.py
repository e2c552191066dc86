"""Since when a condition of the catalogue is as it is. Pure: times are given.

Only what is not so is remembered: almost everything is in order, almost always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from provider.render.document import Document
from registry.snapshot import Snapshot

Kind = Literal["Valid", "Accepted"]
Key = tuple[str, Kind]


@dataclass
class Exceptions:
    """What is wrong, and since when; and when what was wrong came in order."""

    _since: dict[Key, tuple[str, datetime]] = field(default_factory=dict)
    _mended: dict[Key, datetime] = field(default_factory=dict)

    def note(self, snapshot: Snapshot, document: Document, now: datetime) -> None:
        """Take what is wrong now."""
        found = dict(_wrong(snapshot, document))
        before = self._since
        self._since = {
            key: before[key] if key in before and before[key][0] == reason else (reason, now)
            for key, reason in found.items()
        }
        mended = dict.fromkeys(before.keys() - found.keys(), now)
        known = {**self._mended, **mended}
        self._mended = {
            key: at for key, at in known.items() if key[0] in snapshot.by_id and key not in found
        }

    def since(self, environment_id: str, kind: Kind) -> datetime | None:
        """When it became as it is; None when it never was otherwise."""
        wrong = self._since.get((environment_id, kind))
        return wrong[1] if wrong else self._mended.get((environment_id, kind))


def _wrong(snapshot: Snapshot, document: Document) -> Iterator[tuple[Key, str]]:
    for fault in snapshot.faults:
        yield (fault.environment_id or fault.slug or "", "Valid"), fault.code
    yield from _refused((each.environment_id, each.code) for each in document.rejections)
    yield from _refused((each, "route_conflict") for each in document.lost)


def _refused(items: Iterable[tuple[str, str]]) -> Iterator[tuple[Key, str]]:
    for environment_id, code in items:
        yield (environment_id, "Accepted"), code
