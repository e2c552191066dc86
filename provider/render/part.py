"""A fragment's part of the document as ready bytes: encoded once, and then only copied."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from zlib import crc32

from provider.render.fragment import Claim, Fragment
from provider.render.share import share_of

GROUP_MEAN = 32
_NOTHING = frozenset[Claim]()
_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What is rendered of `fragment` without the claims that it `lost`: what it is keyed by.

    The three sections have a comma after each entry. `tag` tells two parts apart, of whatever
    documents; it is empty where nothing is left.
    """

    fragment: Fragment
    lost: frozenset[Claim]
    routers: bytes
    services: bytes
    middlewares: bytes
    routers_count: int
    tag: str
    ends_group: bool


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Neighbouring parts, joined by section: what of a document is copied and compressed whole."""

    parts: tuple[Part, ...]
    routers: bytes
    services: bytes
    middlewares: bytes


def parts_of(
    fragments: Iterable[Fragment],
    lost: Mapping[str, frozenset[Claim]],
    known: Mapping[str, Part],
) -> dict[str, Part]:
    """The part of each fragment, by `environment_id`; those known of the same inputs as they are.

    Most lose nothing; `lost` names the others.
    """
    parts = {}
    for fragment in fragments:
        name = fragment.environment_id
        part = known.get(name)
        gone = lost.get(name, _NOTHING) if lost else _NOTHING
        if part is None or part.fragment is not fragment or part.lost != gone:
            part = encode_part(fragment, gone)
        parts[name] = part
    return parts


def encode_part(fragment: Fragment, lost: frozenset[Claim]) -> Part:
    """Encode one; empty where every claim was lost."""
    ends_group = crc32(fragment.environment_id.encode()) % GROUP_MEAN == 0
    share = share_of(fragment, lost)
    if share is None:
        return Part(fragment, lost, b"", b"", b"", 0, "", ends_group)
    sections = [_entries(each) for each in (share.routers, share.services, share.middlewares)]
    return Part(
        fragment,
        lost,
        *map(b"".join, sections),
        routers_count=len(share.routers),
        tag=_tag(chain.from_iterable(sections), share.certificate),
        ends_group=ends_group,
    )


def grouped(parts: Iterable[Part], known: Mapping[str, Group]) -> dict[str, Group]:
    """Parts in groups, by the id of the first; those known of the same parts as they are.

    Where a group ends is decided by the ids alone, so that one that comes or goes changes only the
    group where it stands (content-defined chunking).
    """
    groups: dict[str, Group] = {}
    members: list[Part] = []
    for part in parts:
        members.append(part)
        if part.ends_group:
            _close(members, known, groups)
            members = []
    if members:
        _close(members, known, groups)
    return groups


def encoded(value: Any) -> bytes:
    """Compact JSON that Traefik's YAML parser takes too."""
    return _yaml_safe(json.dumps(value, separators=(",", ":"), ensure_ascii=True)).encode()


def _close(members: list[Part], known: Mapping[str, Group], groups: dict[str, Group]) -> None:
    parts, first = tuple(members), members[0].fragment.environment_id
    group = known.get(first)
    if group is None or group.parts != parts:
        group = Group(
            parts,
            b"".join(part.routers for part in parts),
            b"".join(part.services for part in parts),
            b"".join(part.middlewares for part in parts),
        )
    groups[first] = group


def _entries(section: Mapping[str, Any]) -> list[bytes]:
    return [b"%b:%b," % (encoded(name), encoded(value)) for name, value in section.items()]


def _tag(entries: Iterable[bytes], certificate: str | None) -> str:
    """Equal for equal parts, in whatever order of the routers; the certificate counts."""
    ordered = b"".join(sorted(entries))
    return hashlib.sha256(ordered + (certificate or "").encode(errors="surrogatepass")).hexdigest()[
        :16
    ]


def _yaml_safe(text: str) -> str:
    """ASCII keeps the YAML parser away from line breaks that it does not take.

    But it takes no surrogate pairs, and no raw U+007F. Only the paths of certificates can bring
    either: what a record says passed an allow-list.
    """
    text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f")
