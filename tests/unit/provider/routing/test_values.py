"""The four conditions in short, and after a write that waited."""

from __future__ import annotations

from provider.routing.values import NO_TRAEFIK, Condition, LiveOn, Routing
from tests.unit.provider.routing.scene import URL

TRUE = Condition("True", "valid", "")


def routing(published: Condition, live: Condition, *, settled: bool = True) -> Routing:
    """On one Traefik, or on none where none is known."""
    traefiks = [] if live is NO_TRAEFIK else [LiveOn(URL, live, settled)]
    return Routing(TRUE, TRUE, published, live, traefiks)


PUBLISHED = Condition("True", "published", "")
RETIRED = Condition("False", "lifecycle_state", "a retired environment claims no route")
NOT_RENDERED = Condition("Unknown", "not_rendered", "")
LIVE = Condition("True", "live", "")


def test_in_short_what_is_not_known_is_null() -> None:
    short = routing(NOT_RENDERED, NO_TRAEFIK).in_short()
    assert (short["valid"], short["published"], short["live"]) == (True, None, None)


def test_the_reason_in_short_is_why_it_is_not_published_else_why_it_is_not_live() -> None:
    pending = Condition("False", "pending", "")
    assert routing(PUBLISHED, pending).in_short()["reason"] == "pending"
    assert routing(PUBLISHED, LIVE).in_short()["reason"] == "live"
    assert routing(RETIRED, Condition("False", "withdrawing", "")).in_short()["reason"] == (
        "lifecycle_state"
    )
    assert routing(NOT_RENDERED, NO_TRAEFIK).in_short()["reason"] == "no_traefik_known"


def test_after_a_wait_what_is_not_known_to_be_live_is_not_live() -> None:
    for live in (NO_TRAEFIK, Condition("Unknown", "traefik_unreachable", "")):
        assert routing(PUBLISHED, live).outcome()["live"] is False
    assert routing(PUBLISHED, LIVE).outcome()["live"] is True


def test_that_nobody_serves_it_is_said_only_when_it_is_known() -> None:
    gone = Condition("False", "deleted", "")
    assert routing(gone, gone).claims_nothing
    assert not routing(gone, gone, settled=False).claims_nothing
    assert not routing(gone, NO_TRAEFIK).claims_nothing
    assert not routing(gone, Condition("Unknown", "traefik_unreachable", "")).claims_nothing
    assert not routing(gone, LIVE).claims_nothing
