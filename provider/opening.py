"""A start with a kept document: it is served at once, while the rest is still being opened."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

from registry.errors import NotReady, StoreUnavailable

WAIT_S = 20.0
_RETRY_S = 5.0

_log = structlog.get_logger()


class Opening:
    """Until it is `over`, requests that need more than the kept document wait, `wait_s` at most.

    Nothing is said that is not known yet: neither a health nor an environment.
    """

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
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
        """Returns when all is open.

        Raises NotReady when that takes too long, or the daemon ends, and StoreUnavailable after a
        bug.
        """
        try:
            async with asyncio.timeout(self._wait_s):
                await self._over.wait()
        except TimeoutError as error:
            raise NotReady("still starting: ask again", retry_after_s=_RETRY_S) from error
        if isinstance(self._failure, asyncio.CancelledError):
            raise NotReady("stopping before the start was over", retry_after_s=_RETRY_S)
        if self._failure is not None:
            reason = "it could not be opened, a bug of ours; the log has it"
            raise StoreUnavailable(reason) from self._failure


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
