"""What Routebook says of a real Traefik: live, not yet, refused, shadowed; and never on hope."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.asking import eventually
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-observation"),
]


async def until(stage: Stage, ref: str, status: str, reason: str) -> Any:
    """The routing of an environment, once `Live` is so."""

    async def check() -> Any:
        routing = await stage.routing(ref)
        live = routing["conditions"]["Live"]
        assert (live["status"], live["reason"]) == (status, reason), routing["conditions"]
        return routing

    return await eventually(check)


async def test_an_environment_becomes_live(stage: Stage) -> None:
    made = await stage.create("dev")
    routing = await until(stage, made, "True", "live")
    assert {n: c["status"] for n, c in routing["conditions"].items()} == dict.fromkeys(
        ("Valid", "Accepted", "Published", "Live"), "True"
    )
    assert (await stage.http("dev.test")).upstream == "blue"
    assert routing["fragment"]["http"]["services"].keys() == {made}
