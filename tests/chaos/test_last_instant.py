"""Hand edits saved when nothing is left but the swap, and while it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from registry.engines import exchange
from registry.errors import EditedElsewhere
from tests.chaos.folder import Folder, record
from tests.chaos.stores import SAVES, Save, opened, save_by_rename, with_token, without

both_ways = pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)


def once(act: Callable[[], None]) -> Callable[[], None]:
    """The act, at the first call only: a write that is tried again meets no further edit."""
    left = [act]
    return lambda: left.pop()() if left else None


@both_ways
async def test_an_edit_of_another_record_in_the_last_instant_is_merged(
    folder: Folder, save: Save
) -> None:
    async with opened(folder) as lab:
        text = with_token(folder.catalogue.read_text(), "env-two", "by hand")
        lab.engine.last_instant = once(lambda: save(folder.catalogue, text))

        await lab.patch("env-one", "by the API")

        expected = {"env-one": "by the API", "env-two": "by hand", "env-three": "as made"}
        assert lab.in_force() == expected
    assert {key: each["description"] for key, each in folder.stored().items()} == expected


@both_ways
async def test_an_edit_of_the_same_record_in_the_last_instant_refuses_the_write(
    folder: Folder, save: Save
) -> None:
    async with opened(folder) as lab:
        text = with_token(folder.catalogue.read_text(), "env-one", "by hand")
        lab.engine.last_instant = once(lambda: save(folder.catalogue, text))

        with pytest.raises(EditedElsewhere):
            await lab.patch("env-one", "by the API")

        assert folder.catalogue.read_text() == text
        assert lab.in_force()["env-one"] == "by hand"


@both_ways
async def test_a_record_added_by_hand_in_the_last_instant_stays(folder: Folder, save: Save) -> None:
    whole = folder.catalogue.read_text()
    save(folder.catalogue, without(whole, "env-three"))
    async with opened(folder) as lab:
        lab.engine.last_instant = once(lambda: save(folder.catalogue, whole))
        await lab.patch("env-one", "by the API")
        assert set(lab.in_force()) == {"env-one", "env-two", "env-three"}
    assert set(folder.stored()) == {"env-one", "env-two", "env-three"}


@both_ways
async def test_a_removal_by_hand_in_the_last_instant_stays(folder: Folder, save: Save) -> None:
    async with opened(folder) as lab:
        text = without(folder.catalogue.read_text(), "env-three")
        lab.engine.last_instant = once(lambda: save(folder.catalogue, text))
        await lab.patch("env-one", "by the API")
        assert lab.in_force() == {"env-one": "by the API", "env-two": "as made"}
    assert set(folder.stored()) == {"env-one", "env-two"}


async def test_a_file_that_is_removed_in_the_last_instant_is_not_written_anew(
    folder: Folder,
) -> None:
    async with opened(folder) as lab:
        lab.engine.last_instant = once(folder.catalogue.unlink)
        with pytest.raises(Exception, match="the catalogue file is gone"):
            await lab.patch("env-one", "by the API")
        assert not folder.catalogue.exists()
        assert lab.in_force()["env-one"] == "as made"


async def test_a_file_that_appears_in_the_last_instant_of_the_first_write_is_merged(
    folder: Folder,
) -> None:
    text = without(folder.catalogue.read_text(), "env-one")
    folder.catalogue.unlink()
    async with opened(folder) as lab:
        lab.engine.last_instant = once(lambda: save_by_rename(folder.catalogue, text))
        await lab.store.create(record("one", "by the API"))
        assert lab.in_force()["env-one"] == "by the API"
    assert set(folder.stored()) == {"env-one", "env-two", "env-three"}


async def test_a_file_that_appears_in_the_last_instant_of_initialising_is_kept(
    folder: Folder,
) -> None:
    text = folder.catalogue.read_text()
    folder.catalogue.unlink()
    async with opened(folder) as lab:
        lab.engine.last_instant = once(lambda: save_by_rename(folder.catalogue, text))
        await lab.store.initialise()
        assert set(lab.in_force()) == {"env-one", "env-two", "env-three"}
    assert folder.catalogue.read_text() == text


@both_ways
async def test_an_edit_in_the_last_instant_of_a_confirmation_is_merged(
    folder: Folder, save: Save
) -> None:
    async with opened(folder) as lab:
        old = folder.catalogue.read_text()
        await lab.patch("env-one", "by the API")
        save(folder.catalogue, old)  # an editor that opened the file before that
        await lab.store.load()
        assert [item.environment_id for item in lab.store.stale] == ["env-one"]
        text = with_token(folder.catalogue.read_text(), "env-two", "by hand")
        lab.engine.last_instant = once(lambda: save(folder.catalogue, text))

        assert await lab.store.confirm() == ["env-one"]

        expected = {"env-one": "as made", "env-two": "by hand", "env-three": "as made"}
        assert lab.in_force() == expected


@both_ways
@pytest.mark.parametrize("times", [1, 2, 3, 6])
async def test_saves_while_the_swap_is_taken_back_end_with_the_last_one_in_place(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, save: Save, times: int
) -> None:
    whole = folder.catalogue.read_text()
    texts = [with_token(whole, "env-two", f"by hand {n}") for n in range(times + 1)]
    swap = exchange._swap

    def swap_and_save(one: Path, other: Path) -> bool:
        swapped = swap(one, other)
        if texts:
            save(folder.catalogue, texts.pop(0))
        return swapped

    async with opened(folder) as lab:
        lab.engine.last_instant = once(lambda: save(folder.catalogue, texts.pop(0)))
        monkeypatch.setattr(exchange, "_swap", swap_and_save)

        await lab.patch("env-one", "by the API")

        assert texts == []
        assert lab.in_force()["env-one"] == "by the API"
        assert lab.in_force()["env-two"] == f"by hand {times}"
    assert folder.stored()["env-two"]["description"] == f"by hand {times}"
    assert folder.leftovers() == []
