"""Bytes in pieces: as one sequence of bytes, for less work."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from registry.engines import content as contents
from registry.engines.content import Content, Splice, common_ends
from registry.engines.reading import holds, read


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that few bytes are many pieces."""
    monkeypatch.setattr(contents, "PIECE_BYTES", 8)


def spliced(whole: bytes, splices: list[Splice]) -> bytes:
    """The same, on plain bytes."""
    for start, stop, new in reversed(splices):
        whole = whole[:start] + new + whole[stop:]
    return whole


def some_splices(chance: random.Random, length: int) -> list[Splice]:
    """In order and apart; they may touch."""
    places = sorted(chance.choices(range(length + 1), k=2 * chance.randrange(4)))
    pairs = zip(places[::2], places[1::2], strict=True)
    return [
        Splice(start, stop, chance.randbytes(chance.choice((0, 1, 30)))) for start, stop in pairs
    ]


@pytest.mark.parametrize("seed", range(40))
def test_splices_are_those_of_plain_bytes(seed: int) -> None:
    chance = random.Random(seed)
    whole = chance.randbytes(chance.choice((0, 7, 8, 9, 200)))
    content = Content.of(whole)
    for _ in range(6):
        splices = some_splices(chance, len(whole))
        whole, content = spliced(whole, splices), content.spliced(splices)
        assert bytes(content) == whole
        assert len(content) == len(whole)
        assert all(0 < len(piece) <= 8 for piece in content.pieces)
        start, stop = sorted(chance.choices(range(len(whole) + 1), k=2))
        assert content.between(start, stop) == whole[start:stop]


def test_pieces_that_no_splice_touches_stay_the_same_objects() -> None:
    before = Content.of(bytes(range(80)))
    after = before.spliced([Splice(41, 42, b"new")])
    assert [piece for piece in after.pieces if piece not in before.pieces] != []
    same = [piece for piece in before.pieces if any(piece is each for each in after.pieces)]
    assert len(same) == len(before.pieces) - 1


@pytest.mark.parametrize("seed", range(40))
def test_a_file_is_read_as_it_is_whatever_was_known_of_it(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    known = Content.of(chance.randbytes(chance.choice((0, 8, 100))))
    whole = spliced(bytes(known), some_splices(chance, len(known)))
    path = tmp_path / "file"
    path.write_bytes(whole)
    found = read(path, known)
    assert bytes(found) == whole
    assert holds(path, known) == (whole == bytes(known)) == (found is known)
    ahead, behind = common_ends(known, found)
    assert bytes(known)[:ahead] == whole[:ahead]
    assert bytes(known)[len(known) - behind :] == whole[len(whole) - behind :]
    assert ahead + behind <= min(len(known), len(whole))


def test_what_an_edit_leaves_alone_is_not_read_into_new_memory(tmp_path: Path) -> None:
    known = Content.of(bytes(range(200)))
    path = tmp_path / "file"
    path.write_bytes(spliced(bytes(known), [Splice(100, 101, b"edited")]))
    found = read(path, known)
    new = [piece for piece in found.pieces if not any(piece is each for each in known.pieces)]
    assert sum(map(len, new)) <= 8 + len(b"edited")
