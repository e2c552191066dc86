"""The document that Traefik polls: never empty, the same bytes for the same inputs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from provider.render.conflicts import Conflict, lost_by, resolve
from provider.render.fragment import Claim, Fragment, Note, Pair, Rejection
from provider.render.share import Share, share_of
from provider.render.tls import listed
from provider.render.traefik import AddPrefix, Middleware

MARKER = "routebook-"
_MARKER_BODY = '{"addPrefix":{"prefix":"/routebook"}}'
_NO_DIGEST = "0" * 16
# With its body: a service may have this very name, no other middleware can.
_MARKED = re.compile(rf'"{MARKER}([0-9a-f]{{16}})":{re.escape(_MARKER_BODY)}'.encode())

_SURROGATES = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


@dataclass(frozen=True)
class Document:
    """The encoded document and what it was made of. `digest` is 16 hex digits over the body.

    `shares` has the tag of what each routed environment has in it, by `environment_id`.
    """

    body: bytes
    digest: str
    routers: int
    shares: Mapping[str, str]
    fragments: tuple[Fragment, ...]
    conflicts: tuple[Conflict, ...]
    rejections: tuple[Rejection, ...]
    notes: Mapping[str, tuple[Note, ...]]

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
) -> Document:
    """All fragments, without the claims that were lost. The order of the input has no say.

    `incumbents` as for `resolve`.
    """
    every = sorted(compiled, key=lambda item: item.environment_id)
    fragments = [item for item in every if isinstance(item, Fragment)]
    conflicts = resolve(fragments, incumbents)
    lost = lost_by(conflicts)
    http: dict[str, dict[str, Any]] = {"routers": {}, "services": {}, "middlewares": {}}
    shares, pairs = {}, []
    for fragment in fragments:
        share = share_of(fragment, lost.get(fragment.environment_id, frozenset()))
        if share is not None:
            shares[fragment.environment_id] = share.tag
            pairs += [fragment.pair] if fragment.pair else []
            http["routers"].update(share.routers)
            http["services"].update(share.services)
            http["middlewares"].update(share.middlewares)
    body = _encoded(http, pairs, default_pair)
    return Document(
        body=body,
        digest=digest_of(body) or "",
        routers=len(http["routers"]),
        shares=shares,
        fragments=tuple(fragments),
        conflicts=conflicts,
        rejections=tuple(item for item in every if isinstance(item, Rejection)),
        notes={f.environment_id: f.notes for f in fragments if f.notes},
    )


def digest_of(body: bytes) -> str | None:
    """The digest that a document carries, when it is the digest of that document; else None."""
    found = _MARKED.search(body)
    if found is None:
        return None
    digest = found.group(1).decode()
    blank = body.replace(_marker(digest), _marker(_NO_DIGEST))
    return digest if _hash(blank) == digest else None


def _marker(digest: str) -> bytes:
    return f'"{MARKER}{digest}":{_MARKER_BODY}'.encode()


def _encoded(
    http: dict[str, dict[str, Any]], pairs: Sequence[Pair], default_pair: Pair | None
) -> bytes:
    # An unused middleware proves which document is live, and keeps the document from being empty.
    marker = Middleware(add_prefix=AddPrefix(prefix="/routebook")).as_json()
    http["middlewares"][f"{MARKER}{_NO_DIGEST}"] = marker
    document: dict[str, Any] = {"http": {key: value for key, value in http.items() if value}}
    tls = _tls(pairs, default_pair)
    if tls:
        document["tls"] = tls
    blank = _yaml_safe(json.dumps(document, separators=(",", ":"), ensure_ascii=True)).encode()
    return blank.replace(_marker(_NO_DIGEST), _marker(_hash(blank)))


def _yaml_safe(text: str) -> str:
    """ASCII keeps the YAML parser away from line breaks that it does not take.

    But it takes no surrogate pairs, and no raw U+007F. Only the paths of certificates can bring
    either: what a record says passed an allow-list.
    """
    text = _SURROGATES.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)
    return text.replace("\x7f", "\\u007f")


def _tls(pairs: Sequence[Pair], default_pair: Pair | None) -> dict[str, Any]:
    tls: dict[str, Any] = {}
    certificates = [certificate.as_json() for certificate in listed(pairs)]
    if certificates:
        tls["certificates"] = certificates
    if default_pair is not None:
        default = listed([default_pair])[0].as_json()
        tls["stores"] = {"default": {"defaultCertificate": default}}
    return tls


def _hash(blank: bytes) -> str:
    return hashlib.sha256(blank).hexdigest()[:16]
