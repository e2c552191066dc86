"""Waiting until a write is served: what ends it, and what it then says."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.fakes import settled
from tests.unit.provider.routing.scene import CHANGED, DEV, SECOND, URL, Scene, fault


class Waiting:
    """Somebody who waits for the routing of `env-dev`."""

    def __init__(self, scene: Scene, wait_s: float = 60, **more: Any) -> None:
        self.task = asyncio.create_task(scene.board.settled(["env-dev"], wait_s, **more))

    async def is_waiting(self) -> bool:
        """After everybody had their turns."""
        for _ in range(20):
            await asyncio.sleep(0)
        return not self.task.done()

    async def reason(self) -> tuple[str, str]:
        """What the waiting came to."""
        await settled(self.task.done)
        live = self.task.result()["env-dev"].live
        return live.status, live.reason


async def test_waiting_ends_when_every_traefik_serves_it() -> None:
    scene = Scene((URL, SECOND))
    digest = scene.render(DEV)
    waiting = Waiting(scene)
    assert await waiting.is_waiting()
    scene.see(digest)
    assert await waiting.is_waiting()
    scene.see(digest, url=SECOND)
    assert await waiting.reason() == ("True", "live")


async def test_waiting_begins_after_the_pass_that_has_the_write() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    passed = asyncio.Event()
    scene.reconciler.catch_up = passed.wait
    scene.write(CHANGED)
    waiting = Waiting(scene)
    assert await waiting.is_waiting()
    scene.see(scene.render(CHANGED))
    passed.set()
    assert await waiting.reason() == ("True", "live")


async def test_waiting_ends_when_it_surely_will_not_be_served() -> None:
    scene = Scene()
    digest = scene.render(DEV)
    waiting = Waiting(scene)
    assert await waiting.is_waiting()
    scene.see(digest, faults=(fault("env-dev"),))
    assert await waiting.reason() == ("False", "router_disabled")


async def test_waiting_ends_with_its_time_whatever_does_not_come() -> None:
    scene = Scene()
    scene.render(DEV)
    found = [await scene.board.settled(["env-dev"], 0.01)]
    scene.reconciler.catch_up = asyncio.Event().wait
    found += [await scene.board.settled(["env-dev"], wait_s) for wait_s in (0, 0.01)]
    assert {each["env-dev"].live.reason for each in found} == {"traefik_unreachable"}


async def test_waiting_ends_when_the_client_left_or_the_daemon_stops() -> None:
    scene = Scene()
    scene.render(DEV)
    left: list[bool] = []
    first, second = Waiting(scene, has_left=lambda: bool(left)), Waiting(scene)
    left.append(True)
    scene.see(None)
    assert not await first.is_waiting()
    assert await second.is_waiting()
    scene.board.close()
    assert not await second.is_waiting()
    assert not await Waiting(scene).is_waiting()


async def test_without_a_known_traefik_there_is_nothing_to_wait_for() -> None:
    scene = Scene(())
    scene.render(DEV)
    assert scene.board.is_blind
    assert await Waiting(scene).reason() == ("Unknown", "no_traefik_known")


async def test_a_deletion_is_awaited_until_nobody_serves_it() -> None:
    scene = Scene()
    digest = scene.render(DEV)
    scene.see(digest)
    scene.write()
    waiting = Waiting(scene)
    assert await waiting.is_waiting()
    empty = scene.render()
    assert await waiting.is_waiting()
    scene.see(empty)
    assert await waiting.reason() == ("False", "deleted")
    assert waiting.task.result()["env-dev"].claims_nothing


async def test_a_deletion_that_is_not_rendered_is_not_said_to_be_withdrawn() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    scene.write()
    found = await scene.board.settled(["env-dev"], 0)
    assert not found["env-dev"].claims_nothing
    assert found["env-dev"].live.status == "Unknown"
    assert found["env-dev"].published.status == "Unknown"
