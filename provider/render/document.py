"""The document that Traefik polls: never empty, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from provider.render.changes import Change, change_of, fragments_in, part_changes
from provider.render.conflicts import Claims, Conflict, claims_after, claims_of
from provider.render.fragment import Claim, Compiled, Fragment, Note, Pair, Rejection
from provider.render.groups import EMPTY, Group, changed_tags, part_in, regrouped, tags_in
from provider.render.part import encoded
from provider.render.share import Share, share_of
from provider.render.tls import listed

MARKER = "routebook-"
_MARKER_BODY = '{"addPrefix":{"prefix":"/routebook"}}'
_ID = attrgetter("environment_id")
_V = TypeVar("_V")


class Tls(NamedTuple):
    """The section of certificates, and the pairs that it was made of."""

    made_of: tuple[tuple[Pair, ...], Pair | None]
    encoded: bytes


@dataclass(frozen=True, eq=False)
class Document:
    """The encoded document and what it was made of. `digest` is 16 hex digits over all it says.

    `pieces` are the body; they and all that follows are what the next document is made from.
    """

    digest: str
    routers: int
    conflicts: tuple[Conflict, ...]
    rejections: tuple[Rejection, ...]
    notes: Mapping[str, tuple[Note, ...]]
    pieces: tuple[bytes, ...]
    items: tuple[Compiled, ...]
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

    @cached_property
    def shares(self) -> Mapping[str, str]:
        """The tag of what each routed environment has in it, by `environment_id`, in order."""
        return tags_in(self.groups)

    @property
    def routed(self) -> tuple[str, ...]:
        """The environments that have something in it."""
        return tuple(self.shares)

    def has(self, environment_id: str) -> bool:
        """Whether an environment has something in it."""
        part = part_in(self.groups, environment_id)
        return part is not None and bool(part.tag)

    def changed_since(self, before: Document | None) -> Mapping[str, str | None]:
        """Of each environment that has something else than before: its tag, None for nothing."""
        return changed_tags(before.groups if before else (), self.groups)

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
    compiled: Iterable[Compiled],
    default_pair: Pair | None = None,
    incumbents: Mapping[Claim, str] | None = None,
    before: Document | None = None,
) -> Document:
    """All fragments, without the claims that were lost. The order of the input has no say.

    None is of a record that asks for nothing. `incumbents` as for `resolve`. Nor has `before` a
    say, an earlier document: what was made of the same inputs is taken from it, ready.
    """
    before, items = before or _NOTHING, compiled if isinstance(compiled, tuple) else tuple(compiled)
    change = change_of(before.items, items)
    if not (change.ids or incumbents) and before.claims and before.tls.made_of[1] == default_pair:
        return before
    claims = _claims(before, items, change, incumbents)
    parts = part_changes(before.conflicts, claims.conflicts, change, before.fragment)
    groups = regrouped(before.groups, parts)
    tls = _tls(before.tls, [pair for group in groups for pair in group.pairs], default_pair)
    digest = _digest(groups, tls.encoded)
    return Document(
        digest=digest,
        routers=sum(group.routers_count for group in groups),
        conflicts=claims.conflicts,
        rejections=_rejections(before, change),
        notes=_merged(group.notes for group in groups),
        pieces=_pieces(groups, tls.encoded, digest),
        items=items,
        groups=groups,
        claims=None if incumbents else claims,
        tls=tls,
    )


def _claims(
    before: Document,
    items: Iterable[Compiled],
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


def _merged(several: Iterable[Mapping[str, _V]]) -> dict[str, _V]:
    merged: dict[str, _V] = {}
    for each in several:
        merged.update(each)
    return merged


def _pieces(groups: Collection[Group], tls: bytes, digest: str) -> tuple[bytes, ...]:
    """The body in pieces, of which a change of one record leaves most as they are."""
    routers = _listed(group.routers for group in groups)
    services = _listed(group.services for group in groups)
    head = [b'{"http":{']
    if routers:  # Traefik takes no empty map
        head += [b'"routers":{', *routers, b'},"services":{', *services, b"},"]
    head += [b'"middlewares":{', *(group.middlewares for group in groups if group.middlewares)]
    # An unused middleware proves which document is live, and keeps the document from being empty.
    marker = f'"{MARKER}{digest}":{_MARKER_BODY}'.encode()
    return (*head, marker, b"}}" + tls + b"}")


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


def _digest(groups: Iterable[Group], tls: bytes) -> str:
    """Over what stands around all groups, and their digests: one changed record is one hashed anew.

    Not over groups that say nothing: equal documents have equal digests.
    """
    around = _pieces([_ANY], tls, "")
    digests = (group.digest for group in groups if group.shares)
    return hashlib.sha256(b"".join((*around, *digests))).hexdigest()[:16]


_ANY = replace(EMPTY, routers=b",", services=b",", middlewares=b",")
_NOTHING = Document(
    "", 0, (), (), {}, (), items=(), groups=(), claims=None, tls=Tls(((), None), b"")
)
