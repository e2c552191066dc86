"""Saves that come late: into the file that we just replaced, or from before writes of ours."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from registry.engines import exchange
from registry.store import utc_now
from tests.chaos.folder import Folder, record, text_of
from tests.chaos.stores import SAVES, Save, opened, save_by_rename, with_token

both_ways = pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)


@pytest.mark.parametrize("writes", [1, 3, 7])
async def test_an_editor_that_held_the_replaced_file_open_loses_nothing(
    folder: Folder, writes: int
) -> None:
    async with opened(folder) as lab:
        with folder.catalogue.open("r+", encoding="utf-8") as held:
            text = with_token(held.read(), "env-two", "by hand")
            for n in range(writes):
                await lab.patch("env-one", f"by the API {n}")
            held.seek(0)
            held.truncate()
            held.write(text)
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by hand"
        assert lab.in_force()["env-one"] == f"by the API {writes - 1}"
    assert folder.stored()["env-two"]["description"] == "by hand"
    assert folder.leftovers() == []


async def test_a_save_into_the_replaced_file_is_found_when_we_stop(folder: Folder) -> None:
    async with opened(folder) as lab:
        with folder.catalogue.open("r+", encoding="utf-8") as held:
            text = with_token(held.read(), "env-two", "by hand")
            await lab.patch("env-one", "by the API")
            held.seek(0)
            held.truncate()
            held.write(text)
    async with opened(folder) as lab:
        assert lab.in_force()["env-two"] == "by hand"
        assert lab.in_force()["env-one"] == "by the API"


async def test_a_late_save_is_kept_where_the_file_system_cannot_exchange(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "_swap", lambda _one, _other: False)
    async with opened(folder) as lab:
        with folder.catalogue.open("r+", encoding="utf-8") as held:
            text = with_token(held.read(), "env-two", "by hand")
            await lab.patch("env-one", "by the API")
            held.seek(0)
            held.truncate()
            held.write(text)
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by hand" or text in folder.late()
        assert lab.in_force()["env-one"] == "by the API"


async def test_edits_by_rename_between_writes_are_not_taken_for_stale_ones(folder: Folder) -> None:
    # Most file systems give the number of the file that an edit replaced to our next one.
    async with opened(folder) as lab:
        for n in range(10):
            await lab.patch("env-one", f"by the API {n}")
            text = with_token(folder.catalogue.read_text(), "env-two", f"by hand {n}")
            save_by_rename(folder.catalogue, text)
            await lab.store.load()
            assert lab.store.stale == ()
    assert folder.leftovers() == []


@both_ways
async def test_an_editor_from_before_a_write_does_not_undo_it(folder: Folder, save: Save) -> None:
    async with opened(folder) as lab:
        text = with_token(folder.catalogue.read_text(), "env-two", "by hand")
        await lab.patch("env-one", "by the API")
        await lab.store.delete("env-three")
        await lab.store.create(record("four", "by the API"))
        save(folder.catalogue, text)
        await lab.store.load()
        expected = {"env-one": "by the API", "env-two": "by hand", "env-four": "by the API"}
        assert lab.in_force() == expected
    async with opened(folder) as lab:
        assert lab.in_force() == expected


@both_ways
async def test_an_editor_from_before_a_hand_edit_and_a_write_does_not_undo_the_write(
    folder: Folder, save: Save
) -> None:
    async with opened(folder) as lab:
        oldest = folder.catalogue.read_text()
        save(folder.catalogue, with_token(oldest, "env-one", "by hand"))
        await lab.store.load()
        await lab.patch("env-one", "by the API")
        save(folder.catalogue, with_token(oldest, "env-two", "by a slow editor"))
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by a slow editor"
        assert lab.in_force()["env-one"] == "by the API"


@both_ways
async def test_an_editor_from_before_two_writes_an_hour_apart_does_not_undo_the_second(
    folder: Folder, save: Save
) -> None:
    now = [utc_now()]
    async with opened(folder, clock=lambda: now[0]) as lab:
        oldest = folder.catalogue.read_text()
        await lab.patch("env-one", "by the API")
        now[0] += timedelta(hours=1)
        await lab.patch("env-one", "by the API, again")
        now[0] += timedelta(minutes=1)
        save(folder.catalogue, with_token(oldest, "env-two", "by a slow editor"))
        await lab.store.load()
        assert lab.in_force()["env-two"] == "by a slow editor"
        assert lab.in_force()["env-one"] == "by the API, again"


@both_ways
async def test_an_editor_from_before_the_first_routes_were_made_is_not_held(
    folder: Folder, save: Save
) -> None:
    folder.catalogue.write_text(text_of([record("notes")]))
    async with opened(folder) as lab:
        before = folder.catalogue.read_text()
        await lab.store.create(record("four", "by the API", routed=True))
        await lab.store.create(record("five", "by the API", routed=True))
        save(folder.catalogue, with_token(before, "env-notes", "by hand"))
        await lab.store.load()
        assert lab.store.held is None
        assert lab.in_force()["env-notes"] == "by hand"
        assert {"env-four", "env-five"} < set(lab.in_force())


async def test_a_kept_aside_save_never_takes_the_place_of_a_newer_one(folder: Folder) -> None:
    async with opened(folder) as lab:
        with folder.catalogue.open("r+", encoding="utf-8") as held:
            late = with_token(held.read(), "env-two", "late")
            await lab.patch("env-one", "by the API")
            newer = with_token(folder.catalogue.read_text(), "env-three", "newer")
            save_by_rename(folder.catalogue, newer)
            held.seek(0)
            held.truncate()
            held.write(late)
            held.flush()
            os.fsync(held.fileno())
        await lab.store.load()
        assert lab.in_force()["env-three"] == "newer"
        assert lab.in_force()["env-one"] == "by the API"
        assert late in folder.late()
