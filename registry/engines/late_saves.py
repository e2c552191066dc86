"""The files that ours took the place of, while an editor may still save into one.

What is saved there late is put in place like any save; where the file was edited since, it is kept
beside it, as `<name>.<number>.late`.
"""

from __future__ import annotations

import time
from pathlib import Path

import structlog

from registry.engines.content import Content
from registry.engines.exchange import Displaced, put_back
from registry.errors import RegistryError

KEPT_MAX = 8  # an editor that has the file open over more writes is not waited for
_log = structlog.get_logger()


class LateSaves:
    """The last displaced files of `path`. Its methods read and write files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._displaced: list[Displaced] = []

    def __len__(self) -> int:
        return len(self._displaced)

    def expect_into(self, displaced: Displaced) -> None:
        """One more file may be saved into."""
        self._displaced.append(displaced)

    def are_possible(self) -> bool:
        """False where the times of all of them prove that nobody saved since the last look."""
        return any(each.may_differ() for each in self._displaced)

    def take(self, placed: Content) -> None:
        """Put in place what was saved late; `placed` is what we wrote last."""
        for displaced in list(self._displaced):
            if displaced.saved_into():
                self._put_back(displaced, placed)

    def given_up(self, placed: Content, *, whole: bool = False) -> list[Displaced]:
        """Those that nobody is waited for any more, or the `whole`, to be removed by the caller.

        After a last look at what is in them, as for `take`. The newest stays until another one is
        displaced: where nobody writes, an editor may take its time.
        """
        old = self._displaced[:-KEPT_MAX]
        old += [each for each in self._displaced[-KEPT_MAX:-1] if each.expired()]
        left = list(self._displaced) if whole else old
        return [each for each in left if self._is_as_it_was(each, placed)]

    def _is_as_it_was(self, displaced: Displaced, placed: Content) -> bool:
        if displaced.saved_into(thoroughly=True):
            self._put_back(displaced, placed)
            return False
        self._displaced.remove(displaced)
        return True

    def _put_back(self, displaced: Displaced, placed: Content) -> None:
        self._displaced.remove(displaced)
        try:
            if put_back(displaced, self._path, placed):
                displaced.forget()
                return
            kept = displaced.path.rename(self._path.with_suffix(f".{time.time_ns()}.late"))
            _log.error("late_save_kept_aside", file=kept.name, reason="edited since")
        except (OSError, RegistryError) as error:
            _log.error("late_save_waits", file=displaced.path.name, reason=str(error))
            self._displaced.append(displaced)
