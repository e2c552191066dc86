"""A disk that refuses: the write fails in clear words, the file is as it was, the next one works.

Refusals are injected into `os.fsync`, for the catalogue's new file, its folder, or the history.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from registry.engines import exchange
from registry.errors import DiskFull, RegistryError, StoreUnavailable
from tests.chaos.folder import Folder
from tests.chaos.stores import opened, save_by_rename, with_token
from tests.chaos.verdict import check_chain, check_replay, token_of

Named = Callable[[Path, bool], bool]


def a_new_catalogue(path: Path, is_folder: bool) -> bool:
    """Our new file beside the catalogue."""
    return not is_folder and path.name.startswith(".environments.json.")


def the_folder(path: Path, is_folder: bool) -> bool:
    """The data folder."""
    return is_folder and path.name == "data"


def the_history(path: Path, is_folder: bool) -> bool:
    """The history file."""
    return not is_folder and path.name == "history.jsonl"


@dataclass
class Disk:
    """What `os.fsync` did, and what it refuses to do as long as `refused` is set."""

    refused: Named | None = None
    number: int = errno.EIO
    synced: list[str] = field(default_factory=list)
    at_refusal: Callable[[], None] = lambda: None

    def fsync(self, handle: int) -> None:
        """As the kernel would."""
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        if self.refused and self.refused(path, is_folder):
            self.at_refusal()
            raise OSError(self.number, os.strerror(self.number))
        self.synced.append(path.name)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk that refuses nothing yet."""
    made = Disk()
    monkeypatch.setattr(os, "fsync", made.fsync)
    return made


@pytest.mark.parametrize("refused", [a_new_catalogue, the_folder])
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EFBIG, DiskFull),
        (errno.EIO, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
    ],
)
async def test_a_write_that_the_disk_refuses_leaves_everything_as_it_was(
    folder: Folder, disk: Disk, refused: Named, number: int, error: type[RegistryError]
) -> None:
    async with opened(folder) as lab:
        before, in_force = folder.catalogue.read_bytes(), lab.in_force()
        disk.refused, disk.number = refused, number
        for _ in range(3):
            with pytest.raises(error):
                await lab.patch("env-one", "refused")
            with pytest.raises(error):
                await lab.store.delete("env-two")
        assert folder.catalogue.read_bytes() == before
        assert folder.leftovers() == []
        assert (await lab.store.load()).faults == ()
        assert lab.in_force() == in_force

        disk.refused = None
        await lab.patch("env-one", "accepted")
        assert lab.in_force()["env-one"] == "accepted"
    assert [token_of(line["after"]) for line in folder.lines()[3:]] == ["accepted"]
    check_chain(folder.lines())
    check_replay(folder, folder.lines())


async def test_a_write_is_acknowledged_after_file_folder_and_history_are_synced(
    folder: Folder, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap = exchange._swap

    def swap_and_note(one: Path, other: Path) -> bool:
        disk.synced.append("swap")
        return swap(one, other)

    monkeypatch.setattr(exchange, "_swap", swap_and_note)
    async with opened(folder) as lab:
        await lab.patch("env-one", "first")
        disk.synced.clear()
        await lab.patch("env-one", "second")
        steps = ["catalogue" if each[:1] == "." else each for each in disk.synced]
    assert steps == ["catalogue", "swap", "data", "history.jsonl"]


async def test_a_write_is_acknowledged_though_the_history_waits_to_be_written(
    folder: Folder, disk: Disk
) -> None:
    async with opened(folder) as lab:
        disk.refused, disk.number = the_history, errno.ENOSPC
        for n in range(3):
            await lab.patch("env-one", f"waiting {n}")
        assert isinstance(lab.history.trouble, DiskFull)
        assert [token_of(each.after) for each in await lab.history.since(3)] == [
            "waiting 0",
            "waiting 1",
            "waiting 2",
        ]
        assert len(folder.lines()) == 3, "half a line is no line"

        disk.refused = None
        await lab.patch("env-one", "written")
        assert lab.history.trouble is None
    assert [token_of(line["after"]) for line in folder.lines()[3:]] == [
        "waiting 0",
        "waiting 1",
        "waiting 2",
        "written",
    ]
    check_chain(folder.lines())
    check_replay(folder, folder.lines())


async def test_a_first_write_that_the_disk_refuses_leaves_no_catalogue(
    folder: Folder, disk: Disk
) -> None:
    folder.catalogue.unlink()
    async with opened(folder) as lab:
        disk.refused = the_folder
        with pytest.raises(StoreUnavailable):
            await lab.store.initialise()
        assert not folder.catalogue.exists()
        assert folder.leftovers() == []


async def test_an_edit_at_the_moment_of_a_refusal_is_not_lost(folder: Folder, disk: Disk) -> None:
    async with opened(folder) as lab:
        text = with_token(folder.catalogue.read_text(), "env-two", "by hand")
        disk.refused = the_folder
        disk.at_refusal = lambda: save_by_rename(folder.catalogue, text)
        with pytest.raises(StoreUnavailable):
            await lab.patch("env-one", "refused")
        disk.refused = None
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by hand" or text in folder.late()
