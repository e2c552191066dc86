"""What Routebook says of a real Traefik: live, not yet, refused, shadowed; and never on hope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provider.demo.traefik_process import free_port
from tests.e2e.asking import eventually
from tests.e2e.parts import polling
from tests.e2e.records import body
from tests.e2e.stage import Stage, stage_in

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-observation"),
]


async def until(stage: Stage, ref: str, status: str, reason: str, deadline_s: float = 15.0) -> Any:
    """The routing of an environment, once `Live` is so."""

    async def check() -> Any:
        routing = await stage.routing(ref)
        live = routing["conditions"]["Live"]
        assert (live["status"], live["reason"]) == (status, reason), routing["conditions"]
        return routing

    return await eventually(check, deadline_s)


def to(stage: Stage, upstream: str) -> dict[str, str]:
    """The part of a router that leads to an upstream."""
    return {"service_url": getattr(stage.upstreams, upstream)}


async def test_an_environment_becomes_live(stage: Stage) -> None:
    made = await stage.create("dev")
    routing = await until(stage, made, "True", "live")
    assert {n: c["status"] for n, c in routing["conditions"].items()} == dict.fromkeys(
        ("Valid", "Accepted", "Published", "Live"), "True"
    )
    assert (await stage.http("dev.test")).upstream == "blue"
    assert routing["fragment"]["http"]["services"].keys() == {made}


async def test_a_write_that_waits_answers_when_traefik_serves_it(stage: Stage) -> None:
    for number in range(5):
        slug = f"waited-{number}"
        status, answer = await stage.write("POST", "?wait=10", body(slug, **to(stage, "blue")))
        assert status == 201
        assert (answer["routing"]["live"], answer["routing"]["reason"]) == (True, "live")
        assert (await stage.http(f"{slug}.test")).upstream == "blue"

        status, answer = await stage.write(
            "PATCH", f"{slug}?wait=10", {"metadata": {"router": to(stage, "green")}}
        )
        assert (status, answer["routing"]["live"]) == (200, True)
        assert (await stage.http(f"{slug}.test")).upstream == "green"

        status, headers = await stage.delete(f"{slug}?wait=10")
        assert (status, headers["Routebook-Withdrawn"]) == (204, "true")
        assert (await stage.http(f"{slug}.test")).status == 404


async def test_a_batch_that_waits_answers_when_all_of_it_is_served(stage: Stage) -> None:
    records = [body(f"batch-{n}", **to(stage, "blue")) for n in range(3)]
    planned = body("batch-planned", "planned", **to(stage, "blue"))
    status, answer = await stage.write(
        "POST", ":apply?wait=10", {"environments": [*records, planned]}
    )
    assert (status, answer["routing"]["live"], answer["routing"]["not_live"]) == (200, True, [])
    for number in range(3):
        assert (await stage.http(f"batch-{number}.test")).upstream == "blue"


async def test_waiting_for_what_claims_nothing_ends_at_once_and_says_why(stage: Stage) -> None:
    status, answer = await stage.write(
        "POST", "?wait=30", body("planned", "planned", **to(stage, "blue"))
    )
    assert (status, answer["routing"]["live"]) == (201, False)
    assert answer["routing"]["reason"] == "lifecycle_state"


async def test_a_retired_environment_is_awaited_until_it_is_served_no_more(stage: Stage) -> None:
    made = await stage.expose("leaving")
    status, answer = await stage.write(
        "PATCH", f"{made}?wait=10", {"lifecycle": {"state": "retired"}}
    )
    assert (status, answer["routing"]["live"]) == (200, False)
    assert [each["reason"] for each in answer["routing"]["traefiks"]] == ["lifecycle_state"]
    assert (await stage.http("leaving.test")).status == 404


async def test_a_missing_middleware_is_told_in_traefiks_words_with_the_names_that_exist(
    stage: Stage,
) -> None:
    made = await stage.create("guarded", middlewares=["furst"])
    routing = await until(stage, made, "False", "router_disabled")
    message = routing["conditions"]["Live"]["message"]
    assert 'middleware "furst@file" does not exist' in message
    assert "first@file" in message.split("middlewares that exist: ")[1]
    assert "router_disabled" in await stage.problems(made)

    await stage.route(made, middlewares=["first"])
    await until(stage, made, "True", "live")


async def test_an_entrypoint_that_traefik_lacks_is_told_with_those_that_it_has(
    stage: Stage,
) -> None:
    made = await stage.create("doors", entrypoints=["web", "webb"])
    routing = await until(stage, made, "False", "router_warning")
    message = routing["conditions"]["Live"]["message"]
    assert 'entryPoint "webb" doesn\'t exist' in message
    assert "entrypoints that exist: web, websecure" in message
    assert (await stage.http("doors.test")).upstream == "blue", "it works on the rest"

    _, answer = await stage.write("PATCH", f"{made}?wait=30", {"description": "x"})
    assert answer["routing"]["reason"] == "router_warning", "no use in waiting"


async def test_changes_of_others_never_unset_live_nor_its_time(stage: Stage) -> None:
    made = await stage.create("steady")
    since = (await until(stage, made, "True", "live"))["conditions"]["Live"]["since"]
    for number in range(20):
        await stage.create(f"other-{number}")
        live = (await stage.routing(made))["conditions"]["Live"]
        assert (live["status"], live["since"]) == ("True", since)


async def test_what_traefik_cannot_see_never_unsets_live(stage: Stage) -> None:
    made = await stage.create("healthy")
    await until(stage, made, "True", "live")
    for status in ("degraded", "healthy") * 5:
        await stage.patch(made, {"health": {"status": status}})
        live = (await stage.routing(made))["conditions"]["Live"]
        assert live["status"] == "True"


async def test_lists_and_health_have_it_in_short(stage: Stage) -> None:
    made = await stage.create("listed")
    await until(stage, made, "True", "live")
    page = await stage.get("/api/environments?q=listed")
    short = page["environments"][0]["routing"]
    assert {k: short[k] for k in ("valid", "accepted", "published", "live", "reason")} == {
        "valid": True, "accepted": True, "published": True, "live": True, "reason": "live",
    }  # fmt: skip
    router = (await stage.get("/api/health"))["metrics"]["router"]
    [traefik] = router["traefiks"]
    assert (traefik["reached"], traefik["live_digest"]) == (True, router["digest"])
    assert router["live"][traefik["traefik"]] >= 1


async def test_a_router_of_another_provider_that_goes_first_shadows(stage: Stage) -> None:
    made = await stage.create("shared")
    await until(stage, made, "True", "live")

    stage.neighbours("Host(`shared.test`)", priority=30_000)
    routing = await until(stage, made, "False", "shadowed")
    [neighbour] = routing["neighbours"]
    assert (neighbour["router"], neighbour["catches"]) == ("theirs@file", "all")
    assert neighbour["winner"] == "theirs"
    assert "Host(`shared.test`)" in neighbour["message"]

    stage.neighbours("HostRegexp(`^shared.+$`)", priority=30_000)
    await until(stage, made, "Unknown", "may_be_shadowed")

    stage.neighbours("Host(`shared.test`)", priority=5)
    routing = await until(stage, made, "True", "live")
    assert [each["winner"] for each in routing["neighbours"]] == ["ours"]

    stage.neighbours("Host(`shared.test`) && PathPrefix(`/api`)", priority=30_000)

    async def part() -> None:
        routing = await stage.routing(made)
        assert [each["catches"] for each in routing["neighbours"]] == ["part"]
        assert routing["conditions"]["Live"]["status"] == "True"

    await eventually(part)


async def test_a_traefik_that_is_away_is_unknown_and_live_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with stage_in(tmp_path) as own:
        made = await own.create("dev")
        await until(own, made, "True", "live")
        await own.proxy.stop()
        await until(own, made, "Unknown", "traefik_unreachable")
        router = (await own.get("/api/health"))["metrics"]["router"]
        assert list(router["live"].values()) == [None]

        ports = own.proxy.web, own.proxy.websecure, own.proxy.api
        async with polling(own.api, tmp_path / "again", own.upstreams, ports=ports):
            await until(own, made, "True", "live")
            assert (await own.http("dev.test")).upstream == "blue"


async def test_a_document_that_was_fetched_and_is_not_live_is_an_alarm(tmp_path: Path) -> None:
    async with stage_in(tmp_path, poll={"maxResponseBodySize": "3000"}) as own:
        small = await own.create("small")
        await until(own, small, "True", "live")
        large = await own.create("large", hostnames=[f"h{n}.large.test" for n in range(99)])

        routing = await until(own, large, "False", "pending")
        routing = await until(own, large, "False", "document_refused", 30)
        assert "maxResponseBodySize" in routing["conditions"]["Live"]["message"]
        assert "document_refused" in await own.problems(None)
        await until(own, small, "True", "live")

        await own.write("DELETE", large)
        await eventually_no_problem(own, "document_refused")


async def eventually_no_problem(stage: Stage, code: str) -> None:
    """Returns once no problem of this code is shown."""

    async def check() -> None:
        assert code not in await stage.problems(None)

    await eventually(check)


async def test_live_means_live_on_every_known_traefik(tmp_path: Path) -> None:
    api = free_port()
    async with stage_in(tmp_path, also=f"http://127.0.0.1:{api}") as own:
        made = await own.create("dev")

        async def one_serves_it() -> None:
            routing = await until(own, made, "Unknown", "traefik_unreachable")
            assert [each["status"] for each in routing["traefiks"]] == ["True", "Unknown"]

        await eventually(one_serves_it)

        ports = free_port(), free_port(), api
        async with polling(own.api, tmp_path / "second", own.upstreams, ports=ports):
            await until(own, made, "True", "live")


async def test_static_redirects_and_renamed_routers_are_understood(tmp_path: Path) -> None:
    def change(static: dict[str, Any]) -> None:
        points = static["entryPoints"]
        points["web"]["http"] = {"redirections": {"entryPoint": {"to": "websecure"}}}
        points["websecure"]["http"] = {"tls": {}, "middlewares": ["first@file"]}

    async with stage_in(tmp_path, alter=change) as own:
        made = await own.create("dev", entrypoints=["web", "websecure"])
        routing = await until(own, made, "True", "live")
        assert [each["redirect"] for each in routing["neighbours"]] == [True]
        broken = await own.create("broken", entrypoints=["websecure"], middlewares=["none"])
        await until(own, broken, "False", "router_disabled")
        assert (await own.https("dev.test")).upstream == "blue"


async def test_an_entrypoint_of_another_kind_than_we_think_is_a_warning(tmp_path: Path) -> None:
    def change(static: dict[str, Any]) -> None:
        static["entryPoints"]["web"]["http"] = {"tls": {}}

    async with stage_in(tmp_path, alter=change) as own:

        async def check() -> None:
            assert "entrypoint_kind" in await own.problems(None)

        await eventually(check)
