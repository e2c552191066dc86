"""The routes of a document: every claim, whether it is served or lost, and to whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from provider.render.document import Document
from provider.render.fragment import Claim, Fragment


@dataclass(frozen=True, slots=True)
class PublishedRoute:
    """One claim. `holder` is the environment that keeps it, when this one lost it."""

    claim: Claim
    fragment: Fragment
    holder: str | None

    @property
    def state(self) -> Literal["published", "lost"]:
        """Whether it is in the document."""
        return "published" if self.holder is None else "lost"

    @property
    def is_tls(self) -> bool:
        """Whether its router carries `tls`."""
        return self.claim.entrypoint in self.fragment.tls_entrypoints


def count_published(document: Document) -> int:
    """How many of its claims a document serves."""
    return document.claims_count - len(document.conflicts)


def routes_of(document: Document) -> Iterator[PublishedRoute]:
    """All routes, by environment id and then as the record has them."""
    lost = {(each.loser, each.claim): each.holder for each in document.conflicts}
    for fragment in document.fragments:
        for claim in fragment.claims:
            holder = lost.get((fragment.environment_id, claim))
            yield PublishedRoute(claim, fragment, holder)


def routes_of_fragment(document: Document, fragment: Fragment) -> Iterator[PublishedRoute]:
    """The routes of one environment, as the record has them."""
    lost = {each.claim: each.holder for each in document.lost.get(fragment.environment_id, ())}
    for claim in fragment.claims:
        yield PublishedRoute(claim, fragment, lost.get(claim))
