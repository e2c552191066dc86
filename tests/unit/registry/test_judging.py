"""What a file means depends on what was in force, and on no other part of the way there."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.engines.memory import MemoryEngine
from registry.entries import Entry, RawRecord
from registry.reader import Reader
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.chaos.form import amount
from tests.records import GONE, record
from tests.unit.fakes import AnyProjects, text_of

NAMES = ["a", "b", "c", "d"]
NAMELESS = ["null", "7", '{"note": 1}', '{"slug": "a", "slug": "b c"}', '{"a": ']
TEMPERS: list[dict[str, Any]] = [
    *[{}] * 8,
    {"health": {"status": "fine"}},
    {"health": {"status": "fine"}, "environment_id": GONE},
    {"health": {"status": "fine"}, "slug": GONE},
    {"project_id": "elsewhere"},
    {"created_at": GONE, "updated_at": GONE},
    {"environment_id": GONE},
]


@st.composite
def records(draw: st.DrawFn) -> Any:
    """A record of few names, mostly under its own, and now and then broken."""
    number = draw(st.integers(0, len(NAMES) - 1))
    slug = draw(st.sampled_from([NAMES[number]] * 4 + [*NAMES, "env-a"]))
    return record(
        **{
            "environment_id": f"env-{NAMES[number]}",
            "slug": slug,
            "name": draw(st.sampled_from(["One", "Two"])),
            **draw(st.sampled_from(TEMPERS)),
        }
    )


FILES = st.lists(st.one_of(records(), records(), records(), st.sampled_from(NAMELESS)), max_size=6)
Step = tuple[list[Any], bool]
STEPS = st.lists(st.tuples(FILES, st.booleans()), min_size=1, max_size=4)


class Saved(MemoryEngine):
    """Records of which those that a save leaves alone stay the same objects."""

    def save(self, texts: list[str]) -> None:
        """The whole catalogue at once."""
        kept = {raw.text: raw for raw in self._loaded.records}
        self._keep(
            [kept[text] if text in kept else RawRecord(self._next_key(), text) for text in texts]
        )


class Judge:
    """Reads files over one long-lived reader, and over new ones."""

    def __init__(self) -> None:
        self.projects, self.engine = AnyProjects(), Saved()
        self.reader = self.new_reader()

    def new_reader(self) -> Reader:
        """A reader that has met nothing."""
        return Reader(self.engine, self.projects, lambda _environment: None, founded=True)

    async def read_anew(self, known: Snapshot | None) -> Snapshot:
        """What the stored file means to who just came, and knows this."""
        return await self.new_reader().read(known)


def restarted(snapshot: Snapshot) -> Snapshot:
    """What the state folder keeps of it: good records alone, in any order."""
    kept = [json.loads(json.dumps(each.document)) for each in snapshot.environments]
    environments = map(Environment.model_validate, reversed(kept))
    return Snapshot(tuple(Entry(RawRecord("", ""), each) for each in environments))


def in_force(snapshot: Snapshot | None) -> dict[str, str]:
    """The state of each record in force, by id."""
    environments = snapshot.environments if snapshot else ()
    return {each.environment_id: each.revision for each in environments}


def said(snapshot: Snapshot) -> Any:
    """What each stored record brings in force, and what is wrong with it, without the words."""
    return [
        (
            each.environment and (each.environment.environment_id, each.environment.revision),
            each.fault and (each.fault.code, each.fault.environment_id, each.fault.slug),
            each.lingering,
        )
        for each in snapshot.entries
    ]


def values(texts: list[str]) -> list[Any]:
    """The records as they say they are; None for what says nothing."""
    made = []
    for text in texts:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        made.append(value if isinstance(value, dict) else None)
    return made


def is_alone(at: int, file: list[Any]) -> bool:
    """Whether no other record of the file claims a name of this one."""
    own = {file[at].get("environment_id"), file[at].get("slug")}
    others = [each for index, each in enumerate(file) if index != at and each]
    return not any(own & {each.get("environment_id"), each.get("slug")} for each in others)


def good(value: Any) -> Environment | None:
    """The record, where it is one by itself."""
    try:
        return Environment.model_validate(value)
    except ValueError:
        return None


def check_law_of_names(after: Snapshot) -> None:
    """No name is in force twice: neither as an id nor as a slug."""
    owners = Counter(
        name for each in after.environments for name in {each.environment_id, each.slug}
    )
    assert max(owners.values(), default=1) == 1, owners


def check_isolation(
    file: list[Any], before: Snapshot | None, after: Snapshot, *, missing: bool
) -> None:
    """A good record whose names nobody else has, or had, is in force as it is written."""
    for at, value in enumerate(file):
        environment = good(value)
        if environment is None or (missing and environment.project_id == "elsewhere"):
            continue
        if "created_at" not in value:
            continue  # it keeps the times that it was known with
        own = {environment.environment_id, environment.slug}
        had = {
            each.environment_id
            for each in (before.environments if before else ())
            if own & {each.environment_id, each.slug}
        }
        if is_alone(at, file) and had <= {environment.environment_id}:
            assert in_force(after).get(environment.environment_id) == environment.revision


def check_that_nothing_is_lost(file: list[Any], before: Snapshot | None, after: Snapshot) -> None:
    """A record stays while the file names its id, or while another cannot be told from it."""
    named = {value.get("environment_id") for value in file if value}
    unclear = any(entry.fault and entry.environment is None for entry in after.entries)
    stays = in_force(before).keys() if unclear else in_force(before).keys() & named
    assert stays <= in_force(after).keys()


@pytest.mark.timeout(amount(120, 3600))
@settings(max_examples=amount(300, 20_000))
@given(STEPS)
def test_judging_is_a_fixed_point_and_a_fault_stays_with_its_record(steps: list[Step]) -> None:
    asyncio.run(check(steps))


async def check(steps: list[Step]) -> None:
    """All laws, after each step."""
    judge, known = Judge(), None
    for file, missing in steps:
        texts = [text_of(each) for each in file]
        judge.engine.save(texts)
        judge.projects.missing = {"elsewhere"} if missing else set()
        after = await judge.reader.read(known)

        assert said(await judge.read_anew(known)) == said(after)
        check_law_of_names(after)
        check_isolation(values(texts), known, after, missing=missing)
        check_that_nothing_is_lost(values(texts), known, after)
        for again in (after, restarted(after)):
            assert said(await judge.read_anew(again)) == said(after)
        assert said(await judge.reader.read(after)) == said(after)
        known = after
