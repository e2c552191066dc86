"""What Python's garbage collector is spared, and that what nobody uses goes all the same."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from registry.collector import SetAside, collector_resting, set_aside, spare_the_old
from tests.records import record
from tests.unit.fakes import WatchedEngine, store_over


class Ring:
    """Refers to itself: counting references does not free it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def _spared() -> Iterator[None]:
    """As in the daemon's process; the process of the tests is as before afterwards."""
    thresholds = gc.get_threshold()
    gc.collect()
    spare_the_old()
    yield
    gc.callbacks[:] = [each for each in gc.callbacks if not isinstance(each, SetAside)]
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_outlives_a_full_collection_is_not_looked_at_by_the_next() -> None:
    kept = [[] for _ in range(1000)]  # type: list[list[object]]
    gc.collect()
    assert len(kept) == 1000
    assert len(gc.get_objects()) < 500


def test_young_rings_go_with_the_next_collection() -> None:
    ring = weakref.ref(Ring())
    gc.collect()
    assert ring() is None


def test_a_ring_that_lies_aside_goes_once_there_is_half_as_much_again() -> None:
    ring = Ring()
    seen = weakref.ref(ring)
    gc.collect()
    del ring
    gc.collect()
    assert seen() is not None
    more = [[] for _ in range(gc.get_freeze_count())]  # type: list[list[object]]
    for _ in range(10):
        gc.collect()
    assert more
    assert seen() is None
    assert gc.get_freeze_count() > len(more)  # and all is set aside again


def test_what_a_load_made_has_to_be_there() -> None:
    ring = Ring()
    seen = weakref.ref(ring)
    with collector_resting():
        more = [[] for _ in range(gc.get_freeze_count())]  # type: list[list[object]]
    del ring
    set_aside()
    for _ in range(10):
        gc.collect()
    assert more
    assert seen() is not None


def test_however_often_many_are_made_what_nobody_uses_goes() -> None:
    gc.collect()
    seen, kept = [], 0
    for _ in range(60):
        with collector_resting():
            rings = [Ring() for _ in range(1000)]
            seen += [weakref.ref(each) for each in rings]
            del rings
        gc.collect()
    kept = sum(each() is not None for each in seen)
    assert kept < len(seen) / 2 + gc.get_freeze_count() / 2


async def test_a_reading_that_makes_few_records_sets_nothing_aside_though_one_is_broken() -> None:
    engine = WatchedEngine("{", *(record(slug=f"n{number}") for number in range(600)))
    store = store_over(engine)
    await store.load()
    before = gc.get_freeze_count()
    await engine.edit_one(7, record(slug="other"))
    assert (await store.load()).by_slug.get("other") is not None
    assert gc.get_freeze_count() <= before
