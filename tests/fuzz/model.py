"""What must be in force: a small model of the catalogue, written from the design alone.

A state is a token; a record is the pair of its id and its token. The model knows the file as the
list of its items, and what is in force as a token by id.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

ROUTED = frozenset({"env-a", "env-b", "env-c"})
"""Records with a router; to drop all of them at once, two or more, is held back."""


@dataclass(frozen=True)
class Item:
    """A record of the file; a broken one has an id and no usable state."""

    id: str
    token: str
    broken: bool = False


@dataclass
class Model:
    """The file and what is in force; `settled` is the file when that was last judged.

    `recent` are ids that the API wrote a short while ago, in order, `created` those of them that it
    made, `past` all states that a record ever was in.
    """

    file: list[Item] = field(default_factory=list)
    settled: list[Item] = field(default_factory=list)
    force: dict[str, str] = field(default_factory=dict)
    recent: dict[str, None] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    past: dict[str, set[str]] = field(default_factory=dict)
    readable: bool = True
    held: bool = False

    def quarantined(self, environment_id: str) -> bool:
        """Whether there was no good record of this id when the file was last judged."""
        return not any(each.id == environment_id and not each.broken for each in self.settled)

    def write(self, environment_id: str, token: str | None) -> None:
        """A write through the API; None deletes."""
        self.recent[environment_id] = None
        if environment_id not in self.force:
            self.created.add(environment_id)
        self._replace(self._stored(environment_id), environment_id, token)
        self._put_in_force(environment_id, token)
        self.judge()

    def save(self, items: Iterable[Item]) -> None:
        """A hand edit that is found in the file."""
        self.file, self.readable = list(items), True
        self.judge()

    def judge(self, *, confirmed: bool = False) -> None:
        """What the file means, given what is in force; older states than ours are mended."""
        self.held = False
        for _ in range(10):
            found = self._found()
            mended = {} if confirmed else self._stale(found)
            after = {**found, **mended}
            routes = {key for key, token in after.items() if token is not None} & ROUTED
            was = self.force.keys() & ROUTED
            if not confirmed and len(was) >= 2 and not routes:
                self.held = True
                return
            for environment_id, token in mended.items():
                self._replace(self._winner(environment_id), environment_id, token)
            if not mended:
                break
        for environment_id in {*self.force, *found}:
            self._put_in_force(environment_id, found.get(environment_id))
        self.settled = list(self.file)

    def pass_time(self) -> None:
        """So long that no write of the API is recent any more."""
        self.recent.clear()
        self.created.clear()

    def _put_in_force(self, environment_id: str, token: str | None) -> None:
        if token is None:
            self.force.pop(environment_id, None)
            return
        self.force[environment_id] = token
        self.past.setdefault(environment_id, set()).add(token)

    def _found(self) -> dict[str, str | None]:
        """The state of each record by the file, last good states included."""
        winners = [self._winner(each.id) for each in self.file if not each.broken]
        found: dict[str, str | None] = {each.id: each.token for each in winners if each}
        matched = {
            each.id
            for each in self.file
            if each.broken and each.id in self.force and each.id not in found
        }
        found |= {environment_id: self.force[environment_id] for environment_id in matched}
        unmatched = any(
            each.id not in matched if each.broken else each not in winners for each in self.file
        )
        if unmatched:  # a vanished record may be this one
            found = {**self.force, **found}
        return found

    def _stale(self, found: dict[str, str | None]) -> dict[str, str | None]:
        """Records that the file has in an older state than that of a recent write."""
        stale: dict[str, str | None] = {}
        for environment_id in self.recent:
            ours, theirs = self.force.get(environment_id), found.get(environment_id)
            lost = theirs is None and ours is not None and environment_id in self.created
            older = theirs is not None and theirs in self.past.get(environment_id, ())
            if lost or (older and theirs != ours):
                stale[environment_id] = ours
        return stale

    def _winner(self, environment_id: str) -> Item | None:
        """Of several with one id the incumbent, else the first."""
        good = [each for each in self.file if each.id == environment_id and not each.broken]
        incumbent = Item(environment_id, self.force.get(environment_id, ""))
        return incumbent if incumbent in good else next(iter(good), None)

    def _stored(self, environment_id: str) -> Item | None:
        broken = [each for each in self.file if each.id == environment_id and each.broken]
        return self._winner(environment_id) or next(iter(broken), None)

    def _replace(self, old: Item | None, environment_id: str, token: str | None) -> None:
        new = [] if token is None else [Item(environment_id, token)]
        if old is None:
            self.file += new
            return
        at = self.file.index(old)
        self.file[at : at + 1] = new


def changed(items: Iterable[Item], old: Item, **changes: object) -> list[Item]:
    """The items with one changed."""
    return [replace(each, **changes) if each == old else each for each in items]  # type: ignore[arg-type]
