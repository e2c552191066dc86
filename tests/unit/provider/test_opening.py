"""A start with a kept document: who waits, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from provider.opening import Opening, opened_by
from registry.errors import NotReady, StoreUnavailable


async def test_who_waits_goes_on_when_all_is_open() -> None:
    opening = Opening()
    waiting = asyncio.create_task(opening.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    opening.over()
    await waiting
    assert opening.is_over


async def test_a_bug_while_opening_reaches_those_who_wait() -> None:
    opening = Opening()

    async def fails() -> None:
        raise ValueError("a bug")

    task = opened_by(opening, fails())
    with pytest.raises(StoreUnavailable, match="could not be opened"):
        await opening.wait()
    with pytest.raises(ValueError, match="a bug"):
        await task


async def test_nobody_waits_for_a_daemon_that_ends_first() -> None:
    opening = Opening()
    task = opened_by(opening, asyncio.sleep(3600))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(NotReady, match="stopping"):
        await opening.wait()
    assert not opening.is_over


async def test_nobody_waits_for_ever() -> None:
    opening = Opening(wait_s=0)
    with pytest.raises(NotReady, match="still starting") as refusal:
        await opening.wait()
    assert refusal.value.facts["retry_after_s"] == 5
    opening.over()
    await opening.wait()
