"""What a start takes from the history: as text, and as records only where they differ."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from registry import codec
from registry.history import History
from registry.history_lines import glance, kept_state
from registry.schema import Environment
from registry.snapshot import Snapshot
from tests.safety.desk import ANN, Desk
from tests.safety.records import record

A, B = record("a"), record("b")


async def test_a_state_in_the_older_form_is_read_too(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.stop()
    kept = desk.folders.data / "state" / "known.json"
    kept.write_text(json.dumps(json.loads(kept.read_bytes()), indent=1))
    (desk.folders.data / "state" / "history.jsonl").unlink()
    await desk.start()
    assert len(desk.store.history.known) == 2
    assert await desk.store.history.since(0) == []


async def test_a_record_deleted_by_hand_while_nobody_ran_is_in_the_history(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.stop()
    desk.folders.write(A)
    await desk.start()
    (deleted, _) = await desk.store.revisions("env-b")
    assert (deleted.after, deleted.author.source) == (None, "found")


async def test_an_unchanged_record_is_made_once_at_a_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [record(f"r{number:02}") for number in range(30)]
    await desk.holds(*stored)
    desk.folders.hand_write(*(each.document for each in in_force(desk).environments))
    await desk.restart()
    await desk.stop()
    made: list[object] = []

    def counting(validate: Callable[..., Environment]) -> Callable[..., Environment]:
        def counted(value: object, **more: object) -> Environment:
            made.append(value)
            return validate(value, **more)

        return counted

    monkeypatch.setattr(Environment, "model_validate", counting(Environment.model_validate))
    monkeypatch.setattr(codec, "validated", counting(codec.validated))
    await desk.start()
    assert len(made) == len(stored)
    for each in in_force(desk).environments:
        assert desk.store.history.known[each.environment_id] is each


def in_force(desk: Desk) -> Snapshot:
    """The snapshot of the store."""
    assert desk.store.snapshot is not None
    return desk.store.snapshot


async def test_a_line_whose_record_is_noise_costs_that_change_alone(desk: Desk) -> None:
    await desk.holds(A, B)
    await desk.store.patch("a", {"name": "one"}, by=ANN)
    await desk.stop(killed=True)
    (desk.folders.data / "state" / "known.json").unlink(missing_ok=True)
    file = desk.folders.data / "state" / "history.jsonl"
    *lines, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines) + last[:-3] + b"{}}\n")
    history = History(desk.folders.data / "state")
    history.open(desk.now)
    assert history.known["env-a"].name == "a"


async def test_the_states_of_a_record_are_found_in_its_lines(desk: Desk) -> None:
    await desk.holds(A, B)
    tags = set()
    for name in ("one", "two"):
        tags.add((await desk.store.patch("a", {"name": name}, by=ANN)).revision)
    await desk.restart()
    past = await desk.store.history.past(["env-a"])
    assert tags < past["env-a"]
    assert len(past["env-a"]) == 3


def test_a_torn_line_shows_nothing_at_first_sight() -> None:
    assert glance(b'{"revision":1,"at":"2026-01-01T00:00:00Z","actor"') is None
    with pytest.raises(ValueError, match="Expecting"):
        kept_state(b"{")


async def test_a_kept_record_that_breaks_the_rules_costs_no_other_its_last_good(
    desk: Desk,
) -> None:
    await desk.holds(A, B)
    await desk.stop()
    kept = desk.folders.data / "state" / "known.json"
    kept.write_bytes(kept.read_bytes().replace(b'"name":"a"', b'"name":5'))
    (desk.folders.data / "state" / "history.jsonl").unlink()  # rotated away
    desk.folders.write(A, {**B, "lifecycle": {"state": "asleep"}})
    await desk.start()
    assert desk.names() == {"a": "a", "b": "b"}


@pytest.mark.parametrize("noise", [b"9" * 5000, b"1,{}", b"[" * 100_000, b"\xff"])
@pytest.mark.parametrize("place", [b'{"revision":', b'"tags":[', b'"before":'])
async def test_noise_in_a_line_keeps_nothing_from_opening(
    desk: Desk, noise: bytes, place: bytes
) -> None:
    await desk.holds(A, B)
    await desk.store.patch("a", {"name": "one"}, by=ANN)
    await desk.stop()
    file = desk.folders.data / "state" / "history.jsonl"
    *lines, last = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines, last.replace(place, place + noise), last]))
    await desk.start()
    assert desk.names() == {"a": "one", "b": "b"}
    assert desk.store.history.last == 3
    assert "env-a" in await desk.store.history.past(["env-a"])


@pytest.mark.parametrize(
    ("state", "stays"), [("planned", ["env-a"]), ("active", ["env-a", "env-b"])]
)
@pytest.mark.parametrize("order", [1, -1])
async def test_a_slug_that_is_kept_twice_is_his_who_has_a_route_and_no_route_goes(
    desk: Desk, state: str, stays: list[str], order: int
) -> None:
    kept = desk.folders.data / "state" / "known.json"
    await desk.holds(*[A, record("b", lifecycle={"state": state})][::order])
    await desk.stop()
    kept.write_bytes(kept.read_bytes().replace(b'"slug":"b"', b'"slug":"a"'))  # as once kept
    desk.folders.save(desk.folders.buffer().replace('"slug": "b"', '"slug": "a"'))
    await desk.start()
    assert sorted(each.environment_id for each in in_force(desk).environments) == stays
    assert ("slug_taken", "env-b") in desk.faults()
    assert desk.routed() == set(stays)
    await desk.found(A, record("b", lifecycle={"state": state}))
    assert desk.names() == {"a": "a", "b": "b"}
    assert desk.faults() == []
