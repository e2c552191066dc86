"""The catalogue file: edited by people and by us, each noticing the other."""

from __future__ import annotations

import json
import mmap
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.changes import Change
from registry.engines import exchange, json_file
from registry.engines.catalogue_text import EMPTY
from registry.engines.json_file import JsonFileEngine
from registry.engines.late_saves import KEPT_MAX
from registry.engines.protocol import Stale
from registry.engines.reading import Signature
from registry.errors import CatalogueUnreadable, StoreUnavailable
from tests.daemons import eventually

TWO = '{"version": 1, "environments": [\n  {"slug": "a"},\n    {"slug": "b"}\n]}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue of two records."""
    path = tmp_path / "environments.json"
    path.write_text(TWO)
    return path


@pytest.fixture
async def engine(file: Path) -> AsyncIterator[JsonFileEngine]:
    """The engine over it."""
    opened = JsonFileEngine(file)
    yield opened
    await opened.aclose()


async def add(engine: JsonFileEngine, slug: str) -> None:
    """Commit one more record."""
    await engine.commit([Change(None, json.dumps({"slug": slug}))], (await engine.load()).revision)


def slugs(file: Path) -> list[str]:
    """What is in the file."""
    return [each["slug"] for each in json.loads(file.read_text("utf-8-sig"))["environments"]]


async def test_a_record_knows_its_place_in_the_file(engine: JsonFileEngine) -> None:
    places = [str((await engine.load()).place(index)) for index in range(2)]
    assert places == ["environments.json:2:3", "environments.json:3:5"]


async def test_a_hand_edit_is_read_whatever_its_time_says(
    engine: JsonFileEngine, file: Path
) -> None:
    await engine.load()
    status = file.stat()
    file.write_text(TWO.replace("b", "c"))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [raw.text for raw in (await engine.load()).records] == ['{"slug": "a"}', '{"slug": "c"}']


async def test_a_save_right_after_a_write_is_read_though_it_is_as_long(
    engine: JsonFileEngine, file: Path
) -> None:
    await add(engine, "c")
    file.write_text(file.read_text().replace('"c"', '"d"'))
    assert [raw.text for raw in (await engine.load()).records][-1:] == ['{"slug": "d"}']


async def test_our_own_file_is_known_by_a_look_at_its_times(
    engine: JsonFileEngine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(engine, "c")
    revision = (await engine.load()).revision
    monkeypatch.setattr(json_file, "read", None)
    assert (await engine.load()).revision == revision
    os.utime(file)
    with pytest.raises(TypeError, match="not callable"):
        await engine.load()


async def test_a_save_that_leaves_the_times_alone_is_found_by_the_next_write(
    engine: JsonFileEngine, file: Path
) -> None:
    await add(engine, "c")
    known = await engine.load()
    with file.open("r+b") as writing:
        content = mmap.mmap(writing.fileno(), 0)
        content[content.find(b'"c"') + 1] = ord("e")
        before = file.stat()
    assert engine._known is not None
    engine._known = Signature(
        before.st_ino, before.st_size, before.st_mtime_ns, before.st_ctime_ns
    )  # as if the kernel had not told
    with pytest.raises(Stale):
        await engine.commit([Change(None, '{"slug": "f"}')], known.revision)
    content.close()
    assert '{"slug": "e"}' in [raw.text for raw in (await engine.load()).records]


async def test_a_hand_edit_since_the_reading_makes_a_commit_stale(
    engine: JsonFileEngine, file: Path
) -> None:
    revision = (await engine.load()).revision
    by_hand = TWO.replace("b", "c")
    file.write_text(by_hand)
    with pytest.raises(Stale):
        await engine.commit([Change("0", None)], revision)
    assert file.read_text() == by_hand


async def test_a_file_that_vanished_since_the_reading_makes_a_commit_stale(
    engine: JsonFileEngine, file: Path
) -> None:
    revision = (await engine.load()).revision
    file.unlink()
    with pytest.raises(Stale):
        await engine.commit([Change("0", None)], revision)
    assert not file.exists()
    assert (await engine.load()).absent


@pytest.mark.parametrize("text", ["", TWO[:-4], "{}", "null", '{"version": 2, "environments": []}'])
async def test_an_unreadable_file_is_said_to_be_and_left_alone(
    engine: JsonFileEngine, file: Path, text: str
) -> None:
    revision = (await engine.load()).revision
    file.write_text(text)
    for _ in range(2):
        with pytest.raises(CatalogueUnreadable, match=r"environments\.json:\d+:\d+: "):
            await engine.load()
    with pytest.raises(Stale):
        await engine.commit([], revision)
    assert file.read_text() == text


async def test_a_file_that_was_put_back_is_as_it_was(engine: JsonFileEngine, file: Path) -> None:
    before = await engine.load()
    file.write_text("{")
    with pytest.raises(CatalogueUnreadable):
        await engine.load()
    file.write_text(TWO)
    assert (await engine.load()).records == before.records


async def test_a_byte_that_is_not_utf_8_is_said_with_its_place(
    engine: JsonFileEngine, file: Path
) -> None:
    file.write_bytes(b'[\n  "\xff"\n]')
    with pytest.raises(CatalogueUnreadable) as raised:
        await engine.load()
    assert (raised.value.facts["line"], raised.value.facts["column"]) == (2, 4)


async def test_the_column_of_such_a_byte_counts_characters(
    engine: JsonFileEngine, file: Path
) -> None:
    file.write_bytes('[ "üüü",\n  "ü'.encode() + b'\xff"\n]')
    with pytest.raises(CatalogueUnreadable) as raised:
        await engine.load()
    assert (raised.value.facts["line"], raised.value.facts["column"]) == (2, 5)


async def test_a_byte_order_mark_and_windows_line_ends_are_kept(
    engine: JsonFileEngine, file: Path
) -> None:
    windows = "\ufeff" + TWO.replace("\n", "\r\n")
    file.write_bytes(windows.encode())
    await add(engine, "c")
    assert file.read_bytes().startswith(b"\xef\xbb\xbf{")
    assert slugs(file) == ["a", "b", "c"]


async def test_a_file_of_our_own_making_is_pretty_and_ends_with_a_newline(tmp_path: Path) -> None:
    engine = JsonFileEngine(tmp_path / "environments.json")
    await engine.commit([], (await engine.load()).revision)
    assert (tmp_path / "environments.json").read_text() == EMPTY
    text = json.dumps({"slug": "ü", "host": {}}, indent=2, ensure_ascii=False)
    await engine.commit([Change(None, text)], (await engine.load()).revision)
    value = {"version": 1, "environments": [{"slug": "ü", "host": {}}]}
    written = (tmp_path / "environments.json").read_text("utf-8")
    assert written == json.dumps(value, indent=2, ensure_ascii=False) + "\n"


async def test_a_rewrite_keeps_the_mode(engine: JsonFileEngine, file: Path) -> None:
    file.chmod(0o640)
    await add(engine, "c")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


async def test_a_linked_catalogue_is_written_at_its_target(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "real.json"
    target.parent.mkdir()
    target.write_text(TWO)
    link = tmp_path / "environments.json"
    link.symlink_to(target)
    await add(JsonFileEngine(link), "c")
    assert link.is_symlink()
    assert slugs(target) == ["a", "b", "c"]


async def test_nothing_else_is_left_in_the_folder_at_the_end(
    engine: JsonFileEngine, file: Path
) -> None:
    for slug in "cde":
        await add(engine, slug)
    await engine.aclose()
    assert [path.name for path in file.parent.iterdir()] == ["environments.json"]


async def test_what_writes_displaced_goes_after_its_time_but_for_the_last(
    engine: JsonFileEngine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (json_file, exchange):
        monkeypatch.setattr(module, "KEPT_S", 0.05)
    for slug in "cd":
        await add(engine, slug)
    with file.open("r+") as editor:
        await add(engine, "e")

        async def one_is_left() -> None:
            """And the catalogue."""
            assert len(list(file.parent.iterdir())) == 2

        await eventually(one_is_left)
        editor.write(TWO.replace('"b"', '"x"'))
        editor.truncate()
    await engine.load()
    assert slugs(file) == ["a", "x"]


async def test_of_many_writes_in_a_row_few_displaced_files_are_kept(
    engine: JsonFileEngine, file: Path
) -> None:
    for number in range(30):
        await add(engine, f"c{number}")

    async def few_are_left() -> None:
        """And the catalogue."""
        assert len(list(file.parent.iterdir())) <= 1 + KEPT_MAX

    await eventually(few_are_left)


async def test_no_other_file_gets_the_number_of_the_one_that_is_known(
    engine: JsonFileEngine, file: Path
) -> None:
    await engine.load()
    known = file.stat().st_ino
    file.with_suffix(".new").write_text(TWO)
    file.with_suffix(".new").replace(file)
    for number in range(20):
        other = file.with_name(str(number))
        other.write_text("x")
        assert other.stat().st_ino != known


async def test_however_many_edits_are_read_few_files_stay_open(
    engine: JsonFileEngine, file: Path
) -> None:
    for number in range(30):
        file.with_suffix(".new").write_text(TWO.replace('"b"', f'"b{number}"'))
        file.with_suffix(".new").replace(file)
        await engine.load()

    async def few_are_open() -> None:
        """Those of this folder."""
        names = [
            str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()
        ]
        assert sum(name.startswith(str(file)) for name in names) <= 1 + KEPT_MAX

    await eventually(few_are_open)


async def test_what_is_no_file_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await JsonFileEngine(tmp_path).load()


async def test_without_its_folder_nothing_is_written(tmp_path: Path) -> None:
    engine = JsonFileEngine(tmp_path / "gone" / "environments.json")
    revision = (await engine.load()).revision
    with pytest.raises(StoreUnavailable):
        await engine.commit([Change(None, "{}")], revision)
