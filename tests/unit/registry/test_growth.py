"""What one change costs does not grow with the catalogue: work is counted, not time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from registry import codec, snapshot
from registry.engines import json_file, read_file
from registry.engines.json_file import JsonFileEngine
from registry.engines.read_file import ReadFile
from registry.schema import Environment
from registry.store import EnvironmentStore
from tests.records import record
from tests.unit.fakes import AnyProjects


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts records validated, files read from scratch, and bytes of files parsed."""
    counted: Counter[str] = Counter()
    edited, anew = read_file.read_edited, read_file.read_anew

    def counting(validate: Callable[..., Environment]) -> Callable[..., Environment]:
        def counting_validate(value: Any, **more: Any) -> Environment:
            counted["validated"] += 1
            return validate(value, **more)

        return counting_validate

    def counting_edited(*given: Any) -> ReadFile | None:
        file = edited(*given)
        counted["bytes parsed"] += file.taken_apart if file else 0
        return file

    def counting_anew(*given: Any) -> ReadFile:
        counted["from scratch"] += 1
        return anew(*given)

    monkeypatch.setattr(Environment, "model_validate", counting(Environment.model_validate))
    monkeypatch.setattr(codec, "validated", counting(codec.validated))
    monkeypatch.setattr(json_file, "read_edited", counting_edited)
    monkeypatch.setattr(json_file, "read_anew", counting_anew)
    return counted


async def costs(folder: Path, records: int, work: Counter[str]) -> dict[str, Counter[str]]:
    """The work of one hand edit, and of one PATCH, in a catalogue of so many records."""
    folder.mkdir()
    path, verified = folder / "environments.json", Counter[str]()
    stored = [record(slug=f"svc-{index:05d}") for index in range(records)]
    path.write_text(json.dumps({"version": 1, "environments": stored}, indent=2) + "\n")

    def verify(_environment: Environment) -> None:
        verified["decoded"] += 1

    engine = JsonFileEngine(path)
    store = EnvironmentStore(engine, AnyProjects(), verify=verify)
    await store.load()
    await store.patch("svc-00001", {"name": "laid out by us from now on"})
    found = {}
    for name in ("hand edit", "patch"):
        work.clear()
        verified.clear()
        if name == "patch":
            await store.patch("svc-00007", {"name": "patched"})
        else:
            path.write_text(path.read_text().replace('"svc-00011"', '"other-0011"'))
            await store.load()
        found[name] = work + verified
    await engine.aclose()
    return found


async def test_a_change_costs_the_same_among_20_records_and_among_2000(
    tmp_path: Path, work: Counter[str]
) -> None:
    few = await costs(tmp_path / "few", 20, work)
    many = await costs(tmp_path / "many", 2000, work)
    assert few == many
    assert few["hand edit"]["decoded"] == few["patch"]["decoded"] == 1
    assert few["hand edit"]["validated"] == 1
    assert few["hand edit"]["from scratch"] == few["patch"]["from scratch"] == 0


async def test_of_a_batch_of_64_writes_the_whole_is_made_once(
    tmp_path: Path, work: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, made = tmp_path / "environments.json", snapshot.Snapshot.made_with
    stored = [record(slug=f"svc-{index:05d}") for index in range(200)]
    path.write_text(json.dumps({"version": 1, "environments": stored}, indent=2) + "\n")

    def counting(self: snapshot.Snapshot, pairs: Sequence[snapshot.Swap]) -> snapshot.Snapshot:
        work["whole"] += 1
        return made(self, pairs)

    monkeypatch.setattr(snapshot.Snapshot, "made_with", counting)
    engine = JsonFileEngine(path)
    store = EnvironmentStore(engine, AnyProjects())
    await store.load()
    work.clear()
    async with asyncio.TaskGroup() as group:
        for number in range(64):
            group.create_task(store.patch(f"svc-{number:05d}", {"name": f"patched {number}"}))
    await engine.aclose()
    assert work["whole"] == 1
