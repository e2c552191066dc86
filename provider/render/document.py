"""The document that Traefik polls: never empty, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from provider.render.conflicts import Claims, Conflict, claims_after, claims_of, lost_by
from provider.render.fragment import Claim, Fragment, Note, Pair, Rejection
from provider.render.part import Group, Part, encoded, grouped, parts_of
from provider.render.share import Share, share_of
from provider.render.tls import listed

MARKER = "routebook-"
_MARKER_BODY = '{"addPrefix":{"prefix":"/routebook"}}'
_NO_DIGEST = "0" * 16
# With its body: a service may have this very name, no other middleware can.
_MARKED = re.compile(rf'"{MARKER}([0-9a-f]{{16}})":{re.escape(_MARKER_BODY)}'.encode())
_ID = attrgetter("environment_id")


@dataclass(frozen=True)
class Document:
    """The encoded document and what it was made of. `digest` is 16 hex digits over the body.

    `shares` has the tag of what each routed environment has in it, by `environment_id`. `pieces`
    are the body; they, `parts`, `groups` and `claims` are what the next one can be made from.
    """

    body: bytes
    digest: str
    routers: int
    shares: Mapping[str, str]
    fragments: tuple[Fragment, ...]
    conflicts: tuple[Conflict, ...]
    rejections: tuple[Rejection, ...]
    notes: Mapping[str, tuple[Note, ...]]
    pieces: tuple[bytes, ...]
    parts: Mapping[str, Part]
    groups: Mapping[str, Group]
    claims: Claims | None

    @property
    def routed(self) -> tuple[str, ...]:
        """The environments that have something in it."""
        return tuple(self.shares)

    @cached_property
    def by_id(self) -> Mapping[str, Fragment]:
        """The fragments, by `environment_id`."""
        return {fragment.environment_id: fragment for fragment in self.fragments}

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
        fragment = self.by_id.get(environment_id)
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
    every = sorted(compiled, key=_ID)
    fragments = tuple(item for item in every if isinstance(item, Fragment))
    claims = _claims(fragments, incumbents, before)
    lost = lost_by(claims.conflicts)
    parts = parts_of(fragments, lost, before.parts if before else {})
    served = {name: part.tag for name, part in parts.items() if part.tag}
    groups = grouped(parts.values(), before.groups if before else {})
    pieces, digest = _pieces(groups.values(), _tls(parts.values(), default_pair))
    return Document(
        body=b"".join(pieces),
        digest=digest,
        routers=sum(part.routers_count for part in parts.values()),
        shares=served,
        fragments=fragments,
        conflicts=claims.conflicts,
        rejections=tuple(item for item in every if isinstance(item, Rejection)),
        notes={f.environment_id: f.notes for f in fragments if f.notes},
        pieces=pieces,
        parts=parts,
        groups=groups,
        claims=None if incumbents else claims,
    )


def _claims(
    fragments: Sequence[Fragment],
    incumbents: Mapping[Claim, str] | None,
    before: Document | None,
) -> Claims:
    if incumbents or before is None or before.claims is None:
        return claims_of(fragments, incumbents)
    old = before.parts
    new = [each for each in fragments if not _is_known(old, each)]
    changed = [old[each.environment_id].fragment for each in new if each.environment_id in old]
    if len(old) - len(changed) == len(fragments) - len(new):
        return claims_after(before.claims, changed, new)
    left = {each.environment_id for each in fragments}
    gone = [part.fragment for name, part in old.items() if name not in left]
    return claims_after(before.claims, [*changed, *gone], new)


def _is_known(parts: Mapping[str, Part], fragment: Fragment) -> bool:
    part = parts.get(fragment.environment_id)
    return part is not None and part.fragment is fragment


def digest_of(body: bytes) -> str | None:
    """The digest that a document carries, when it is the digest of that document; else None."""
    found = _MARKED.search(body)
    if found is None:
        return None
    digest = found.group(1).decode()
    blank = body.replace(_marker(digest), _marker(_NO_DIGEST))
    return digest if _hash([blank]) == digest else None


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


def _tls(parts: Iterable[Part], default_pair: Pair | None) -> bytes:
    tls: dict[str, Any] = {}
    pairs = [part.fragment.pair for part in parts if part.fragment.pair and part.tag]
    certificates = [certificate.as_json() for certificate in listed(pairs)]
    if certificates:
        tls["certificates"] = certificates
    if default_pair is not None:
        default = listed([default_pair])[0].as_json()
        tls["stores"] = {"default": {"defaultCertificate": default}}
    return b',"tls":' + encoded(tls) if tls else b""


def _hash(pieces: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()[:16]
