"""Of two records with one id the incumbent stays: what the store machine found against that."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.folder import Folder, record, text_of
from tests.chaos.stores import opened, save_in_place


@pytest.fixture
async def doubled(tmp_path: Path) -> Folder:
    """A file whose record env-one is there a second time, before the one that is in force."""
    folder = Folder(tmp_path / "lab").make(record("one", "incumbent"))
    async with opened(folder) as lab:
        both = [record("one", "double"), record("one", "incumbent")]
        save_in_place(folder.catalogue, text_of(both))
        await lab.store.load()
        assert lab.in_force() == {"env-one": "incumbent"}
    return folder


async def test_the_incumbent_stays_over_a_restart(doubled: Folder) -> None:
    async with opened(doubled) as lab:
        assert lab.in_force() == {"env-one": "incumbent"}


async def test_the_incumbent_stays_after_a_write_to_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lab").make(record("one", "incumbent"))
    async with opened(folder) as lab:
        both = [record("one", "double"), record("one", "incumbent")]
        save_in_place(folder.catalogue, text_of(both))
        await lab.store.load()
        await lab.patch("env-one", "by the API")
        assert lab.in_force() == {"env-one": "by the API"}
