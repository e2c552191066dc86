"""A fault in the catalogue: what it touches in Traefik, and what it leaves as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.asking import eventually
from tests.e2e.records import put, record
from tests.e2e.stage import Stage, stage_in

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-faults"),
]


def _breaking(slug: str, damage: dict[str, Any]) -> Any:
    def change(environments: list[Any]) -> None:
        [each] = [e for e in environments if e.get("slug") == slug]
        each["metadata"]["router"].update(damage)

    return change


async def test_a_record_that_a_hand_edit_breaks_stays_routed_as_it_was(stage: Stage) -> None:
    broken = await stage.expose("was-good")
    other = await stage.expose("beside-broken")

    stage.edit(_breaking("was-good", {"service_url": "not a URL", "hostnames": ["new.test"]}))
    await _says(stage, broken, {"invalid_record"})
    await stage.move(other, stage.upstreams.green)

    assert (await stage.http("was-good.test")).upstream == "blue"
    assert (await stage.http("new.test")).status == 404
    assert (await stage.http("beside-broken.test")).upstream == "green"

    green = {"service_url": stage.upstreams.green, "hostnames": ["new.test"]}
    stage.edit(_breaking("was-good", green))
    await _answers(stage, "new.test", "green")
    assert (await stage.http("was-good.test")).status == 404


async def test_a_hand_edit_that_is_part_good_and_part_broken_counts_where_it_is_good(
    stage: Stage,
) -> None:
    await stage.expose("half-a")
    await stage.expose("half-b")

    def edit(environments: list[Any]) -> None:
        _breaking("half-a", {"path_prefix": "no slash"})(environments)
        _breaking("half-b", {"service_url": stage.upstreams.green})(environments)
        environments.insert(0, {"what": "is this?"})
        environments.append(record("half-new", service_url=stage.upstreams.green))

    stage.edit(edit)

    await _answers(stage, "half-new.test", "green")
    assert (await stage.http("half-a.test")).upstream == "blue"
    assert (await stage.http("half-b.test")).upstream == "green"


async def test_a_record_in_an_unknown_workspace_is_left_out_alone(stage: Stage) -> None:
    lost = record("lost", service_url=stage.upstreams.blue) | {"project_id": "nowhere"}
    fine = record("beside-lost", service_url=stage.upstreams.green)

    stage.edit(lambda environments: environments.extend([lost, fine]))

    await _answers(stage, "beside-lost.test", "green")
    assert (await stage.http("lost.test")).status == 404
    assert await stage.problems("env-lost") == {"unknown_project"}


async def test_a_second_record_with_the_same_id_does_not_take_the_route(stage: Stage) -> None:
    await stage.expose("incumbent")
    double = record("usurper", hostnames=["incumbent.test"], service_url=stage.upstreams.green)

    def edit(environments: list[Any]) -> None:
        [first] = [e for e in environments if e.get("slug") == "incumbent"]
        double["environment_id"] = first["environment_id"]
        environments.insert(0, double)
        environments.append(record("beside-double", service_url=stage.upstreams.green))

    stage.edit(edit)

    await _answers(stage, "beside-double.test", "green")
    assert (await stage.http("incumbent.test")).upstream == "blue"


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"version": 1, "environments": [}', "null", '{"version": 2, "environments": []}'],
    ids=["empty", "cut off", "a bracket too few", "null", "a later version"],
)
async def test_an_unreadable_catalogue_leaves_every_route_and_refuses_writes(
    tmp_path: Path, text: str
) -> None:
    async with stage_in(tmp_path) as alone:
        environment_id = await alone.expose("kept")
        catalogue = alone.data / "environments.json"
        good, reloads = catalogue.read_bytes(), await alone.reloads()

        put(catalogue, text.encode())
        await _trouble(alone, {"catalogue_unreadable"})
        patch = {"metadata": {"router": {"service_url": alone.upstreams.green}}}
        status, problem = await alone.write("PATCH", environment_id, patch)

        assert (status, problem["code"]) == (409, "catalogue_unreadable")
        assert catalogue.read_text() == text
        assert (await alone.http("kept.test")).upstream == "blue"
        assert await alone.reloads() == reloads

        put(catalogue, good)
        await _trouble(alone, set())
        await alone.move(environment_id, alone.upstreams.green)
        assert (await alone.http("kept.test")).upstream == "green"


async def test_a_catalogue_that_is_gone_leaves_every_route(tmp_path: Path) -> None:
    async with stage_in(tmp_path) as alone:
        environment_id = await alone.expose("kept")
        catalogue = alone.data / "environments.json"
        good = catalogue.read_bytes()

        catalogue.unlink()
        await _trouble(alone, {"catalogue_unreadable"})

        assert (await alone.http("kept.test")).upstream == "blue"
        put(catalogue, good)
        await _trouble(alone, set())
        await alone.move(environment_id, alone.upstreams.green)


async def _answers(stage: Stage, host: str, upstream: str) -> None:
    async def check() -> None:
        assert (await stage.http(host)).upstream == upstream

    await eventually(check)


async def _says(stage: Stage, environment_id: str, codes: set[str]) -> None:
    async def check() -> None:
        assert await stage.problems(environment_id) == codes

    await eventually(check)


async def _trouble(stage: Stage, codes: set[str]) -> None:
    """Wait until the daemon says exactly this of the catalogue as a whole."""

    async def check() -> None:
        async with stage.session.get(f"{stage.api}/api/health") as response:
            found = (await response.json())["problems"]
        assert {each["code"] for each in found if each["environment"] is None} == codes

    await eventually(check)
