"""The document that Traefik polls: never empty, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from provider.render.changes import Change, change_of, fragments_in, part_changes
from provider.render.conflicts import Claims, Conflict, claims_after, claims_of
from provider.render.fragment import Claim, Fragment, Note, Pair, Rejection
from provider.render.groups import Group, part_in, regrouped
from provider.render.part import Part, encoded
from provider.render.share import Share, share_of
from provider.render.tls import listed

MARKER = "routebook-"
_MARKER_BODY = '{"addPrefix":{"prefix":"/routebook"}}'
_NO_DIGEST = "0" * 16
# With its body: a service may have this very name, no other middleware can.
_MARKED = re.compile(rf'"{MARKER}([0-9a-f]{{16}})":{re.escape(_MARKER_BODY)}'.encode())
_MARK = f'"{MARKER}'.encode()
_ID = attrgetter("environment_id")
_V = TypeVar("_V")


class Tls(NamedTuple):
    """The section of certificates, and the pairs that it was made of."""

    made_of: tuple[tuple[Pair, ...], Pair | None]
    encoded: bytes


@dataclass(frozen=True, eq=False)
class Document:
    """The encoded document and what it was made of. `digest` is 16 hex digits over the body.

    `shares` has the tag of what each routed environment has in it, by `environment_id`. `pieces`
    are the body; they and all that follows are what the next document is made from.
    """

    digest: str
    routers: int
    shares: Mapping[str, str]
    conflicts: tuple[Conflict, ...]
    rejections: tuple[Rejection, ...]
    notes: Mapping[str, tuple[Note, ...]]
    pieces: tuple[bytes, ...]
    items: tuple[Fragment | Rejection, ...]
    groups: tuple[Group, ...]
    claims: Claims | None
    tls: Tls

    @property
    def body(self) -> bytes:
        """The pieces joined, which few need."""
        return b"".join(self.pieces)

    @cached_property
    def fragments(self) -> tuple[Fragment, ...]:
        """What it was made of, by `environment_id`."""
        return tuple(part.fragment for group in self.groups for part in group.parts.values())

    @property
    def claims_count(self) -> int:
        """How many claims are made, lost ones included."""
        return sum(group.claims_count for group in self.groups)

    @property
    def routed(self) -> tuple[str, ...]:
        """The environments that have something in it."""
        return tuple(self.shares)

    def fragment(self, environment_id: str) -> Fragment | None:
        """What an environment asks for; None when that is nothing, or was rejected."""
        part = part_in(self.groups, environment_id)
        return part.fragment if part else None

    @cached_property
    def lost(self) -> Mapping[str, tuple[Conflict, ...]]:
        """The conflicts of each loser, by `environment_id`."""
        by_loser: dict[str, tuple[Conflict, ...]] = {}
        for each in self.conflicts:
            by_loser[each.loser] = (*by_loser.get(each.loser, ()), each)
        return by_loser

    @cached_property
    def rejected(self) -> Mapping[str, Rejection]:
        """The rejections, by `environment_id`."""
        return {rejection.environment_id: rejection for rejection in self.rejections}

    def share(self, environment_id: str) -> Share | None:
        """What an environment has in it; None when that is nothing."""
        fragment = self.fragment(environment_id)
        if fragment is None:
            return None
        lost = frozenset(each.claim for each in self.lost.get(environment_id, ()))
        return share_of(fragment, lost)


def assemble(
    compiled: Iterable[Fragment | Rejection],
    default_pair: Pair | None = None,
    incumbents: Mapping[Claim, str] | None = None,
    before: Document | None = None,
) -> Document:
    """All fragments, without the claims that were lost. The order of the input has no say.

    `incumbents` as for `resolve`. Nor has `before` a say, an earlier document: what was made of the
    same inputs is taken from it, ready.
    """
    before, items = before or _NOTHING, tuple(compiled)
    change = change_of(before.items, items)
    if not (change.ids or incumbents) and before.claims and before.tls.made_of[1] == default_pair:
        return before
    claims = _claims(before, items, change, incumbents)
    parts = part_changes(before.conflicts, claims.conflicts, change, before.fragment)
    groups = regrouped(before.groups, parts)
    tls = _tls(before.tls, [pair for group in groups for pair in group.pairs], default_pair)
    pieces, digest = _pieces(groups, tls.encoded)
    return Document(
        digest=digest,
        routers=sum(group.routers_count for group in groups),
        shares=_shares(before.shares, parts, groups),
        conflicts=claims.conflicts,
        rejections=_rejections(before, change),
        notes=_merged(group.notes for group in groups),
        pieces=pieces,
        items=items,
        groups=groups,
        claims=None if incumbents else claims,
        tls=tls,
    )


def _claims(
    before: Document,
    items: Iterable[Fragment | Rejection],
    change: Change,
    incumbents: Mapping[Claim, str] | None,
) -> Claims:
    if incumbents or before.claims is None:
        return claims_of(fragments_in(items), incumbents)
    gone, new = fragments_in(change.gone), fragments_in(change.new.values())
    return claims_after(before.claims, gone, new)


def _rejections(before: Document, change: Change) -> tuple[Rejection, ...]:
    ids = change.ids
    kept = (each for each in before.rejections if each.environment_id not in ids)
    new = (each for each in change.new.values() if isinstance(each, Rejection))
    return tuple(sorted([*kept, *new], key=_ID))


def _shares(
    before: Mapping[str, str], parts: Mapping[str, Part | None], groups: Iterable[Group]
) -> dict[str, str]:
    tags = {name: part.tag if part else "" for name, part in parts.items()}
    if before and all(tag and name in before for name, tag in tags.items()):
        return {**before, **tags}  # nobody comes or goes, so the order stays
    return _merged(group.shares for group in groups)


def _merged(several: Iterable[Mapping[str, _V]]) -> dict[str, _V]:
    merged: dict[str, _V] = {}
    for each in several:
        merged.update(each)
    return merged


def digest_at_end(body: bytes) -> str | None:
    """The digest that a document carries, by its last bytes: right or not."""
    found = _marked(body)
    return found.group(1).decode() if found else None


def digest_of(body: bytes) -> str | None:
    """The digest that a document carries, when it is the digest of that document; else None."""
    found = _marked(body)
    if found is None:
        return None
    digest, whole = found.group(1).decode(), memoryview(body)  # of which slices are no copies
    blank = whole[: found.start()], _marker(_NO_DIGEST), whole[found.end() :]
    return digest if _hash(blank) == digest else None


def _marked(body: bytes) -> re.Match[bytes] | None:
    found, at = None, len(body)
    while found is None and (at := body.rfind(_MARK, 0, at)) >= 0:  # it stands near the end
        found = _MARKED.match(body, at)
    return found


def _marker(digest: str) -> bytes:
    return f'"{MARKER}{digest}":{_MARKER_BODY}'.encode()


def _pieces(groups: Collection[Group], tls: bytes) -> tuple[tuple[bytes, ...], str]:
    """The body in pieces, of which a change of one record leaves most as they are; its digest."""
    routers = _listed(group.routers for group in groups)
    services = _listed(group.services for group in groups)
    head = [b'{"http":{']
    if routers:  # Traefik takes no empty map
        head += [b'"routers":{', *routers, b'},"services":{', *services, b"},"]
    head += [b'"middlewares":{', *(group.middlewares for group in groups if group.middlewares)]
    tail = b"}}" + tls + b"}"
    # An unused middleware proves which document is live, and keeps the document from being empty.
    digest = _hash([*head, _marker(_NO_DIGEST), tail])
    return (*head, _marker(digest), tail), digest


def _listed(sections: Iterable[bytes]) -> list[bytes]:
    """Sections that are not empty, without the comma after the last entry of all."""
    listed = [section for section in sections if section]
    return [*listed[:-1], *(last[:-1] for last in listed[-1:])]


def _tls(before: Tls, pairs: Sequence[Pair], default_pair: Pair | None) -> Tls:
    made_of = (tuple(pairs), default_pair)
    if made_of == before.made_of:
        return before
    tls: dict[str, Any] = {}
    certificates = listed(pairs)
    if certificates:
        tls["certificates"] = certificates
    if default_pair is not None:
        default = listed([default_pair])[0]
        tls["stores"] = {"default": {"defaultCertificate": default}}
    return Tls(made_of, b',"tls":' + encoded(tls) if tls else b"")


def _hash(pieces: Iterable[bytes | memoryview]) -> str:
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()[:16]


_NOTHING = Document(
    "", 0, {}, (), (), {}, (), items=(), groups=(), claims=None, tls=Tls(((), None), b"")
)
