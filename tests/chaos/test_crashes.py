"""A process that dies between two steps of one write, and what the next start makes of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time

from structlog.testing import capture_logs

from tests.chaos import crash
from tests.chaos.folder import Folder
from tests.chaos.serve import ROOT
from tests.chaos.stores import opened, save_in_place, with_token
from tests.chaos.verdict import check_chain, check_replay, token_of


async def crash_while(folder: Folder, moment: str, *token: str) -> None:
    """A write that ends so; see crash.py."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, crash.__file__, str(folder.root), moment, *token),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert await process.wait() == -signal.SIGKILL


async def test_a_crash_while_our_file_is_written_leaves_the_catalogue_as_it_was(
    folder: Folder,
) -> None:
    before = folder.catalogue.read_bytes()
    await crash_while(folder, "while-writing")
    assert folder.catalogue.read_bytes() == before
    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == "as made"
        await lab.patch("env-one", "after the crash")


async def test_a_crash_while_our_file_is_written_leaves_nothing_behind(folder: Folder) -> None:
    await crash_while(folder, "while-writing")
    async with opened(folder):
        assert folder.leftovers() == []


async def test_a_crash_after_the_swap_leaves_the_write_in_force_and_found(folder: Folder) -> None:
    await crash_while(folder, "after-the-swap")
    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == "by the API"
        assert folder.leftovers() == []
    lines = folder.lines()
    assert [(line["source"], token_of(line["after"])) for line in lines][3:] == [
        ("found", "by the API")
    ]
    check_chain(lines)
    check_replay(folder, lines)


async def test_a_save_in_the_last_instant_before_a_crash_after_the_swap_is_kept_aside(
    folder: Folder,
) -> None:
    await crash_while(folder, "after-the-swap", "by hand")
    [leftover] = folder.data.glob(".environments.json.*.new")
    os.utime(leftover, ns=(time.time_ns(), time.time_ns()))  # saved after ours was written
    with capture_logs() as logs:
        async with opened(folder) as lab:
            [late] = folder.late()
            assert json.dumps("by hand") in late
            save_in_place(folder.catalogue, late)
            await lab.store.load()
            assert lab.in_force()["env-two"] == "by hand"
    assert "late_save_kept_aside" in [line["event"] for line in logs]


async def test_a_save_by_rename_before_a_crash_after_the_swap_is_kept(folder: Folder) -> None:
    await crash_while(folder, "after-the-swap", "by hand")
    async with opened(folder) as lab:
        kept = [*folder.late(), folder.catalogue.read_text()]
        assert any(json.dumps("by hand") in text for text in kept)
        assert lab.in_force()["env-one"] in ("by the API", "as made")


async def test_a_crash_before_the_history_is_written_is_mended_at_the_next_start(
    folder: Folder,
) -> None:
    await crash_while(folder, "before-the-history")
    assert token_of(folder.lines()[-1]["after"]) == "as made"
    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == "by the API"
    lines = folder.lines()
    assert (lines[-1]["source"], token_of(lines[-1]["after"])) == ("found", "by the API")
    assert len(lines) == 4
    check_chain(lines)
    check_replay(folder, lines)


async def test_a_hand_edit_while_we_are_down_after_a_crash_is_found_beside_the_write(
    folder: Folder,
) -> None:
    await crash_while(folder, "before-the-history")
    text = with_token(folder.catalogue.read_text(), "env-two", "by hand")
    save_in_place(folder.catalogue, text)
    async with opened(folder) as lab:
        assert lab.in_force()["env-one"] == "by the API"
        assert lab.in_force()["env-two"] == "by hand"
    found = {token_of(line["after"]) for line in folder.lines()[3:]}
    assert found == {"by the API", "by hand"}
    check_replay(folder, folder.lines())
