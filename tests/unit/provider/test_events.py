"""The hub of live events: who gets what, who is too slow, and how it ends."""

from __future__ import annotations

import asyncio
import json

from provider.events import WAITING_MAX, Event, Events, Subscription

LONG_S, NO_TIME_S = 60.0, 0.0


async def had(subscription: Subscription) -> list[Event]:
    """All that waits for a subscriber."""
    events = []
    while event := await subscription.next(NO_TIME_S):
        events.append(event)
    return events


async def test_each_subscriber_gets_each_event_in_order() -> None:
    hub = Events()
    with hub.subscribe() as one, hub.subscribe() as two:
        for number in range(3):
            hub.publish("published", {"digest": str(number)})
        for subscription in (one, two):
            digests = [event.data["digest"] for event in await had(subscription)]
            assert digests == ["0", "1", "2"]


async def test_who_waits_is_woken() -> None:
    hub = Events()
    with hub.subscribe() as subscription:
        waiting = asyncio.create_task(subscription.next(LONG_S))
        await asyncio.sleep(0)
        hub.publish("live", {"traefik": "t1"})
        event = await waiting
    assert event is not None
    assert (event.kind, event.data["traefik"]) == ("live", "t1")


async def test_an_event_has_its_time_unless_it_brings_one() -> None:
    hub = Events()
    with hub.subscribe() as subscription:
        hub.publish("live", {})
        hub.publish("environment", {"at": "2026-01-05T09:00:00Z"})
        now, given = await had(subscription)
    assert now.data["at"].endswith("Z")
    assert given.data["at"] == "2026-01-05T09:00:00Z"


async def test_ids_are_of_this_run_and_count_what_nobody_heard_too() -> None:
    hub, other = Events(), Events()
    hub.publish("live", {})
    with hub.subscribe() as subscription:
        hub.publish("live", {})
        hub.publish("live", {})
        ids = [event.id for event in await had(subscription)]
    boot = ids[0].rpartition("-")[0]
    assert ids == [f"{boot}-2", f"{boot}-3"]
    assert hub.reset("why").id == f"{boot}-3"
    assert not other.reset("why").id.startswith(boot)


async def test_what_was_before_a_subscription_is_not_in_it() -> None:
    hub = Events()
    hub.publish("live", {})
    with hub.subscribe() as subscription:
        assert await had(subscription) == []


async def test_a_subscriber_gets_only_what_it_wants() -> None:
    hub = Events()
    with hub.subscribe(lambda event: event.kind == "live") as subscription:
        for _ in range(WAITING_MAX + 1):
            hub.publish("published", {})
        hub.publish("live", {})
        assert [event.kind for event in await had(subscription)] == ["live"]


async def test_who_is_too_slow_gets_reset_in_place_of_what_it_lost() -> None:
    hub = Events()
    with hub.subscribe() as slow, hub.subscribe() as quick:
        for number in range(WAITING_MAX):
            hub.publish("published", {"n": number})
        assert len(await had(quick)) == WAITING_MAX
        hub.publish("published", {"n": "too much"})
        hub.publish("published", {"n": "after"})
        reset, after = await had(slow)
        assert (reset.kind, after.data["n"]) == ("reset", "after")
        assert "read everything anew" in reset.data["reason"]
        assert [event.data["n"] for event in await had(quick)] == ["too much", "after"]


async def test_what_waits_is_bounded_whatever_is_published() -> None:
    hub = Events()
    with hub.subscribe() as slow:
        for _ in range(5 * WAITING_MAX):
            hub.publish("published", {})
        assert len(await had(slow)) <= WAITING_MAX


async def test_closing_ends_whoever_waits_and_whoever_comes_later() -> None:
    hub = Events()
    with hub.subscribe() as subscription:
        waiting = asyncio.create_task(subscription.next(LONG_S))
        await asyncio.sleep(0)
        hub.close()
        assert await waiting is None
        assert subscription.is_closed
    with hub.subscribe() as late:
        assert late.is_closed
        assert await late.next(LONG_S) is None


async def test_who_left_is_forgotten() -> None:
    hub = Events()
    with hub.subscribe():
        assert hub.subscribers == 1
    assert hub.subscribers == 0
    hub.publish("live", {})


async def test_the_text_is_one_line_of_json() -> None:
    event = Event("x-1", "conflict", {"message": "a\nb\u2028c"})
    assert "\n" not in event.text
    assert event.text.isascii()
    assert json.loads(event.text) == event.data
