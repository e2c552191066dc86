"""The bytes of a large file in pieces: after a change most of them are the same objects.

So nothing as large as the file is copied, and what is alike is known without a look at the bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

PIECE_BYTES = 64 * 1024


class Splice(NamedTuple):
    """New bytes in the place of those from `start` to `stop`."""

    start: int
    stop: int
    new: bytes


@dataclass(frozen=True, eq=False)
class Content:
    """Bytes in pieces of 64 KiB at most, none of them empty. Where they are cut has no meaning."""

    pieces: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, whole: bytes) -> Content:
        """These bytes, cut."""
        return cls(tuple(cut(whole)))

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)

    def __len__(self) -> int:
        return self._stops[-1] if self.pieces else 0

    def between(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`."""
        return b"".join(piece for piece, _ in self._between(start, stop))

    def spliced(self, splices: Iterable[Splice]) -> Content:
        """After these splices, in order and apart; pieces that none touches stay the objects."""
        pieces: list[bytes] = []
        loose: list[bytes] = []
        at = 0
        for start, stop, new in (*splices, Splice(len(self), len(self), b"")):
            for piece, is_whole in self._between(at, start):
                if is_whole:
                    pieces += (*cut(b"".join(loose)), piece)
                    loose.clear()
                else:
                    loose.append(piece)
            loose.append(new)
            at = stop
        return Content((*pieces, *cut(b"".join(loose))))

    @cached_property
    def _stops(self) -> list[int]:
        return list(accumulate(map(len, self.pieces)))

    def _between(self, start: int, stop: int) -> Iterator[tuple[bytes, bool]]:
        """What lies between, and of each whether it is a whole piece."""
        index = bisect_right(self._stops, start)
        at = self._stops[index - 1] if index else 0
        while at < stop:
            piece = self.pieces[index]
            first, last = max(start - at, 0), min(stop - at, len(piece))
            if first < last:  # a slice of all of it is the piece itself
                yield piece[first:last], last - first == len(piece)
            at += len(piece)
            index += 1


def cut(whole: bytes) -> list[bytes]:
    """In pieces of much the same size, so that none is left over small."""
    if len(whole) <= PIECE_BYTES:
        return [whole] if whole else []
    size = -(-len(whole) // -(-len(whole) // PIECE_BYTES))
    return [whole[at : at + size] for at in range(0, len(whole), size)]


def common_ends(old: Content, new: Content) -> tuple[int, int]:
    """How many bytes are the same from the start, and then from the end.

    Pieces that both have are not looked into; between them it is as much as can be.
    """
    shorter = min(len(old.pieces), len(new.pieces))
    first = _same(old.pieces, new.pieces, shorter)
    last = _same(old.pieces[::-1], new.pieces[::-1], shorter - first)
    one, other = (b"".join(each.pieces[first : len(each.pieces) - last]) for each in (old, new))
    start = common_beginning(one, other)
    stop = common_end(one, other, start)
    ahead = sum(map(len, old.pieces[:first]))
    behind = sum(map(len, old.pieces[len(old.pieces) - last :]))
    return ahead + start, behind + stop


def common_beginning(old: bytes, new: bytes) -> int:
    """How many bytes are the same from the start."""
    limit = min(len(old), len(new))
    return _alike(limit, lambda at, stop: old[at:stop] == new[at:stop])


def common_end(old: bytes, new: bytes, beginning: int) -> int:
    """How many bytes are the same at the end, behind a common beginning."""
    a, b = len(old), len(new)
    limit = min(a, b) - beginning
    return _alike(limit, lambda at, stop: old[a - stop : a - at] == new[b - stop : b - at])


def _alike(limit: int, is_same: Callable[[int, int], bool]) -> int:
    """How far two sides are the same, of `limit` bytes, by larger and then ever smaller steps."""
    at, size = 0, PIECE_BYTES
    while size and at < limit:
        stop = at + min(size, limit - at)
        if is_same(at, stop):
            at = stop
        else:
            size = (stop - at) // 2
    return at


def _same(old: Sequence[bytes], new: Sequence[bytes], limit: int) -> int:
    """How many of the first `limit` are the same objects."""
    for index in range(limit):
        if old[index] is not new[index]:
            return index
    return limit
