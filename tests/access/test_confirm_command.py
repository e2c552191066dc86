"""`routebook confirm`: what it prints, and its exit codes."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest

from tests.access.callers import PASSWORD, book_of, write_accounts
from tests.access.processes import Ended, routebook
from tests.conftest import StartDaemon
from tests.daemons import Daemon, Folders
from tests.safety.records import record, several

OPERATOR = "operator@x.test"


async def confirm(daemon: Daemon, **environ: str) -> Ended:
    """`routebook confirm` against this daemon."""
    return await routebook("confirm", AGENT_API_URL=f"http://127.0.0.1:{daemon.port}", **environ)


async def test_confirm_lets_a_held_edit_through(daemon: Daemon) -> None:
    daemon.folders.hand_write(*several(2))
    assert await confirm(daemon) == Ended(0, "nothing waited\n", "")
    daemon.folders.hand_write(record("new"))
    assert await confirm(daemon) == Ended(0, "env-s00\nenv-s01\n", "")
    assert (await daemon.call("GET", "/api/environments/new")).status == 200


async def test_confirm_takes_a_token_or_a_login(
    folders: Folders, start_daemon: StartDaemon
) -> None:
    write_accounts(folders.data, OPERATOR)
    viewer, _ = book_of(folders.data).create_token("viewer", "v")
    daemon = await start_daemon()
    stranger = await confirm(daemon)
    assert (stranger.code, stranger.err.split(":")[1]) == (1, " unauthenticated")
    assert (await confirm(daemon, AGENT_TOKEN=viewer)).err.startswith("routebook: forbidden: ")
    assert (await confirm(daemon, AGENT_EMAIL=OPERATOR, AGENT_PASSWORD=PASSWORD)).code == 0
    assert (await confirm(daemon, AGENT_EMAIL=OPERATOR, AGENT_PASSWORD="no")).code == 1


async def test_confirm_exits_with_3_when_nothing_answers() -> None:
    ended = await routebook("confirm", AGENT_API_URL="http://127.0.0.1:9")
    assert (ended.code, ended.out) == (3, "")
    assert re.fullmatch(r"routebook: nothing answers at http://127.0.0.1:9 .+\n", ended.err)


@contextlib.asynccontextmanager
async def answering(content: bytes) -> AsyncIterator[str]:
    """The URL of something that answers every request with these bytes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(content)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
STRANGERS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", id="another 404"),
    pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="no HTTP"),
    pytest.param(OK % (6, b"<html>"), id="a page"),
    pytest.param(OK % (2, b"{}"), id="other JSON"),
    pytest.param(OK % (9, b"{}"), id="less than it said"),
]


@pytest.mark.parametrize("content", STRANGERS)
async def test_confirm_exits_with_3_when_what_answers_is_not_routebook(content: bytes) -> None:
    async with answering(content) as url:
        ended = await routebook("confirm", AGENT_API_URL=url)
    assert "Traceback" not in ended.err
    assert ended.code == 3
    assert ended.err.startswith("routebook: ")


async def test_confirm_takes_json(daemon: Daemon) -> None:
    url = f"http://127.0.0.1:{daemon.port}"
    ended = await routebook("confirm", "--json", AGENT_API_URL=url)
    assert ended.code == 0
    assert ended.value == {"confirmed": []}
