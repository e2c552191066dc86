"""The history on disk: torn lines, crashes between two files, rotation, and a disk that fails."""

from __future__ import annotations

import errno
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from provider.settings import WrongSetting, read_settings
from registry.errors import DiskFull
from registry.history_files import HistoryFiles
from registry.revisions import Revision
from tests.api.steps import ALL, create, until_problem
from tests.conftest import StartDaemon
from tests.daemons import Daemon
from tests.safety.desk import ANN, Desk
from tests.safety.records import Edited, record, several
from tests.safety.steps import HISTORY, until_fine

A, B = record("a"), record("b")


@pytest.fixture
async def desk(desk: Desk) -> Desk:
    """A store over two records, one of which was changed three times."""
    await desk.holds(A, B)
    for name in ("one", "two", "three"):
        await desk.store.patch("a", {"name": name}, by=ANN)
    return desk


def history_of(desk: Desk) -> bytes:
    """The history file."""
    return (desk.folders.data / "state" / "history.jsonl").read_bytes()


def rewrite(desk: Desk, content: bytes) -> None:
    """Overwrite the history file."""
    (desk.folders.data / "state" / "history.jsonl").write_bytes(content)


async def names(desk: Desk) -> list[tuple[int, Any, str]]:
    """Number, name and source of the changes of the first record, oldest first."""
    revisions: list[Revision] = (await desk.store.revisions("env-a"))[::-1]
    return [(r.revision, r.after and r.after["name"], r.author.source) for r in revisions]


ALL_FIVE = [(1, "a", "found"), (3, "one", "api"), (4, "two", "api"), (5, "three", "api")]


async def test_it_is_a_line_a_change_and_only_grows(desk: Desk) -> None:
    before = history_of(desk)
    assert [json.loads(line)["revision"] for line in before.splitlines()] == [1, 2, 3, 4, 5]
    await desk.store.delete("b", by=ANN)
    await desk.restart()
    assert history_of(desk).startswith(before)
    assert history_of(desk).count(b"\n") == 6


async def test_only_we_read_it(desk: Desk) -> None:
    await desk.stop()
    for name in ("history.jsonl", "known.json"):
        assert (desk.folders.data / "state" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [0, 1, 200])
async def test_a_torn_last_line_is_cut_and_its_change_is_found_again(desk: Desk, left: int) -> None:
    await desk.stop(killed=True)
    *whole, last = history_of(desk).splitlines(keepends=True)
    rewrite(desk, b"".join(whole) + last[:left])
    await desk.start()
    assert await names(desk) == [*ALL_FIVE[:3], (5, "three", "found")]
    assert all(json.loads(line) for line in history_of(desk).splitlines())
    await desk.store.patch("a", {"name": "four"}, by=ANN)
    await desk.restart()
    assert (await names(desk))[-1] == (6, "four", "api")


async def test_a_last_line_that_lacks_only_its_end_is_not_taken_twice(desk: Desk) -> None:
    await desk.stop(killed=True)
    rewrite(desk, history_of(desk)[:-1])
    await desk.start()
    assert [number for number, *_ in await names(desk)] == [1, 3, 4, 5]


async def test_a_line_of_noise_costs_that_line_alone(desk: Desk) -> None:
    await desk.stop()
    first, second, *rest = history_of(desk).splitlines(keepends=True)
    rewrite(desk, b"".join([first, second, b"\0\xffnoise\n", *rest]))
    await desk.start()
    assert await names(desk) == ALL_FIVE


async def test_a_change_that_only_history_has_is_no_change(desk: Desk) -> None:
    saved = desk.folders.buffer()
    await desk.store.patch("a", {"name": "four"}, by=ANN)
    await desk.stop(killed=True)
    desk.folders.save(saved)
    desk.passes(hours=1)
    await desk.start()
    assert desk.names()["a"] == "three"
    assert await names(desk) == [*ALL_FIVE, (6, "four", "api"), (7, "three", "found")]


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"revision": 0, "environments": []}'])
async def test_the_kept_state_can_be_lost_or_old(desk: Desk, content: bytes | None) -> None:
    await desk.stop()
    kept = desk.folders.data / "state" / "known.json"
    kept.unlink() if content is None else kept.write_bytes(content)
    await desk.start()
    assert await names(desk) == ALL_FIVE
    assert len(await desk.store.history.since(0)) == 5


async def test_numbers_go_on_when_the_lines_are_lost(desk: Desk) -> None:
    await desk.stop()
    (desk.folders.data / "state" / "history.jsonl").unlink()
    await desk.start()
    await desk.store.patch("a", {"name": "four"}, by=ANN)
    assert await names(desk) == [(6, "four", "api")]


async def test_it_is_bounded_and_the_newest_changes_are_kept_in_order(desk: Desk) -> None:
    await desk.stop()
    desk.bytes_max = 8_000
    await desk.start()
    for number in range(40):
        await desk.store.patch("b", {"name": f"b{number}"}, by=ANN)
    await desk.restart()
    state = desk.folders.data / "state"
    sizes = [path.stat().st_size for path in state.glob("history*")]
    assert len(sizes) == 2
    assert sum(sizes) < 3 * desk.bytes_max
    revisions = await desk.store.history.since(0)
    assert [each.revision for each in revisions] == list(range(revisions[0].revision, 46))
    assert len(revisions) >= 4
    assert revisions[-1].after["name"] == "b39"


async def test_what_was_rotated_away_is_still_known(desk: Desk) -> None:
    await desk.stop()
    desk.bytes_max = 8_000
    await desk.start()
    for number in range(40):
        await desk.store.patch("b", {"name": f"b{number}"}, by=ANN)
    await desk.stop(killed=True)
    desk.folders.write({**A, "name": 7}, {**B, "name": "b39"})
    await desk.start()
    assert desk.names()["a"] == "three"
    assert desk.routed() == {"env-a", "env-b"}
    assert await desk.store.revisions("env-a") == []


def test_the_bound_is_a_setting_that_cannot_be_too_small() -> None:
    settings = read_settings(["--history-bytes-max=65536"], environ={})
    assert settings.history_bytes_max == 65536
    with pytest.raises(WrongSetting, match="history"):
        read_settings(["--history-bytes-max=65535"], environ={})


class FullDisk:
    """The `os` module of a disk on which nothing is synced."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def fsync(self, _handle: int) -> None:
        """Refuse."""
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_history_that_cannot_be_written_waits_and_health_says_so(
    daemon: Daemon, folders: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(daemon, "first")
    with monkeypatch.context() as patch:
        patch.setattr("registry.history_files.os", FullDisk())
        await create(daemon, "second")
        problem = await until_problem(daemon, "history_not_written", None)
        assert "history.jsonl" in problem["detail"]
        shown = (await daemon.call("GET", HISTORY)).value["history"]
        assert [each["revision"] for each in shown] == [1, 2]
        assert (folders.data / "state" / "history.jsonl").read_bytes().count(b"\n") == 1
    await create(daemon, "third")
    await until_fine(daemon)
    lines = (folders.data / "state" / "history.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["revision"] for line in lines] == [1, 2, 3]


async def test_a_history_that_cannot_be_read_does_not_keep_the_daemon_from_serving(
    start_daemon: StartDaemon, folders: Edited
) -> None:
    folders.write(*several(2))
    # What root may read of another user's file shows only with a folder in its place.
    (folders.data / "state" / "history.jsonl").mkdir(parents=True)
    daemon = await start_daemon()
    assert (await daemon.call("GET", f"{ALL}/s00")).status == 200
    await until_problem(daemon, "history_not_written", None)


@contextmanager
def files_no_larger_than(size_bytes: int) -> Iterator[None]:
    """As on a disk that is full at that size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("lines", [1, 10, 100])
def test_a_disk_that_fills_up_within_lines_leaves_no_piece_of_them(
    tmp_path: Path, lines: int
) -> None:
    files, line = HistoryFiles(tmp_path), b'{"text":"%b"}\n' % (b"x" * 400)
    files.append(line)
    with files_no_larger_than(len(line) + 300), pytest.raises(DiskFull):
        files.append(line * lines)
    files.append(line)
    assert list(files.lines()) == [line, line]
