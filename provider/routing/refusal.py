"""Whether a Traefik fetched a document and does not run it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from provider.observe.facts import TraefikFacts
from provider.pollers import Poller

REFUSED_AFTER = timedelta(seconds=10)


def refused_since(
    facts: TraefikFacts, watched_since: datetime, digest: str | None, pollers: Iterable[Poller]
) -> datetime | None:
    """When it was sure that this Traefik does not take the newest document; None when it is not.

    Nothing tells which poller is which Traefik. So it is sure only when every Traefik that polls
    was given the document, 10 seconds before this one was looked at and still did not run it.
    `watched_since` is since when this process of it was reached without a break.
    """
    if digest is None or not facts.reached or facts.live_digest == digest:
        return None
    traefiks = [poller for poller in pollers if is_traefik(poller)]
    if any(poller.gone_at is None and poller.digest != digest for poller in traefiks):
        return None
    given = _given(poller for poller in traefiks if poller.digest == digest and poller.delivered_at)
    if not given or facts.looked_at is None:
        return None
    sure_at = max(*given, watched_since) + REFUSED_AFTER
    return sure_at if facts.looked_at >= sure_at else None


def _given(pollers: Iterable[Poller]) -> list[datetime]:
    """When each Traefik was given it, of one that connects anew for every poll the first time."""
    alike: dict[tuple[str, str, str], list[Poller]] = defaultdict(list)
    for poller in pollers:
        alike[poller.remote, poller.user_agent, poller.instance].append(poller)
    return [at for group in alike.values() for at in _given_to(group)]


def _given_to(pollers: Sequence[Poller]) -> list[datetime]:
    kept = [p.delivered_at for p in pollers if p.gone_at is None and p.polls > 1 and p.delivered_at]
    return kept or [min(p.delivered_at for p in pollers if p.delivered_at)]


def is_traefik(poller: Poller) -> bool:
    """Whether it looks like one, and not like a person with curl.

    Source: traefik `pkg/provider/http/http.go`: Go's client, without a user agent of its own.
    """
    if poller.is_looking:
        return False
    named = bool(poller.instance) or poller.user_agent.startswith("Go-http-client")
    return named or poller.polls > 1
