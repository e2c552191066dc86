"""What differs between two sequences of values that are replaced and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


def replaced(old: Sequence[_T], new: Sequence[_T]) -> tuple[list[_T], list[_T]]:
    """Who is gone and who is new, by identity: no value is looked into, which is most of the time.

    One that only moved may be in both.
    """
    if len(old) == len(new):
        pairs = [pair for pair in zip(old, new, strict=True) if pair[0] is not pair[1]]
        return [was for was, _ in pairs], [now for _, now in pairs]
    known, left = set(map(id, old)), set(map(id, new))
    gone = [each for each in old if id(each) not in left]
    return gone, [each for each in new if id(each) not in known]
