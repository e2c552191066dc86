"""What we wrote is not decoded again; what only looks like it is."""

from __future__ import annotations

import pytest

from registry import codec
from registry.engines.memory import MemoryEngine
from registry.engines.protocol import Loaded
from registry.entries import Entry, RawRecord
from registry.reader import Reader
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.records import record
from tests.unit.fakes import AnyProjects


class Stored(MemoryEngine):
    """One stored text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded = Loaded((RawRecord("1", text),), "1")

    async def load(self) -> Loaded:
        """It, always."""
        return self.loaded


async def read(text: str, written: Environment) -> Snapshot:
    """What a reader makes of a text, when it expects another to be met."""
    reader = Reader(Stored(text), AnyProjects(), lambda _environment: None, founded=True)
    reader.expect([Entry(RawRecord("1", codec.encode(written)), written)])
    return await reader.read(None)


@pytest.fixture
def written() -> Environment:
    """A record that was just written."""
    return Environment.model_validate(record(description="two\nlines"))


@pytest.mark.parametrize("indent", ["", "  ", "    ", "\t"])
async def test_a_text_that_was_moved_in_is_the_record_that_was_written(
    written: Environment, indent: str
) -> None:
    text = codec.encode(written).replace("\n", f"\n{indent}")
    assert (await read(text, written)).environments[0] is written


@pytest.mark.parametrize("indent", ["  x ", "\u00a0", ","])
async def test_what_is_no_white_space_is_not_taken_for_it(
    written: Environment, indent: str
) -> None:
    text = codec.encode(written).replace("\n", f"\n{indent}")
    snapshot = await read(text, written)
    assert [fault.code for fault in snapshot.faults] == ["malformed_json"]


async def test_a_text_that_was_edited_since_is_decoded(written: Environment) -> None:
    text = codec.encode(written).replace("two", "three")
    (found,) = (await read(text, written)).environments
    assert found.description == "three\nlines"
