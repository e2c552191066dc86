"""The history: an append-only file of revisions, and the state that it leads to.

The catalogue file is the truth and history follows it: a change is appended after it is durable
in the catalogue. What a crash left out between the two is found at the next start, as the
difference between the state that history leads to and the catalogue.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog
from pydantic import ValidationError

from registry.collector import collector_resting
from registry.differing import differing
from registry.errors import RegistryError
from registry.history_files import HistoryFiles
from registry.history_lines import (
    glance,
    kept_state,
    lines_about,
    record_of,
    state_text,
    tags_in,
    tags_of,
)
from registry.recent import RecentWrites
from registry.revisions import BY_US, Author, Difference, Revision, apart, from_line, to_line
from registry.schema import Environment

BYTES_MAX = 64 * 1024 * 1024
_MANY = 500

_log = structlog.get_logger()
V = TypeVar("V")


class History:
    """Revisions in a folder; without a folder, in memory alone.

    `recent` are our own writes of the last 15 minutes. Appending never raises: what the disk
    refuses is kept in memory and written with the next change, and `trouble` says so. `appended`
    is called with each change's revisions, once they are appended; it must not raise.
    """

    def __init__(self, folder: Path | None = None, *, bytes_max: int = BYTES_MAX) -> None:
        self._files, self._bytes_max = HistoryFiles(folder) if folder else None, bytes_max
        self._memory: list[Revision] = []
        self._unwritten: list[Revision] = []
        self._turn = asyncio.Lock()
        self._writing: asyncio.Future[None] | None = None
        self._known: dict[str, Environment] = {}
        self._kept: dict[str, bytes] = {}
        self._met: dict[str, Environment] = {}
        self._kept_at = -1
        self._dropped: dict[str, set[str]] = {}
        self.recent = RecentWrites()
        self._shared: Sequence[Environment] = ()
        self._lately: list[Environment] = []
        self._touched: set[str] = set()
        self.last = 0
        self._is_open = False
        self.founded = False
        self.trouble: RegistryError | None = None
        self.appended: Callable[[Sequence[Revision]], None] = lambda _revisions: None

    def open(self, now: datetime) -> None:
        """Read the state, mending a torn last line; `trouble` says what the disk refuses."""
        if self._files is None:
            return
        try:
            self._files.prepare()
        except RegistryError as error:  # read-only, or full: what is there is read all the same
            self.trouble = error
        with collector_resting():
            self._read_all(now)

    @property
    def known(self) -> dict[str, Environment]:
        """The state that all revisions lead to, by `environment_id`.

        What a start found is text until somebody asks: of many records that takes its time.
        """
        if self._kept:
            self._known = self._made()
            self._kept, self._met = {}, {}
        return self._known

    def meet(self, environment: Environment, text: bytes) -> None:
        """Take a record that was just read, of this compact text, where the text is the known one.

        Then the known record is this very object, and nobody needs to make it.
        """
        if self._kept and self._kept.get(environment.environment_id) == text:
            self._met[environment.environment_id] = environment

    async def past(self, environment_ids: Collection[str]) -> dict[str, set[str]]:
        """The entity tags of every state that these records ever were in."""
        async with self._turn:
            return await asyncio.to_thread(self._past, environment_ids)

    def _past(self, environment_ids: Collection[str]) -> dict[str, set[str]]:
        past = {each: set(self._dropped.get(each, ())) for each in environment_ids}
        for content in self._files.contents() if self._files else ():
            for environment_id, tags in past.items():
                for line in lines_about(content, environment_id):
                    found = tags_in(line)
                    tags.update(found[1] if found and found[0] == environment_id else ())
        for revision in (*self._memory, *self._unwritten):
            if revision.environment_id in past:
                past[revision.environment_id].update(tags_of(revision))
        return past

    def _made(self) -> dict[str, Environment]:
        try:
            return {key: self._met.get(key) or record_of(text) for key, text in self._kept.items()}
        except ValueError:  # noise, or written by an older version of the rules
            return self._made_line_by_line()

    def _read_all(self, now: datetime) -> None:
        try:
            self.last, self._kept = kept_state(self._in_files().state())
            self.founded = self.last > 0  # a first start that made nothing has founded nothing
            self._kept_at = self.last
        except (OSError, ValueError, KeyError, TypeError):
            self.last, self._kept = 0, {}
        for line in self._in_files().lines():
            seen = glance(line)
            if seen is None:
                continue
            self.founded = True
            if seen.revision > self.last:
                self.last = seen.revision
                _put(self._kept, seen.environment_id, seen.after)
            if seen.source in BY_US:
                revision = from_line(line)
                if revision is not None:
                    self.recent.note(revision)
        self.recent.forget(now)
        self._touched = set(self._kept)
        self._is_open = True

    async def follow(self, changed: Iterable[tuple[Difference, Author]], now: datetime) -> None:
        """Append one revision for each difference; durable on return unless `trouble` says so."""
        await (await self.begin(changed, now))

    async def begin(
        self, changed: Iterable[tuple[Difference, Author]], now: datetime
    ) -> asyncio.Future[None]:
        """As `follow`, but what is returned is done when the lines are durable.

        What is known has the changes when this returns. Nothing else is appended, read or rotated
        until the lines are written: the turn ends with them.
        """
        await self._turn.acquire()
        try:
            added = self._taken(changed, now)
        except BaseException:
            self._turn.release()
            raise
        if not (added or self._unwritten):
            self._turn.release()
            return _done()
        self._writing = asyncio.ensure_future(self._written(added))
        return asyncio.shield(self._writing)

    def _taken(self, changed: Iterable[tuple[Difference, Author]], now: datetime) -> list[Revision]:
        added, made = list[Revision](), list[Environment]()
        for (environment_id, before, after), author in changed:
            if before is None and after is None:
                continue  # a broken record that never was good
            old, new = (each.document if each else None for each in (before, after))
            tags = tuple(each.revision for each in (before, after) if each)
            revision = Revision(self.last + 1, now, author, environment_id, old, new, tags)
            self.last = revision.revision
            self._take(environment_id, after)
            added.append(revision)
            self.recent.note(revision)
            made += [after] if after else []
        self.recent.forget(now)
        if added:
            self._forget_documents()
            self._lately = made
        return added

    def _forget_documents(self) -> None:
        """They were made for lines and answers, and are hardly asked for again."""
        for environment in self._lately:
            environment.forget_document()

    async def _written(self, added: Sequence[Revision]) -> None:
        try:
            await self._append(added)
        finally:
            self._turn.release()
        if added:
            self.appended(added)
        if len(added) > _MANY:  # a first start
            self._forget_documents()

    def share(self, environments: Sequence[Environment]) -> None:
        """Take these, equal to what is known, as the known objects: then comparing is cheap."""
        gone, come = differing(self._shared, environments)
        if [each.environment_id for each in gone] == [each.environment_id for each in come]:
            self.known.update({each.environment_id: each for each in come})
        else:  # the order of the catalogue is kept, too
            self._kept, self._met = {}, {}
            self._known = {each.environment_id: each for each in environments}
        self._shared, self._touched = environments, set()

    def is_new_to(self, environments: Sequence[Environment]) -> bool:
        """Whether many of these are other objects than those that were shared."""
        return len(differing(self._shared, environments)[1]) > _MANY

    def missed(self, environments: Sequence[Environment]) -> list[Difference]:
        """What differs between the state that history knows and these environments."""
        gone, come = differing(self._shared, environments)
        after = {each.environment_id: each for each in come}
        left = {each.environment_id for each in gone} - after.keys()
        if not self._touched <= after.keys() | left:
            after, left = {each.environment_id: each for each in environments}, set(self.known)
        lost = left - after.keys()
        deleted = (key for key in self.known if key in lost) if lost else ()
        return [*apart(self.known, after), *((key, self.known[key], None) for key in deleted)]

    async def of(self, environment_id: str) -> list[Revision]:
        """The revisions of one environment, newest first."""
        return [r for r in await self.since(0) if r.environment_id == environment_id][::-1]

    async def since(self, revision: int) -> list[Revision]:
        """All that are kept after this revision, oldest first."""
        if self._files is None:
            return [each for each in self._memory if each.revision > revision]
        async with self._turn:
            kept = await asyncio.to_thread(lambda: list(self._lines()))
        return [each for each in (*kept, *self._unwritten) if each.revision > revision]

    async def at_rest(self) -> None:
        """Returns when no lines are on their way to the disk."""
        async with self._turn:
            return

    async def aclose(self) -> None:
        """Wait for the lines that are on their way, and `close`."""
        await self.at_rest()
        self.close()

    def close(self) -> None:
        """Keep the state, so that the next start reads few lines; not ahead of the lines."""
        if self._is_open and not (self._turn.locked() or self._unwritten):
            with contextlib.suppress(RegistryError):
                self._write_known()

    def _take(self, environment_id: str, environment: Environment | None) -> None:
        self._touched.add(environment_id)
        _put(self.known, environment_id, environment)

    def _made_line_by_line(self) -> dict[str, Environment]:
        """The known state by reading every line whole; one that breaks the rules is passed over."""
        known: dict[str, Environment] = {}
        last = 0
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            last, texts = kept_state(self._in_files().state())
            for name, text in texts.items():
                with contextlib.suppress(ValueError):
                    known[name] = record_of(text)
        for each in self._lines():
            if each.revision > last:
                last = each.revision
                with contextlib.suppress(ValidationError):
                    after = each.after and Environment.model_validate(each.after)
                    _put(known, each.environment_id, after or None)
        return known

    async def _append(self, added: Sequence[Revision]) -> None:
        if self._files is None:
            self._memory.extend(added)
            return
        self._unwritten.extend(added)
        if not self._unwritten:
            return
        try:
            await asyncio.to_thread(self._write, list(self._unwritten))
            self._unwritten.clear()
            self.trouble = None
        except RegistryError as error:
            self.trouble = error
            _log.error("history_not_written", reason=error.detail, waiting=len(self._unwritten))

    def _write(self, revisions: Sequence[Revision]) -> None:
        files = self._in_files()
        if files.append(b"".join(map(to_line, revisions))) > self._bytes_max:
            try:
                self._write_known()
                self._remember_tags(files.dropped_next())
                files.rotate()
            except RegistryError as error:  # the lines are on disk; tried again with the next
                _log.warning("history_not_rotated", reason=error.detail)

    def _remember_tags(self, lines: Iterable[bytes]) -> None:
        """The entity tags of the lines that the rotation drops: an editor may be as old."""
        for environment_id, tags in filter(None, map(tags_in, lines)):
            self._dropped.setdefault(environment_id, set()).update(tags)

    def _in_files(self) -> HistoryFiles:
        assert self._files is not None
        return self._files

    def _lines(self) -> Iterator[Revision]:
        return (revision for line in self._in_files().lines() if (revision := from_line(line)))

    def _write_known(self) -> None:
        if self._kept_at == self.last:
            return
        # Not of `document`, which would stay.
        made = (each.model_dump_json().encode() for each in self._known.values())
        texts = (*self._kept.values(), *made)
        self._in_files().keep_state(state_text(self.last, texts))
        self._kept_at = self.last


def _put(known: dict[str, V], environment_id: str, after: V | None) -> None:
    if after is None:
        known.pop(environment_id, None)
    else:
        known[environment_id] = after


def _done() -> asyncio.Future[None]:
    done = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done
