"""A daemon on a small disk of its own, which fills up and turns read-only under it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from provider.daemon import running
from provider.settings import read_settings
from registry.engines import exchange
from tests.chaos.conftest import DISK_BYTES
from tests.chaos.folder import TOKEN, Folder, record, tokens
from tests.chaos.verdict import check_chain, check_replay, token_of

ONE = "/api/environments/env-one"
ReadOnly = Callable[[Path, bool], None]


@pytest.fixture
def small(small_disk: Path) -> Folder:
    """The usual folder, on the small disk."""
    return Folder(small_disk / "lab").make(record("one", routed=True), record("two"))


@pytest.fixture
def read_only() -> Iterator[ReadOnly]:
    """Makes folders read-only, and not, while files in them are open: root needs `chattr`."""
    made = set()

    def change(path: Path, to: bool) -> None:
        made.add(path)
        if os.geteuid() != 0:
            path.chmod(0o555 if to else 0o755)
        elif subprocess.run(
            ["chattr", f"{'+' if to else '-'}i", str(path)], check=False
        ).returncode:
            pytest.skip("this file system has no immutable folders")

    yield change
    for path in made:
        change(path, False)


@asynccontextmanager
async def daemon(folder: Folder) -> AsyncIterator[aiohttp.ClientSession]:
    """A daemon in this event loop, and a client of it."""
    settings = read_settings(["--listen=127.0.0.1:0", *folder.flags], environ={})
    async with running(settings) as port, aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
        yield http


async def patch(http: aiohttp.ClientSession, token: str) -> tuple[int, dict[str, Any]]:
    """A write, and the answer to it."""
    async with http.patch(ONE, json={TOKEN: token}) as response:
        return response.status, await response.json(content_type=None)


async def served(http: aiohttp.ClientSession) -> bytes:
    """The document; asserts that everything that reads works."""
    for path in (ONE, "/api/environments", "/api/health", "/readyz", "/api/history"):
        async with http.get(path) as response:
            assert response.status == 200, path
    async with http.get("/traefik/config?hold=0") as response:
        assert response.status == 200
        return await response.read()


def fill(folder: Folder, *, leaving_bytes: int = 0) -> Path:
    """A file that takes all room but this."""
    filler = folder.root.parent / "filler"
    with filler.open("wb", buffering=0) as file:
        for chunk in (65536, 4096):
            try:
                while True:
                    file.write(b"x" * chunk)
            except OSError:
                continue
        file.truncate(max(0, file.tell() - leaving_bytes))
    return filler


def remount_read_only(folder: Folder) -> None:
    """Make the small disk read-only; nothing of it may be open."""
    place = str(folder.root.parent)
    subprocess.run(["mount", "-o", f"remount,ro,size={DISK_BYTES}", place], check=True)


async def test_a_full_disk_refuses_writes_serves_on_and_takes_writes_again(small: Folder) -> None:
    async with daemon(small) as http:
        assert (await patch(http, "before"))[0] == 200
        document, before = await served(http), small.catalogue.read_bytes()
        filler = fill(small)
        for _ in range(3):
            status, problem = await patch(http, "refused")
            assert (status, problem["code"]) == (507, "disk_full")
            assert "free some and retry" in problem["detail"]
        assert small.catalogue.read_bytes() == before
        assert await served(http) == document

        filler.unlink()
        assert (await patch(http, "after"))[0] == 200
        assert tokens(small.stored())["env-one"] == "after"
    assert small.leftovers() == []
    written = [token_of(line["after"]) for line in small.lines()]
    assert written[2:] == ["before", "after"]


async def test_whatever_room_is_left_a_write_is_whole_or_refused(small: Folder) -> None:
    acknowledged = []
    async with daemon(small) as http:
        for room in (*range(0, 24, 4), 32, 48, 64):
            filler = fill(small, leaving_bytes=room * 1024)
            token = f"{room} KiB"
            status, problem = await patch(http, token)
            in_file = tokens(small.stored())["env-one"]
            assert (status, in_file == token) in ((200, True), (507, False)), problem
            acknowledged += [token] if status == 200 else []
            await served(http)
            filler.unlink()
        assert (await patch(http, "after"))[0] == 200
    written = [token_of(line["after"]) for line in small.lines()]
    assert written[2:] == [*acknowledged, "after"]
    check_chain(small.lines())
    check_replay(small, small.lines())


async def test_a_daemon_starts_on_a_full_disk_and_serves(small: Folder) -> None:
    async with daemon(small) as http:
        document = await served(http)
    filler = fill(small)
    async with daemon(small) as http:
        assert await served(http) == document
        assert (await patch(http, "refused"))[0] == 507
        filler.unlink()
        assert (await patch(http, "after"))[0] == 200


async def test_a_daemon_starts_on_a_read_only_disk_and_serves(small: Folder) -> None:
    async with daemon(small) as http:
        document = await served(http)
    remount_read_only(small)
    async with daemon(small) as http:
        assert await served(http) == document
        assert (await patch(http, "refused"))[0] == 503


async def test_a_read_only_folder_refuses_writes_serves_on_and_takes_writes_again(
    folder: Folder, read_only: ReadOnly
) -> None:
    async with daemon(folder) as http:
        document, before = await served(http), folder.catalogue.read_bytes()
        read_only(folder.data, True)
        status, problem = await patch(http, "refused")
        assert (status, problem["code"]) == (503, "store_unavailable")
        assert folder.catalogue.read_bytes() == before
        assert await served(http) == document
        read_only(folder.data, False)
        assert (await patch(http, "after"))[0] == 200
    assert tokens(folder.stored())["env-one"] == "after"


async def test_a_folder_that_turns_read_only_after_a_write_gives_clear_problems(
    folder: Folder, read_only: ReadOnly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "KEPT_S", 0.5)
    async with daemon(folder) as http:
        assert (await patch(http, "before"))[0] == 200
        read_only(folder.data, True)
        await asyncio.sleep(0.6)
        answers = [await patch(http, "refused") for _ in range(3)]
        await served(http)
        read_only(folder.data, False)
        assert [(status, problem["code"]) for status, problem in answers] == [
            (503, "store_unavailable")
        ] * 3


async def test_a_daemon_stops_in_order_in_a_folder_that_turned_read_only(
    folder: Folder, read_only: ReadOnly
) -> None:
    async with daemon(folder) as http:
        assert (await patch(http, "before"))[0] == 200
        read_only(folder.data, True)
