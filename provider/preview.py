"""What a write would change, from the documents before and after it: pure functions on values."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provider.render.conflicts import Conflict, seniority
from provider.render.document import MARKER, Document
from provider.render.fragment import Claim, Fragment
from provider.render.routes import PublishedRoute, routes_of
from registry.revisions import changes_between


@dataclass(frozen=True, slots=True)
class Difference:
    """What Traefik would see of a write: places of the document, routes won and lost.

    `conflicts` would stand afterwards, and are new or of the written environments. `document` has
    `{pointer, before, after}`, without the marker, which follows whatever else changes.
    """

    document: tuple[Mapping[str, Any], ...] = ()
    won: tuple[PublishedRoute, ...] = ()
    lost: tuple[PublishedRoute, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def difference(before: Document, after: Document, written: Collection[str]) -> Difference:
    """What changes from one document to the other; `written` are the ids that were changed."""
    was, will = _published(before), _published(after)
    known = {(each.claim, each.loser, each.holder) for each in before.conflicts}
    return Difference(
        document=tuple(changes_between(_unmarked(before), _unmarked(after))),
        won=tuple(route for key, route in will.items() if key not in was),
        lost=tuple(route for key, route in was.items() if key not in will),
        conflicts=tuple(
            each
            for each in after.conflicts
            if (each.claim, each.loser, each.holder) not in known
            or each.loser in written
            or each.holder in written
        ),
    )


def incumbents(before: Document, after: Document, refused: Collection[str]) -> Mapping[Claim, str]:
    """Who keeps the claims that refused environments add, though one of those may be older."""
    had = {(each.environment_id, claim) for each in before.fragments for claim in each.claims}
    holders: dict[Claim, list[Fragment]] = defaultdict(list)
    added: set[Claim] = set()
    for fragment in after.fragments:
        for claim in fragment.claims:
            if fragment.environment_id in refused and (fragment.environment_id, claim) not in had:
                added.add(claim)
            else:
                holders[claim].append(fragment)
    return {
        claim: min(holders[claim], key=seniority).environment_id
        for claim in added
        if claim in holders
    }


def _published(document: Document) -> dict[tuple[Claim, str], PublishedRoute]:
    return dict(_keyed(document))


def _keyed(document: Document) -> Iterator[tuple[tuple[Claim, str], PublishedRoute]]:
    for route in routes_of(document):
        if route.state == "published":
            yield (route.claim, route.fragment.environment_id), route


def _unmarked(document: Document) -> Any:
    value = json.loads(document.body)
    del value["http"]["middlewares"][MARKER + document.digest]
    return value
