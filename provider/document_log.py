"""What each environment had in each of the last documents. Pure: times are given.

The shares of 64 documents of 10,000 environments would be many; what changed from one to the next
is little. So of each environment only the changes of its share are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

DOCUMENTS_KEPT = 64


class LoggedDocument(NamedTuple):
    """A document that was published: when, and on which change.

    `number` counts the documents of this run; `changed_at_s` is monotonic.
    """

    number: int
    digest: str
    published_at: datetime
    changed_at_s: float
    changed: frozenset[str]


class _Change(NamedTuple):
    number: int
    tag: str | None
    at: datetime


@dataclass
class DocumentLog:
    """The last documents, oldest first; one that came back stands there twice.

    `began_at` is the time of the very first.
    """

    _documents: deque[LoggedDocument] = field(default_factory=deque)
    _by_digest: dict[str, LoggedDocument] = field(default_factory=dict)
    _changes: dict[str, list[_Change]] = field(default_factory=dict)
    _count: int = 0
    began_at: datetime | None = None

    def add(
        self, digest: str, changed: Mapping[str, str | None], at: datetime, changed_at_s: float
    ) -> LoggedDocument:
        """Note a document, and what changed with it: whose tag is what now, None for nothing."""
        self._count += 1
        self.began_at = self.began_at or at
        for each, tag in changed.items():
            self._changes.setdefault(each, []).append(_Change(self._count, tag, at))
        logged = LoggedDocument(self._count, digest, at, changed_at_s, frozenset(changed))
        self._documents.append(logged)
        self._by_digest[digest] = logged
        self._forget()
        return logged

    @property
    def latest(self) -> LoggedDocument | None:
        """The newest; None before the first."""
        return next(reversed(self._documents), None)

    def get(self, digest: str | None) -> LoggedDocument | None:
        """A document that is kept; None for one that is not known, or not any more."""
        return self._by_digest.get(digest or "")

    def share(self, environment_id: str, document: LoggedDocument) -> str | None:
        """The tag of what an environment had in a document; None for nothing."""
        changes = self._changes.get(environment_id, ())
        return next((c.tag for c in reversed(changes) if c.number <= document.number), None)

    def since(self, environment_id: str) -> datetime | None:
        """When an environment came to have what the newest document has of it.

        None for one that no kept document has.
        """
        changes = self._changes.get(environment_id)
        return changes[-1].at if changes else None

    def between(self, old: LoggedDocument | None, new: LoggedDocument) -> list[LoggedDocument]:
        """The documents after `old`, up to `new`; without `old`, `new` alone."""
        first = old.number if old else new.number - 1
        return [d for d in self._documents if first < d.number <= new.number]

    def changed(self, old: LoggedDocument | None, new: LoggedDocument) -> frozenset[str]:
        """The environments that have something else in `new` than in `old`."""
        if old is None:
            return frozenset(each for each in self._changes if self.share(each, new) is not None)
        span = sorted((old.number, new.number))
        touched = (d.changed for d in self._documents if span[0] < d.number <= span[1])
        return frozenset(
            each
            for each in frozenset().union(*touched)
            if self.share(each, old) != self.share(each, new)
        )

    def _forget(self) -> None:
        while len(self._documents) > DOCUMENTS_KEPT:
            gone = self._documents.popleft()
            if self._by_digest[gone.digest] is gone:
                del self._by_digest[gone.digest]
            for each in gone.changed:
                self._trim(each, self._documents[0].number)

    def _trim(self, environment_id: str, oldest: int) -> None:
        """Keep of an environment's changes the one in force at the oldest document, and later."""
        changes = self._changes.get(environment_id, [])
        older = sum(1 for change in changes if change.number <= oldest)
        kept = changes[max(0, older - 1) :]
        if [change.tag for change in kept] == [None]:
            del self._changes[environment_id]
        elif kept:
            self._changes[environment_id] = kept
