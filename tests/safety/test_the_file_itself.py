"""What a write leaves of the file: its link, its mode, its owner, and what we do not know."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.safety.desk import ANN, Desk
from tests.safety.records import keyless, record

A = record("a")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


async def each_way_of_writing(desk: Desk) -> None:
    """A write through the API, the filling in of keys, and the mending of a stale save."""
    await desk.start()
    await desk.store.create(record("made"), by=ANN)
    path = desk.folders.catalogue
    records = desk.folders.stored()
    path.write_text(json.dumps({"version": 1, "environments": [*records, keyless("hand")]}))
    await desk.store.load()
    path.write_text(json.dumps({"version": 1, "environments": desk.folders.stored()[:1]}))
    await desk.store.load()
    assert set(desk.names()) == {"a", "made"}
    assert desk.stale() == ["env-made"]
    await desk.stop()
    assert [each["slug"] for each in desk.folders.stored()] == ["a", "made"]


@pytest.mark.parametrize("relative", [False, True])
async def test_a_linked_catalogue_is_written_at_its_target(
    desk: Desk, tmp_path: Path, relative: bool
) -> None:
    target = tmp_path / "elsewhere" / "real.json"
    target.parent.mkdir()
    desk.folders.write(A)
    desk.folders.catalogue.rename(target)
    link = Path("..", "elsewhere", "real.json") if relative else target
    desk.folders.catalogue.symlink_to(link)
    await each_way_of_writing(desk)
    assert desk.folders.catalogue.is_symlink()
    assert desk.folders.catalogue.readlink() == link
    assert not target.is_symlink()
    assert list(target.parent.iterdir()) == [target]


async def test_a_link_of_links_is_written_at_its_end(desk: Desk, tmp_path: Path) -> None:
    target, between = tmp_path / "real.json", tmp_path / "between.json"
    desk.folders.write(A)
    desk.folders.catalogue.rename(target)
    between.symlink_to(target)
    desk.folders.catalogue.symlink_to(between)
    await each_way_of_writing(desk)
    assert between.is_symlink()
    assert desk.folders.catalogue.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
async def test_the_mode_stays(desk: Desk, mode: int) -> None:
    desk.folders.write(A)
    desk.folders.catalogue.chmod(mode)
    await each_way_of_writing(desk)
    assert desk.folders.catalogue.stat().st_mode & 0o7777 == mode


@AS_ROOT
async def test_the_owner_and_group_stay(desk: Desk) -> None:
    desk.folders.write(A)
    os.chown(desk.folders.catalogue, 1234, 4321)
    await each_way_of_writing(desk)
    status = desk.folders.catalogue.stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)


async def test_nothing_is_left_beside_it(desk: Desk) -> None:
    desk.folders.write(A)
    await each_way_of_writing(desk)
    beside = {path.name for path in desk.folders.data.iterdir()}
    assert beside <= {"environments.json", "state", "router"}


async def test_keys_and_white_space_around_the_records_stay_to_the_letter(desk: Desk) -> None:
    head = '{  "note":\t"ours, since 2019", "version": 1,\n"environments" : ['
    tail = '  ],\n\n  "more": {"a" : [1,2 ]}}\n'
    odd = json.dumps(A, indent=5)
    desk.folders.save(f"{head}\n{odd}{tail}")
    await desk.start()
    await desk.store.create(record("made"), by=ANN)
    text = desk.folders.buffer()
    assert text.startswith(head)
    assert text.endswith(tail.lstrip())
    assert odd in text


async def test_open_parts_and_unicode_are_kept_as_they_are_written(desk: Desk) -> None:
    metadata = {"note": "größer \u2028 🚀 \\u00e9", "z": {"b": 1.50, "a": None}, "numbers": [1e3]}
    desk.folders.save(json.dumps([record("a", metadata=metadata)], ensure_ascii=False))
    await desk.start()
    await desk.store.patch("a", {"name": "ü"}, by=ANN)
    text = desk.folders.buffer()
    assert text.startswith("[")
    assert json.loads(text)[0]["metadata"] == metadata
    assert "größer" in text
    assert '"name": "ü"' in text
