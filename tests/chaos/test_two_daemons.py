"""Two daemons on one folder: the second does not start, and says why."""

from __future__ import annotations

import asyncio

from tests.chaos.conftest import MakeServe
from tests.chaos.folder import Folder


async def test_a_second_daemon_on_a_folder_ends_with_1_and_says_why(
    folder: Folder, make_serve: MakeServe
) -> None:
    first, second = make_serve(folder), make_serve(folder)
    await first.start()
    await first.ready()
    before = folder.catalogue.read_bytes()
    already_said = len(first.said)

    await second.start()
    assert await second.ended() == 1

    said = second.said[already_said:]
    assert f"another Routebook serves {folder.data}" in said
    assert "stop it, or give this one a folder with --data" in said
    assert "Traceback" not in said
    assert folder.catalogue.read_bytes() == before
    await first.ready()


async def test_of_two_daemons_started_at_once_one_serves_and_the_other_ends(
    folder: Folder, make_serve: MakeServe
) -> None:
    both = [make_serve(folder), make_serve(folder)]
    await asyncio.gather(*(each.start() for each in both))
    ended = [asyncio.create_task(each.ended()) for each in both]
    done, _ = await asyncio.wait(ended, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [1]
    winner = both[1] if ended[0] in done else both[0]
    await winner.ready()
    for task in ended:
        task.cancel()
