"""Whether one Traefik serves an environment as it is now: never true on hope. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from provider.document_log import DocumentLog, LoggedDocument
from provider.neighbours.index import Neighbour
from provider.observe.sighting import Sighting
from provider.routing.hints import words_of
from provider.routing.served import ServedSince
from provider.routing.values import Condition, LiveOn
from registry.fields import instant_text

LOOKED_AT_MAX = timedelta(seconds=30)
SURVEYED_AT_MAX = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of one Traefik, for all environments.

    `refused_since` is when it was sure that it does not take the newest document.
    """

    sighting: Sighting
    served: ServedSince
    log: DocumentLog
    refused_since: datetime | None
    now: datetime


def live_on(
    watched: Watched, environment_id: str, neighbours: Sequence[Neighbour], unpublished: Condition
) -> LiveOn:
    """Whether it serves what the newest document has of this environment.

    `neighbours` are routers of other providers that meet its claims; `unpublished` is its
    condition `Published`, the reason when the newest document has nothing of it.
    """
    facts, log = watched.sighting.facts, watched.log
    unseen = _unseen(watched, environment_id, unpublished)
    if unseen is not None or log.latest is None:
        return _on(watched, unseen or _NOT_RENDERED, settled=False)
    wanted, run = log.share(environment_id, log.latest), log.get(facts.live_digest)
    has = log.share(environment_id, run) if run else None
    if wanted is not None and unpublished.status == "False":
        return _on(watched, _NOT_RENDERED, settled=False)
    if wanted is None:
        return _withdrawn(watched, run, has, unpublished)
    if facts.live_digest is None:
        message = "it runs none of our documents"
        return _on(watched, _refused(watched) or Condition("False", "not_fetched", message), False)
    if run is None:
        return _on(watched, _UNKNOWN_DIGEST, settled=False)
    if has != wanted:
        return _on(watched, _refused(watched) or _pending(run, log.latest), settled=False)
    return _served(watched, environment_id, neighbours)


def _unseen(watched: Watched, environment_id: str, unpublished: Condition) -> Condition | None:
    """Why nothing that was seen says anything of this environment as it is now."""
    facts, changed_at = watched.sighting.facts, watched.log.since(environment_id)
    if not facts.reached or facts.looked_at is None:
        return _unreached(watched)
    if is_old(facts.looked_at, LOOKED_AT_MAX, watched.now):
        message = f"not looked at since {instant_text(facts.looked_at)}"
        return Condition("Unknown", "not_looked_at", message)
    if watched.log.latest is None or unpublished.status == "Unknown":
        return unpublished if watched.log.latest else _NOT_RENDERED
    if changed_at is not None and facts.looked_at < changed_at:
        # A document may come back under its digest: what was seen before it says nothing.
        return _NOT_LOOKED_AT_SINCE
    return None


def _served(watched: Watched, environment_id: str, neighbours: Sequence[Neighbour]) -> LiveOn:
    """It runs a document with this very share: what may still be wrong is in its own words."""
    facts = watched.sighting.facts
    faults = watched.sighting.faults_of(environment_id)
    if faults:
        worst = "disabled" if any(f.status == "disabled" for f in faults) else "warning"
        words = "; ".join(words_of(fault, facts) for fault in faults)
        since = min(watched.sighting.fault_since(fault.name) for fault in faults)
        return _on(watched, Condition("False", f"router_{worst}", words, since), settled=True)
    if facts.surveyed_at is None or is_old(facts.surveyed_at, SURVEYED_AT_MAX, watched.now):
        why = facts.survey_problem or "not done yet"
        message = f"the routers of its other providers were not looked at: {why}"
        return _on(watched, Condition("Unknown", "not_surveyed", message), settled=False)
    first = [each for each in neighbours if each.winner != "ours" and not each.redirect]
    for how, status, reason in _SHADOWS:
        met = [n for n in first if n.how in how and (status == "Unknown" or n.winner == "theirs")]
        if met:
            words = "; ".join(each.message for each in met)
            return _on(watched, Condition(status, reason, words), settled=True)
    since = max(watched.served.since(environment_id), watched.sighting.since)
    return _on(watched, Condition("True", "live", "it serves the current version", since), True)


# What is caught in part is routed on purpose, as a path below a host is.
_SHADOWS: tuple[tuple[tuple[str, ...], Literal["False", "Unknown"], str], ...] = (
    (("all",), "False", "shadowed"),
    (("all", "may"), "Unknown", "may_be_shadowed"),
)


def _withdrawn(
    watched: Watched, run: LoggedDocument | None, has: str | None, unpublished: Condition
) -> LiveOn:
    """The newest document has nothing of it: what it still serves is an earlier version."""
    if watched.sighting.facts.live_digest is not None and run is None:
        return _on(watched, _UNKNOWN_DIGEST, settled=False)
    if has is not None:
        message = f"{unpublished.message}; an earlier version is still served"
        return _on(watched, Condition("False", "withdrawing", message), settled=False)
    since = max(filter(None, (unpublished.since, watched.sighting.since)), default=None)
    gone = Condition("False", unpublished.reason, unpublished.message, since)
    return _on(watched, gone, settled=True)


def _unreached(watched: Watched) -> Condition:
    problem = watched.sighting.facts.problem or "not looked at yet"
    return Condition("Unknown", "traefik_unreachable", problem, watched.sighting.since)


def _refused(watched: Watched) -> Condition | None:
    if watched.refused_since is None:
        return None
    message = (
        "the newest document was fetched and is not live: Traefik refuses it; its log says why "
        "(a maxResponseBodySize, for instance)"
    )
    return Condition("False", "document_refused", message, watched.refused_since)


def _pending(run: LoggedDocument, latest: LoggedDocument) -> Condition:
    message = (
        f"it still runs document {run.digest} of {instant_text(run.published_at)}; "
        f"the newest is {latest.digest}"
    )
    return Condition("False", "pending", message, latest.published_at)


_NOT_LOOKED_AT_SINCE = Condition("Unknown", "not_looked_at", "not looked at since its last change")
_UNKNOWN_DIGEST = Condition(
    "Unknown",
    "unknown_digest",
    "it runs a document that is not remembered any more, or that of another Routebook",
)
_NOT_RENDERED = Condition("Unknown", "not_rendered", "what is to be served is being rendered")


def is_old(seen_at: datetime, age_max: timedelta, now: datetime) -> bool:
    """Whether it is no longer sure; it is not either when the clock was set back."""
    return abs(now - seen_at) > age_max


def _on(watched: Watched, condition: Condition, settled: bool) -> LiveOn:
    facts = watched.sighting.facts
    seen = replace(
        condition,
        since=condition.since or watched.sighting.since,
        digest=facts.live_digest if facts.reached else None,
    )
    return LiveOn(facts.url, seen, settled)
