"""Looking up names of the machine: bounded, whatever hangs."""

from __future__ import annotations

import asyncio
import threading

import pytest

from provider.observe.name_lookup import LOOKUPS_AT_ONCE, LookupsBusy, NameLookup


async def test_lookups_that_hang_are_bounded_and_hold_nobody_up() -> None:
    released = threading.Event()
    lookup = NameLookup(lambda host: ["127.0.0.1"] if released.wait(20) else [])
    hanging = [asyncio.create_task(lookup("slow.test")) for _ in range(LOOKUPS_AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(LookupsBusy):
        await lookup("one.too.many.test")
    released.set()
    assert await asyncio.gather(*hanging) == [["127.0.0.1"]] * LOOKUPS_AT_ONCE
    assert await lookup("next.test") == ["127.0.0.1"]


async def test_the_machine_knows_localhost() -> None:
    assert set(await NameLookup()("localhost")) & {"127.0.0.1", "::1"}
