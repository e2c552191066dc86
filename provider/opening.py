"""A start with a kept document: it is served at once, while the rest is still being opened."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

_log = structlog.get_logger()


class Opening:
    """Until it is `over`, requests that need more than the kept document wait.

    Nothing is said that is not known yet: neither a health nor an environment.
    """

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._failure: BaseException | None = None

    @property
    def is_over(self) -> bool:
        """Whether everything can be asked."""
        return self._over.is_set() and self._failure is None

    def over(self, failure: BaseException | None = None) -> None:
        """All is open; or a bug, or the end of the daemon, came first."""
        self._failure = failure
        self._over.set()

    async def wait(self) -> None:
        """Returns when all is open. Raises RuntimeError when it never will be."""
        await self._over.wait()
        if self._failure is not None:
            raise RuntimeError("the store could not be opened") from self._failure


def opened_by(opening: Opening, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """The work that ends the opening, beside all else; a bug in it is logged, not lost."""

    async def watched() -> None:
        """However it ends, nobody waits any longer."""
        try:
            await work
        except BaseException as error:
            if isinstance(error, Exception):
                _log.exception("not_opened", note="the last good document is served, no more")
            opening.over(error)
            raise

    return asyncio.create_task(watched())
