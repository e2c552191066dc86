"""The catalogue in force: what is stored, after hand edits were judged, with its history."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

import structlog

from registry import changes, codec
from registry.collector import collector_resting
from registry.edits import Held, StaleItem, brake, stale_items, suspects, with_ours, with_theirs
from registry.engines.protocol import Engine, Stale
from registry.entries import Entry, RawRecord
from registry.errors import EditedElsewhere, EditHeld, RegistryError
from registry.history import History
from registry.reader import Reader
from registry.revisions import Author
from registry.snapshot import Snapshot
from registry.standing import coherent

_log = structlog.get_logger()
_BY_HAND = Author("file", "hand edit")
_FOUND = Author("file", "found")
_ROUNDS_MAX = 10
_MANY = 100


class Catalogue:
    """One state at a time. Callers take turns (the Writer's lock); nothing here waits for them.

    `snapshot` is in force; `trouble` is why the last reading failed; `held` is an edit that waits
    for a person, and `stale` are records of an edit that was older than a write of ours. `coming`
    is told what will be in force, if the disk takes it, while a write goes there.
    """

    def __init__(
        self, engine: Engine, reader: Reader, history: History, clock: Callable[[], datetime]
    ) -> None:
        self._engine, self._reader, self.history, self._clock = engine, reader, history, clock
        self._judged: Snapshot | None = None
        self._confirmed = False
        self._snapshot: Snapshot | None = None
        self._is_remembered = False
        self.trouble: RegistryError | None = None
        self.held: Held | None = None
        self.stale: tuple[StaleItem, ...] = ()
        self.loaded = False
        self.coming: Callable[[Snapshot], None] = lambda _after: None

    @property
    def snapshot(self) -> Snapshot | None:
        """What is in force; before the first reading, what was when we stopped."""
        if not self._is_remembered:
            self.snapshot = _remembered(self.history)
        return self._snapshot

    @snapshot.setter
    def snapshot(self, snapshot: Snapshot | None) -> None:
        """Put in force."""
        self._snapshot, self._is_remembered = snapshot, True

    async def _remember(self) -> None:
        """The state of before: of records that are stored as they were, the records just read."""
        if self.history.founded:
            with contextlib.suppress(RegistryError):  # the reading itself will say so
                await self._reader.read_ahead(self.history.meet)
        with collector_resting():
            await asyncio.to_thread(lambda: self.snapshot)

    async def settle(self) -> Snapshot:
        """Read, judge, complete, put in force, and append to history what an edit changed.

        Raises CatalogueUnreadable and StoreUnavailable, with everything as it was.
        """
        if not self._is_remembered:
            await self._remember()
        try:
            for _ in range(_ROUNDS_MAX):
                found = await self._reader.read(self.snapshot)
                if found is self._judged or await self._judge(found):
                    break
        except RegistryError as error:
            self.trouble = error
            raise
        self.trouble = None
        assert self.snapshot is not None
        return self.snapshot

    async def found(self) -> Snapshot:
        """Make an empty catalogue where there never was one; one that vanished is a fault.

        Raises CatalogueUnreadable, DiskFull and StoreUnavailable.
        """
        loaded = await self._engine.load()
        if loaded.absent and not self._reader.founded:
            with contextlib.suppress(Stale):  # somebody just made one
                await self._engine.commit((), loaded.revision)
        return await self.settle()

    def check_open(self) -> None:
        """Raises EditHeld while a hand edit waits: nothing is written over it."""
        if self.held is not None:
            raise EditHeld(str(self.held))

    async def commit(self, after: Snapshot) -> None:
        """Make a snapshot that was derived from the one in force durable, and put it in force.

        Raises Stale when the stored catalogue moved on, EditHeld, and what the engine raises.
        """
        before = self.snapshot
        assert before is not None
        self.check_open()
        commit = changes.between(before, after)
        if commit:
            self.coming(after)
            await self._engine.commit(commit, before.revision)
            self._reader.expect(before.differing(after)[1])
        self.snapshot = after
        # What was written anew leaves nothing to insist on.
        self.stale = tuple(
            item
            for item in self.stale
            if after.by_id.get(item.environment_id) is before.by_id.get(item.environment_id)
        )

    async def confirm(self) -> list[str]:
        """Let a held edit through, or the records of a stale one; the ids that it was about."""
        await self.settle()
        if self.held is not None:
            ids = list(self.held.dropped)
            self._confirmed, self._judged = True, None
            try:
                await self.settle()
            finally:
                self._confirmed = False  # it was for this edit, not for the next
            return ids
        stale = self.stale
        await self._insist(stale)
        self.stale = ()
        with contextlib.suppress(RegistryError):
            await self.settle()
        return [item.environment_id for item in stale]

    def foreseen(self, after: Snapshot) -> Snapshot:
        """A snapshot that is not stored, as it would be in force once it were."""
        return self._reader.judged(after, after)

    def confirmable(self) -> tuple[list[str], Snapshot]:
        """The ids that `confirm` is about, and what would then be in force.

        For what `settle` has just left; nothing is changed.
        """
        assert self.snapshot is not None
        if self.held is not None:
            assert self._judged is not None  # what was found, and is held back
            return list(self.held.dropped), self._with_keys(self._judged)
        if not self.stale:
            return [], self.snapshot
        after = self._reader.judged(with_theirs(self.snapshot, self.stale), self.snapshot)
        return [item.environment_id for item in self.stale], after

    async def _insist(self, stale: tuple[StaleItem, ...]) -> None:
        """Write the stale records as the file had them; again, when it is saved meanwhile."""
        for _ in range(_ROUNDS_MAX):
            before = await self.settle()
            theirs = with_theirs(before, stale)
            with contextlib.suppress(Stale):
                await self.commit(await asyncio.to_thread(self._reader.judged, theirs, before))
                return
        raise EditedElsewhere("the file is saved again and again; nothing was written")

    async def _judge(self, found: Snapshot) -> bool:
        """Whether `found` is settled; else it was changed, and is to be read again."""
        self.held = None
        if self.snapshot is not None and not self._confirmed:
            recent = self.history.recent
            recent.forget(self._clock())
            touched = suspects(self.snapshot, found, recent)
            past = await self.history.past(touched) if touched else {}
            stale = stale_items(self.snapshot, found, recent, past) if touched else ()
            mended = found
            if stale:  # whoever has a name of ours in the edit gives way
                ours, known = with_ours(found, stale), self.snapshot
                mended = await asyncio.to_thread(self._reader.judged, ours, known)
            self.held = brake(self.snapshot, mended)
            if self.held is not None:
                self._judged, self.loaded = found, True
                return True
            if stale:
                return await self._reinstate(found, self._with_keys(mended), stale)
        lacking = found.lacking
        if lacking and await self._complete(found):
            return False
        await self._put_in_force(found)
        self._judged = None if lacking else found  # completed with the next reading, if not now
        return True

    async def _put_in_force(self, snapshot: Snapshot) -> None:
        author = _BY_HAND if self.loaded else _FOUND
        self.snapshot, self.loaded = snapshot, True
        if len(snapshot.entries) > _MANY and self.history.is_new_to(snapshot.environments):
            with collector_resting(len(snapshot.entries)):
                missed = await asyncio.to_thread(self.history.missed, snapshot.environments)
        else:
            missed = self.history.missed(snapshot.environments)
        if missed:
            self.stale = ()  # a later edit: whoever made it saw what stands
        self._confirmed = False
        if missed or self.history.trouble:
            # Its lines are written while it is rendered: an edit is durable where it was made.
            await self.history.begin([(each, author) for each in missed], self._clock())
        self.history.share(snapshot.environments)

    async def _reinstate(
        self, found: Snapshot, after: Snapshot, stale: tuple[StaleItem, ...]
    ) -> bool:
        ids = {item.environment_id for item in stale}
        for item in stale:
            _log.warning("stale_edit", environment=item.environment_id, reason=str(item))
        older = tuple(item for item in self.stale if item.environment_id not in ids)
        committed = await self._commit_quietly(found, after)
        await self._put_in_force(after)
        self.stale = (*older, *stale)
        return not committed  # what is not on disk yet is judged, and tried, again next time

    async def _complete(self, found: Snapshot) -> bool:
        return await self._commit_quietly(found, self._with_keys(found))

    def _with_keys(self, found: Snapshot) -> Snapshot:
        """What was found, with the keys that hand-made records lack."""
        if not found.lacking:
            return found
        now = self._clock()
        return found.having_all([(entry, _completed(entry, now)) for entry in found.lacking])

    async def _commit_quietly(self, before: Snapshot, after: Snapshot) -> bool:
        """Whether to read again; False when the disk refuses: tried again at the next change."""
        try:
            await self._engine.commit(changes.between(before, after), before.revision)
        except Stale:
            return True
        except RegistryError as error:
            _log.error("catalogue_not_completed", reason=error.detail)
            return False
        return True


def _remembered(history: History) -> Snapshot | None:
    """What was in force when we stopped: the last good of whatever is broken now."""
    if not history.founded:
        return None
    environments = coherent(history.known.values())
    raw = RawRecord("", "")  # what stands in the file has not been read
    return Snapshot(tuple([Entry(raw, environment) for environment in environments]))


def _completed(entry: Entry, now: datetime) -> Entry:
    assert entry.environment is not None
    document = entry.environment.document
    times = {key: now for key in entry.wanting if key.endswith("_at") and not document[key]}
    environment = changes.validated({**document, **times})
    text = codec.completed(entry.raw.text, environment, entry.wanting)
    return Entry(RawRecord(entry.raw.key, text, entry.raw.place, laid_out=True), environment)
