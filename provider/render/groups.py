"""Neighbouring parts in groups: what of a document is copied, counted and compressed whole.

Where a group ends is decided by the ids alone (content-defined chunking). So one that comes or goes
changes only the group where it stands, and equal documents have equal groups, whatever was before.
Those who have nothing in the document end no group: one is as long as they are many in a row.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from provider.render.fragment import Note, Pair
from provider.render.part import Part

_FIRST = attrgetter("first")


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Some parts, by `environment_id` and in this order, `first` the least; and their sections.

    `digest` is a SHA-256 over the sections.
    """

    first: str
    parts: Mapping[str, Part]
    routers: bytes
    services: bytes
    middlewares: bytes
    digest: bytes
    routers_count: int
    claims_count: int
    shares: Mapping[str, str]
    notes: Mapping[str, tuple[Note, ...]]
    pairs: tuple[Pair, ...]


def regrouped(groups: Sequence[Group], changes: Mapping[str, Part | None]) -> tuple[Group, ...]:
    """All parts in groups, after these were replaced, added, or (None) taken away."""
    theirs: dict[int, dict[str, Part | None]] = defaultdict(dict)
    for name, part in changes.items():
        theirs[max(0, bisect_right(groups, name, key=_FIRST) - 1)][name] = part
    result: list[Group] = []
    unended: dict[str, Part] = {}
    for index, group in enumerate(groups or (EMPTY,)):
        if index not in theirs and not unended:
            result.append(group)
            continue
        merged = {**unended, **group.parts, **theirs.get(index, {})}
        kept = {name: part for name in sorted(merged) if (part := merged[name])}
        *ended, unended = _split(kept)
        result.extend(map(_group, ended))
    return (*result, *([_group(unended)] if unended else []))


def part_in(groups: Sequence[Group], name: str) -> Part | None:
    """The part of an environment; None when it has none."""
    index = bisect_right(groups, name, key=_FIRST) - 1
    return groups[index].parts.get(name) if index >= 0 else None


def tags_in(groups: Iterable[Group]) -> dict[str, str]:
    """The tag of what each environment has in these groups, by `environment_id`, in order."""
    return {name: tag for group in groups for name, tag in group.shares.items()}


def changed_tags(before: Sequence[Group], after: Sequence[Group]) -> dict[str, str | None]:
    """Of each environment whose tag is another, what it is after; None for nothing."""
    kept = set(map(id, before)) & set(map(id, after))
    old, new = (tags_in(g for g in groups if id(g) not in kept) for groups in (before, after))
    return {each: new.get(each) for each in old.keys() | new if old.get(each) != new.get(each)}


def _split(parts: Mapping[str, Part]) -> list[dict[str, Part]]:
    """Parts in runs; the last one has not ended, and may be empty."""
    runs: list[dict[str, Part]] = [{}]
    for name, part in parts.items():
        runs[-1][name] = part
        if part.ends_group:
            runs.append({})
    return runs


def _group(parts: dict[str, Part]) -> Group:
    several = parts.values()
    fragments = [part.fragment for part in several]
    routers = b"".join(part.routers for part in several)
    services = b"".join(part.services for part in several)
    middlewares = b"".join(part.middlewares for part in several)
    return Group(
        first=next(iter(parts)),
        parts=parts,
        routers=routers,
        services=services,
        middlewares=middlewares,
        # JSON has no line break of its own, so that nothing can move from one into the other.
        digest=hashlib.sha256(b"\n".join((routers, services, middlewares))).digest(),
        routers_count=sum(part.routers_count for part in several),
        claims_count=sum(len(each.claims) for each in fragments),
        shares={name: part.tag for name, part in parts.items() if part.tag},
        notes={each.environment_id: each.notes for each in fragments if each.notes},
        pairs=tuple(part.fragment.pair for part in several if part.tag and part.fragment.pair),
    )


EMPTY = Group("", {}, b"", b"", b"", b"", 0, 0, {}, {}, ())
