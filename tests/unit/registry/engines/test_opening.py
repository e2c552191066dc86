"""One daemon a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.engines.opening import open_engine
from registry.errors import StoreUnavailable


async def test_the_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    async with open_engine(tmp_path / "new" / "data") as engine:
        assert (await engine.load()).absent
    assert (tmp_path / "new" / "data").is_dir()


async def test_a_second_one_is_refused_while_the_first_is_open(tmp_path: Path) -> None:
    async with open_engine(tmp_path):
        with pytest.raises(StoreUnavailable, match="another Routebook serves"):
            async with open_engine(tmp_path):
                pass
    async with open_engine(tmp_path) as engine:
        assert (await engine.load()).absent


async def test_the_folder_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        async with open_engine(tmp_path):
            raise RuntimeError
    async with open_engine(tmp_path) as engine:
        assert (await engine.load()).absent


async def test_two_folders_may_be_served_at_once(tmp_path: Path) -> None:
    async with open_engine(tmp_path / "one") as one, open_engine(tmp_path / "two") as two:
        assert one is not two


async def test_what_cannot_be_a_folder_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot lock"):
        async with open_engine(tmp_path / "file" / "data"):
            pass


async def test_what_a_crash_left_is_found_whatever_the_name_of_the_target(tmp_path: Path) -> None:
    (tmp_path / "environments.json").symlink_to("team[1].json")
    ours = tmp_path / ".team[1].json.abc.part"
    saved_meanwhile = tmp_path / ".team[1].json.abc.1-none.new"
    ours.write_text("unfinished")
    saved_meanwhile.write_text("by hand")
    async with open_engine(tmp_path):
        pass
    assert not ours.exists()
    assert [late.read_text() for late in tmp_path.glob("*.late")] == ["by hand"]
