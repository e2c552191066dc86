"""What is known of Traefiks: `traefiks`, and the columns and sections of `list` and `show`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.api.bodies import routed
from tests.api.steps import create
from tests.cli.conftest import Shell
from tests.conftest import StartDaemon
from tests.daemons import Daemon, eventually
from tests.fake_traefik import FakeTraefik


@pytest.fixture
async def traefiks() -> AsyncIterator[list[FakeTraefik]]:
    """Two Traefiks that run every document at once."""
    async with AsyncExitStack() as stack:
        fakes = [FakeTraefik(digest=None, follows=True) for _ in range(2)]
        yield [await stack.enter_async_context(fake.serving()) for fake in fakes]


@pytest.fixture
async def known(start_daemon: StartDaemon, traefiks: list[FakeTraefik]) -> Daemon:
    """A daemon that looks at both."""
    return await start_daemon(f"--traefik-api={','.join(each.url for each in traefiks)}")


@pytest.fixture
def daemon(known: Daemon) -> Daemon:
    """The one that the shell speaks to."""
    return known


async def until_live(daemon: Daemon, ref: str, status: str) -> None:
    """Returns once `Live` is so."""

    async def check() -> None:
        routing = (await daemon.call("GET", f"/api/environments/{ref}/routing")).value
        assert routing["conditions"]["Live"]["status"] == status, routing

    await eventually(check)


async def test_list_has_a_column_for_what_is_live(
    daemon: Daemon, shell: Shell, traefiks: list[FakeTraefik]
) -> None:
    traefiks[0].fault("env-bad", "no")
    await create(daemon, "bad", environment_id="env-bad", **routed("bad.test"))
    await create(daemon, "dev", **routed("dev.test"))
    await create(daemon, "later", **routed("later.test", state="planned"))
    await until_live(daemon, "dev", "True")
    await until_live(daemon, "bad", "False")
    assert await live_column(shell) == {"bad": "no", "dev": "yes", "later": "-"}
    traefiks[1].broken = True
    await until_live(daemon, "dev", "Unknown")
    assert await live_column(shell) == {"bad": "no", "dev": "?", "later": "-"}


async def live_column(shell: Shell) -> dict[str, str]:
    """What LIVE says, by slug."""
    head, *rows = (await shell("list")).out.splitlines()
    column = head.split().index("LIVE")
    return {row.split()[0]: row.split()[column] for row in rows}


async def test_show_has_the_conditions_each_traefik_and_the_neighbours(
    daemon: Daemon, shell: Shell, traefiks: list[FakeTraefik]
) -> None:
    traefiks[1].neighbour("dev.test")
    await create(daemon, "dev", **routed("dev.test"))
    await until_live(daemon, "dev", "False")
    shown = (await shell("show", "dev")).out
    conditions, rest = shown.split("\nrouting\n")[1].split("\nlive on\n")
    assert [line.split()[:3] for line in conditions.strip().splitlines()] == [
        ["CONDITION", "STATUS", "REASON"],
        ["Valid", "True", "valid"],
        ["Accepted", "True", "accepted"],
        ["Published", "True", "published"],
        ["Live", "False", "shadowed"],
    ]
    live_on, neighbours = rest.split("\nneighbours\n")
    assert [line.split()[:3] for line in live_on.strip().splitlines()[1:]] == [
        [traefiks[0].url, "True", "live"],
        [traefiks[1].url, "False", "shadowed"],
    ]
    assert neighbours.splitlines()[1].split()[:4] == [
        traefiks[1].url,
        "theirs@file",
        "all",
        "theirs",
    ]
    value = (await shell("show", "dev", "--json")).value
    assert value["routing"]["conditions"]["Live"]["reason"] == "shadowed"


async def test_traefiks_are_a_line_each_and_below_them_who_polls(
    daemon: Daemon, shell: Shell, traefiks: list[FakeTraefik]
) -> None:
    traefiks[0].fault("env-dev", "middleware \u001b[1m is missing")
    traefiks[1].neighbour("dev.test")
    await create(daemon, "dev", environment_id="env-dev", **routed("dev.test"))
    await until_live(daemon, "dev", "False")
    traefiks[1].broken = True

    async def unreached() -> None:
        seen = (await daemon.call("GET", "/api/traefiks")).value["traefiks"]
        assert [each["reached"] for each in seen] == [True, False]

    await eventually(unreached)
    await daemon.call("GET", "/traefik/config?instance=edge-1", headers={"User-Agent": "Traefik"})
    ended = await shell("traefiks")
    assert (ended.code, ended.err, "\u001b" in ended.out) == (0, "", False)
    lines, faults = ended.out.split("\nrouters at fault\n")
    faults, pollers = faults.split("\npollers\n")
    digest = (await daemon.call("GET", "/api/health")).value["metrics"]["router"]["digest"]
    first, head, one, two = lines.splitlines()
    assert first == f"newest document: {digest}"
    assert head.split()[:4] == ["TRAEFIK", "VERSION", "REACHED", "CURRENT"]
    assert one.split()[:7] == [traefiks[0].url, "3.7.15", "yes", "yes", digest, "1", "0"]
    assert two.startswith(f"{traefiks[1].url}  3.7.15   no: its API answers with status 500  ?  ")
    assert r"middleware \x1b[1m is missing" in faults
    poller = pollers.splitlines()[1].split()
    assert (poller[0], poller[1], poller[3:]) == ("edge-1", "Traefik", ["yes", "no"])


async def test_as_json_it_is_what_the_api_says(
    daemon: Daemon, shell: Shell, traefiks: list[FakeTraefik]
) -> None:
    value = (await shell("traefiks", "--json")).value
    assert [each["traefik"] for each in value["traefiks"]] == [each.url for each in traefiks]
    assert value["pollers"] == []
    assert value["digest"]


async def test_where_none_is_known_the_setting_is_named(
    daemon: Daemon, shell: Shell, start_daemon: StartDaemon
) -> None:
    await daemon.stop()
    alone = await start_daemon()
    url = {"AGENT_API_URL": f"http://127.0.0.1:{alone.port}"}
    ended = await shell("traefiks", **url)
    assert (ended.code, "ROUTEBOOK_TRAEFIK_API" in ended.out) == (0, True)
    assert (await shell("traefiks", "--json", **url)).value["traefiks"] == []
    await create(alone, "dev", **routed("dev.test"))
    head, row = (await shell("list", **url)).out.splitlines()
    assert row.split()[head.split().index("LIVE")] == "?"
    shown = (await shell("show", "dev", **url)).out
    assert "no_traefik_known" in shown
    assert "live on" not in shown
