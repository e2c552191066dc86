"""The store over the file that people edit: neither side overwrites the other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.engines.json_file import JsonFileEngine
from registry.errors import CatalogueUnreadable
from registry.store import EnvironmentStore
from tests.records import record
from tests.unit.fakes import store_over

BY_HAND = """{
  "version": 1,
  "team": "kept",
  "environments": [
    %s,
    { "slug": "broken",   "name": 7 }
  ]
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A catalogue of one good record, written in an own style, and a broken one."""
    path = tmp_path / "environments.json"
    path.write_text(BY_HAND % json.dumps(record(slug="one")))
    return path


@pytest.fixture
async def store(file: Path) -> AsyncIterator[EnvironmentStore]:
    """The store over it."""
    engine = JsonFileEngine(file)
    yield store_over(engine)
    await engine.aclose()


def slugs(file: Path) -> list[str]:
    """What is in the file."""
    return [each["slug"] for each in json.loads(file.read_text())["environments"]]


async def test_a_create_adds_its_lines_and_changes_no_other(
    store: EnvironmentStore, file: Path
) -> None:
    before = file.read_text().splitlines()
    await store.create(record(slug="two"))
    after = file.read_text().splitlines()
    assert [line for line in before if line not in after] == [
        '    { "slug": "broken",   "name": 7 }'
    ]
    assert '    { "slug": "broken",   "name": 7 },' in after
    assert slugs(file) == ["one", "broken", "two"]


async def test_a_change_and_its_undoing_leave_what_others_wrote_to_the_letter(
    store: EnvironmentStore, file: Path
) -> None:
    await store.create(record(slug="two"))
    await store.delete("two")
    assert file.read_text() == BY_HAND % json.dumps(record(slug="one"))


async def test_what_was_edited_by_hand_is_seen_by_the_next_write(
    store: EnvironmentStore, file: Path
) -> None:
    await store.load()
    file.write_text(BY_HAND % json.dumps(record(slug="one", description="by hand")))
    patched = await store.patch("one", {"name": "By API"})
    assert (patched.name, patched.description) == ("By API", "by hand")


@pytest.mark.parametrize("torn", ["", "{", BY_HAND % "{} {}", BY_HAND % "{}" + "x"])
async def test_while_the_file_is_unreadable_writes_are_refused_and_all_stays(
    store: EnvironmentStore, file: Path, torn: str
) -> None:
    before = await store.load()
    file.write_text(torn)
    for write in (store.create(record(slug="two")), store.delete("one"), store.patch("one", {})):
        with pytest.raises(CatalogueUnreadable) as raised:
            await write
        assert {"line", "column"} <= raised.value.facts.keys()
    assert file.read_text() == torn
    assert store.snapshot is before
    assert isinstance(store.trouble, CatalogueUnreadable)
    file.write_text(BY_HAND % json.dumps(record(slug="one")))
    await store.create(record(slug="two"))
    assert slugs(file) == ["one", "broken", "two"]


async def test_what_a_restart_finds_is_what_was_answered(
    store: EnvironmentStore, file: Path
) -> None:
    created = await store.create(record(slug="two", metadata={"tag": "ü"}))
    patched = await store.patch("one", {"metadata": {"n": 1.5}})
    engine = JsonFileEngine(file)
    again = await store_over(engine).load()
    await engine.aclose()
    assert again.by_slug["two"].environment == created
    assert again.by_slug["one"].environment == patched
    assert patched.document["metadata"] == {"n": 1.5}
