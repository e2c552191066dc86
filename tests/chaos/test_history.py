"""The history after crashes: gaps are found, torn lines mended, rotation loses no state."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from registry import history_files
from registry.errors import DiskFull
from registry.history import Difference, History
from registry.revisions import Author, Revision
from tests.chaos.folder import TOKEN, Folder
from tests.chaos.stores import opened, with_token
from tests.chaos.verdict import check_chain, check_replay, token_of


class Died(BaseException):
    """The process is no more: nothing of ours catches this."""


class CutOff(History):
    """A history whose process dies instead of appending."""

    dead = False

    async def begin(
        self, changed: Iterable[tuple[Difference, Author]], now: datetime
    ) -> asyncio.Future[None]:
        """Append nothing any more, once dead."""
        if self.dead:
            raise Died
        return await super().begin(changed, now)

    def close(self) -> None:
        """Keep no state either."""


def sources(folder: Folder) -> list[tuple[str, str | None]]:
    """Source and token of each line."""
    return [(line["source"], token_of(line["after"])) for line in folder.lines()]


async def test_a_change_that_was_cut_off_from_the_history_is_found_at_the_next_start(
    folder: Folder,
) -> None:
    cut_off = CutOff(folder.data / "state")
    with pytest.raises(Died):  # noqa: PT012
        async with opened(folder, history=cut_off) as lab:
            await lab.patch("env-one", "with its line")
            cut_off.dead = True
            await lab.patch("env-two", "without")
    assert sources(folder)[-1] == ("api", "with its line")

    async with opened(folder) as lab:
        assert lab.in_force()["env-two"] == "without"
    assert sources(folder)[-2:] == [("api", "with its line"), ("found", "without")]
    check_chain(folder.lines())
    check_replay(folder, folder.lines())


@pytest.mark.parametrize("lost_bytes", [1, 2, 40, 600])
async def test_a_torn_last_line_is_cut_and_its_change_found_again(
    folder: Folder, lost_bytes: int
) -> None:
    async with opened(folder) as lab:
        await lab.patch("env-one", "whole")
        await lab.patch("env-one", "torn")
    tear(folder, lost_bytes)

    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == "torn"
        await lab.patch("env-one", "after")
    assert [token for _, token in sources(folder)][-3:] == ["whole", "torn", "after"]
    check_chain(folder.lines())
    check_replay(folder, folder.lines())


def tear(folder: Folder, lost_bytes: int) -> None:
    """As a crash while appending leaves it: no later state was kept either."""
    whole = folder.history.read_bytes()
    folder.history.write_bytes(whole[:-lost_bytes])
    (folder.data / "state" / "known.json").unlink()


async def test_a_torn_line_of_more_than_a_mebibyte_is_cut_whole(folder: Folder) -> None:
    async with opened(folder) as lab:
        await lab.patch("env-one", "whole")
    with folder.history.open("ab") as file:
        file.write(b'{"revision": 5, "before": "' + b"x" * 1_500_000)
    async with opened(folder) as lab:
        await lab.patch("env-one", "after")
        written = await lab.history.since(0)
    assert token_of(written[-1].after) == "after"


async def test_whole_lines_that_are_missing_are_found_again(folder: Folder) -> None:
    async with opened(folder) as lab:
        for n in range(5):
            await lab.patch("env-one", f"number {n}")
        await lab.store.delete("env-two")
    lines = folder.history.read_bytes().splitlines(keepends=True)
    folder.history.write_bytes(b"".join(lines[:-3]))
    (folder.data / "state" / "known.json").unlink()

    async with opened(folder) as lab:
        assert lab.in_force() == {"env-one": "number 4", "env-three": "as made"}
    assert sources(folder)[-3:] == [("api", "number 2"), ("found", "number 4"), ("found", None)]
    check_chain(folder.lines())
    check_replay(folder, folder.lines())


async def test_a_start_after_an_orderly_stop_finds_nothing(folder: Folder) -> None:
    async with opened(folder) as lab:
        await lab.patch("env-one", "written")
    before = folder.lines()
    async with opened(folder):
        pass
    assert folder.lines() == before


async def test_rotation_at_a_small_size_keeps_the_state_and_the_numbers(folder: Folder) -> None:
    for life in range(4):
        async with opened(folder, bytes_max=6_000) as lab:
            for n in range(8):
                await lab.patch("env-one", f"life {life} number {n}")
        async with opened(folder, bytes_max=6_000) as lab:
            assert lab.in_force()["env-one"] == f"life {life} number 7"
            assert lab.in_force()["env-two"] == "as made"
    numbers = [line["revision"] for line in folder.lines()]
    assert numbers == list(range(numbers[0], 3 + 4 * 8 + 1)), "a gap, or a phantom"
    assert numbers[0] > 1, "it never rotated"
    assert {line["source"] for line in folder.lines()} == {"api"}


async def test_a_crash_right_after_a_rotation_keeps_the_state(folder: Folder) -> None:
    async with opened(folder, bytes_max=4_000) as lab:
        n = 0
        while lab.folder.history.exists() and n < 50:
            await lab.patch("env-one", f"number {n}")
            n += 1
        assert not folder.history.exists(), "it never rotated"
        known = (folder.data / "state" / "known.json").read_bytes()
    (folder.data / "state" / "known.json").write_bytes(known)  # as if it had not stopped in order
    before = folder.lines()
    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == f"number {n - 1}"
    assert folder.lines() == before


async def test_a_rotation_that_fails_does_not_write_lines_twice(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise DiskFull("no room to write known.json")

    async with opened(folder, bytes_max=3_000) as lab:
        monkeypatch.setattr(history_files, "write_durably", no_room)
        for n in range(6):
            await lab.store.patch("env-one", {TOKEN: f"number {n}"})
        numbers = [revision.revision for revision in await lab.history.since(0)]
        assert numbers == sorted(set(numbers))


class Stuck(History):
    """A history whose disk writes no line until it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.let = threading.Event()
        self.let.set()

    def _write(self, revisions: Sequence[Revision]) -> None:
        self.let.wait()
        super()._write(revisions)


async def test_a_write_is_not_acknowledged_before_its_line_is_written(folder: Folder) -> None:
    stuck = Stuck(folder.data / "state")
    async with opened(folder, history=stuck) as lab:
        stuck.let.clear()
        writing = asyncio.create_task(lab.patch("env-one", "by the API"))
        while lab.in_force()["env-one"] != "by the API":
            await asyncio.sleep(0)
        done, _ = await asyncio.wait([writing], timeout=0.2)
        assert not done, "acknowledged without its line"
        stuck.let.set()
        await writing
        assert sources(folder)[-1] == ("api", "by the API")


async def test_a_hand_edit_is_in_force_while_its_line_is_written_and_found_if_it_never_is(
    folder: Folder,
) -> None:
    stuck, known = Stuck(folder.data / "state"), folder.data / "state" / "known.json"
    async with opened(folder, history=stuck) as lab:
        stuck.let.clear()
        edited = with_token(folder.catalogue.read_text(), "env-two", "by hand")
        folder.catalogue.write_text(edited)
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by hand"
        stuck.close()  # must not keep a state that is ahead of the lines
        assert not known.exists()
        lines = folder.history.read_bytes()  # what a crash now would leave
        stuck.let.set()
    folder.history.write_bytes(lines)
    known.unlink()
    async with opened(folder) as lab:
        assert lab.in_force()["env-two"] == "by hand"
    assert sources(folder)[-1] == ("found", "by hand")
    check_chain(folder.lines())
    check_replay(folder, folder.lines())
