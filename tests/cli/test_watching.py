"""`routebook watch`, as a process beside a daemon: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest

from tests.access.callers import bearer, book_of
from tests.api.bodies import routed, stored
from tests.api.steps import ALL, create, metric
from tests.cli.conftest import Shell
from tests.conftest import StartDaemon
from tests.daemons import ROOT, Daemon, Folders, eventually

DEADLINE_S = 30.0
CHANGES = ("--kind", "environment", "--kind", "published")  # tasks open whenever a survey ends


class Watcher:
    """A running `routebook watch`."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def line(self) -> str:
        """The next line on standard output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(DEADLINE_S):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def remark(self) -> str:
        """The next line on standard error."""
        assert self.process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            return (await self.process.stderr.readline()).decode().rstrip("\n")

    async def ended(self) -> tuple[int, str]:
        """Its exit code, and what is left on standard error."""
        async with asyncio.timeout(DEADLINE_S):
            _, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, err.decode()


def connected(daemon: Daemon) -> str:
    """The first line on standard error, before any event."""
    return f"routebook: connected to http://127.0.0.1:{daemon.port}"


Watch = Callable[..., Awaitable[Watcher]]


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    """Starts `routebook watch WORDS`; of a daemon without accounts, until it has its stream."""
    started: list[Process] = []

    async def start(daemon: Daemon, *words: str, **environ: str) -> Watcher:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "provider", "watch", *words),
            cwd=ROOT,
            env={**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}", **environ},
            stdout=PIPE,
            stderr=PIPE,
        )
        started.append(process)
        if not environ:
            await eventually(lambda: is_watched(daemon), timeout_s=DEADLINE_S)
            assert await Watcher(process).remark() == connected(daemon)
        return Watcher(process)

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def is_watched(daemon: Daemon, headers: dict[str, str] | None = None) -> None:
    """Asserts that somebody has a stream."""
    assert await metric(daemon, "routebook_event_streams", headers) == 1


async def test_it_prints_a_line_an_event(daemon: Daemon, watch: Watch) -> None:
    watcher = await watch(daemon, *CHANGES)
    dev = await create(daemon, "dev", **routed("dev.test"))
    at, kind, environment, *what = (await watcher.line()).split()
    assert at.endswith("Z")
    assert (kind, environment) == ("environment", dev["environment_id"])
    assert " ".join(what) == "created by local (api)"
    _, kind, environment, *what = (await watcher.line()).split()
    assert (kind, environment, what[0]) == ("published", dev["environment_id"], "digest")
    await daemon.call("PATCH", f"{ALL}/dev", json={"name": "New"})
    assert (await watcher.line()).endswith("updated /name by local (api)")


async def test_json_is_a_value_a_line(daemon: Daemon, watch: Watch) -> None:
    watcher = await watch(daemon, *CHANGES, "--json")
    await create(daemon, "dev", **routed("dev.test"))
    first, second = json.loads(await watcher.line()), json.loads(await watcher.line())
    assert (first["kind"], first["data"]["slug"]) == ("environment", "dev")
    assert (second["kind"], second["data"]["routes"]) == ("published", 1)
    assert first["id"] != second["id"]


async def test_it_shows_one_environment_and_some_kinds_when_asked(
    daemon: Daemon, watch: Watch
) -> None:
    watcher = await watch(daemon, "dev", "--kind", "published", "--kind", "live", "--json")
    await create(daemon, "other", **routed("other.test"))
    dev = await create(daemon, "dev", **routed("dev.test"))
    shown = json.loads(await watcher.line())
    assert (shown["kind"], shown["data"]["environments"]) == ("published", [dev["environment_id"]])


async def test_until_ends_with_0_at_the_first_of_its_kind(daemon: Daemon, watch: Watch) -> None:
    watcher = await watch(daemon, "dev", "--until", "published", "--timeout-s", "60")
    await create(daemon, "dev", **routed("dev.test"))
    assert await watcher.ended() == (0, "")


async def test_it_says_that_it_is_connected_while_nothing_happens(
    daemon: Daemon, watch: Watch
) -> None:
    watcher = await watch(daemon, "--json", NO_COLOR="1")
    assert await watcher.remark() == connected(daemon)
    watcher.process.send_signal(signal.SIGINT)
    assert await watcher.ended() == (130, "")


async def test_until_with_a_time_gives_up_with_1(shell: Shell) -> None:
    ended = await shell("watch", "--until", "live", "--timeout-s", "0.5")
    assert (ended.code, ended.out) == (1, "")
    *before, last = ended.err.splitlines()
    assert last == "routebook: no event live within 0.5 seconds"
    assert all(line.startswith("routebook: connected to ") for line in before)


async def test_wrong_usage_is_exit_code_2(shell: Shell) -> None:
    for words in (["--kind", "odd"], ["--until", "odd"], ["--timeout-s", "5"]):
        assert (await shell("watch", *words)).code == 2, words


async def test_ctrl_c_ends_it_with_130_and_no_more_words(daemon: Daemon, watch: Watch) -> None:
    watcher = await watch(daemon)
    watcher.process.send_signal(signal.SIGINT)
    assert await watcher.ended() == (130, "")


async def test_it_outlives_a_restart_and_says_so(
    folders: Folders, start_daemon: StartDaemon, watch: Watch
) -> None:
    daemon = await start_daemon()
    watcher = await watch(daemon)
    await daemon.stop()
    assert await watcher.remark() == "routebook: the stream ended; connecting again"
    again = await start_daemon("--listen", f"127.0.0.1:{daemon.port}")
    assert await watcher.remark() == "routebook: connected again"
    assert "reset" in await watcher.line()
    await create(again, "dev")
    assert "created by local" in await watcher.line()


async def test_nobody_at_the_address_is_exit_code_3(shell: Shell) -> None:
    ended = await shell("watch", AGENT_API_URL="http://127.0.0.1:9")
    assert (ended.code, ended.out) == (3, "")
    assert "AGENT_API_URL" in ended.err


async def test_a_revoked_token_ends_it_with_the_reason(
    folders: Folders, start_daemon: StartDaemon, watch: Watch
) -> None:
    book = book_of(folders.data)
    secret, token = book.create_token("viewer", "lost")
    operator = book.create_token("operator", "kept")[0]
    daemon = await start_daemon()
    watcher = await watch(daemon, AGENT_TOKEN=secret)

    await eventually(lambda: is_watched(daemon, bearer(operator)), timeout_s=DEADLINE_S)
    book.revoke(token.id)
    code, err = await watcher.ended()
    assert code == 1
    assert "unauthenticated" in err
    assert secret not in err


async def test_a_pipe_that_closes_early_is_no_traceback(daemon: Daemon) -> None:
    process = await asyncio.create_subprocess_shell(
        f"'{sys.executable}' -m provider watch | head -n 1",
        cwd=ROOT,
        env={**os.environ, "AGENT_API_URL": f"http://127.0.0.1:{daemon.port}"},
        stdout=PIPE,
        stderr=PIPE,
    )
    await eventually(lambda: is_watched(daemon), timeout_s=DEADLINE_S)

    ending, numbers = asyncio.create_task(process.communicate()), count()

    async def write_until_it_ends() -> None:
        await create(daemon, f"dev-{next(numbers)}")
        assert ending.done()

    await eventually(write_until_it_ends, timeout_s=DEADLINE_S)
    out, err = await ending
    assert (out.count(b"\n"), err.decode()) == (1, f"{connected(daemon)}\n")


async def test_text_of_an_event_cannot_steer_a_terminal(daemon: Daemon, watch: Watch) -> None:
    watcher = await watch(daemon)
    daemon.folders.hand_write(stored("dev", name="x", odd={"\u001b]0;owned\u0007": 1}))
    line = await watcher.line()
    assert "quarantined" in line
    assert not {"\u001b", "\u0007"} & set(line)
