"""The board: conditions on demand, who waits for them, and what is announced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from provider.document_log import DOCUMENTS_KEPT
from provider.observe.facts import RouterFact
from provider.pollers import Poller
from provider.routing.announcer import NAMED_MAX
from tests.records import environment, routed, router
from tests.unit.fakes import NOON
from tests.unit.provider.routing.scene import AWAY, CHANGED, DEV, SECOND, URL, Scene, entry, fault

OTHERS = [routed(f"other-{number}") for number in range(3)]
SHADOW = RouterFact(
    "theirs@file", 'Host("dev.test")', 30_000, "enabled", ("web", "websecure"), tls=True
)


@pytest.fixture(autouse=True)
def logs() -> Any:
    """What was logged."""
    with capture_logs() as lines:
        yield lines


def poller(digest: str, given_at: Any) -> Poller:
    """A Traefik that was given this."""
    return Poller("10.0.0.1", "Go-http-client/1.1", "", given_at, given_at, 9, digest, given_at)


def test_an_environment_becomes_live_when_its_version_is_seen_and_not_before() -> None:
    scene = Scene()
    assert scene.live(DEV) == ("Unknown", "traefik_unreachable")
    digest = scene.render(DEV)
    scene.see(None)
    assert scene.live(DEV) == ("False", "not_fetched")
    scene.see(digest)
    assert scene.live(DEV) == ("True", "live")
    scene.write(CHANGED)
    assert scene.live(CHANGED) == ("Unknown", "not_rendered")
    newer = scene.render(CHANGED)
    assert scene.live(CHANGED) == ("False", "pending")
    scene.see(newer)
    assert scene.live(CHANGED) == ("True", "live")


def test_others_changes_unset_neither_live_nor_published_nor_their_times() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    before = scene.board.routing_of(entry(DEV))
    for number in range(2 * DOCUMENTS_KEPT):
        scene.clock.move(seconds=1)
        digest = scene.render(DEV, routed("other", service_url=f"http://10.0.1.1:{number + 1}"))
        assert scene.live(DEV) == ("True", "live"), "while the other's is not fetched"
        scene.see(digest)
    after = scene.board.routing_of(entry(DEV))
    for name in ("Valid", "Accepted", "Published", "Live"):
        assert after.conditions[name].since == before.conditions[name].since
        assert after.conditions[name].status == "True"


def test_what_is_not_published_has_a_time_that_stays() -> None:
    scene, planned = Scene(), environment(lifecycle={"state": "planned"}, **router())
    scene.render(planned)
    before = scene.board.routing_of(entry(planned)).published.since
    for number in range(2 * DOCUMENTS_KEPT):
        scene.clock.move(seconds=1)
        scene.render(planned, routed("other", service_url=f"http://10.0.1.1:{number + 1}"))
    assert scene.board.routing_of(entry(planned)).published.since == before == NOON


def test_what_is_not_published_is_not_live_since_then_and_not_since_before_it_was_there() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    came = scene.clock.move(seconds=60)
    planned = environment(lifecycle={"state": "planned"}, updated_at=came, **router())
    scene.see(scene.render(DEV, planned))
    found = scene.board.routing_of(entry(planned))
    assert (found.live.status, found.live.since) == ("False", came)
    assert found.published.since == came


async def test_the_document_of_another_routebook_is_unknown_and_nothing_is_counted() -> None:
    scene = Scene()
    scene.render(DEV)
    scene.see("f" * 16)
    assert scene.live(DEV) == ("Unknown", "unknown_digest")
    assert await scene.board.live_counts() == {URL: None}


def test_an_earlier_document_that_came_back_is_live_for_what_is_alike_in_it() -> None:
    scene = Scene()
    first = scene.render(DEV)
    scene.see(first)
    scene.see(scene.render(CHANGED))
    assert scene.render(DEV) == first
    assert scene.live(DEV) == ("False", "pending")
    scene.see(first)
    assert scene.live(DEV) == ("True", "live")


def test_live_is_live_on_every_known_traefik_since_the_last_of_them() -> None:
    scene = Scene((URL, SECOND))
    digest = scene.render(DEV)
    scene.see(digest)
    assert scene.live(DEV) == ("Unknown", "traefik_unreachable")
    later = scene.clock.move(seconds=7)
    scene.see(digest, url=SECOND)
    live = scene.board.routing_of(entry(DEV)).live
    assert (live.status, live.since) == ("True", later)
    scene.see(None, url=SECOND)
    live = scene.board.routing_of(entry(DEV)).live
    assert live.status == "False"
    assert live.message.startswith(SECOND)


def test_a_traefik_that_started_anew_is_live_since_then() -> None:
    scene = Scene()
    digest = scene.render(DEV)
    scene.see(digest)
    later = scene.clock.move(seconds=60)
    scene.see(digest, started_at="later")
    assert scene.board.routing_of(entry(DEV)).live.since == later


async def test_how_many_it_serves_leaves_out_faults_shadows_and_what_is_pending() -> None:
    scene = Scene()
    digest = scene.render(DEV, *OTHERS)
    scene.see(digest)
    assert await scene.board.live_counts() == {URL: 4}
    scene.see(digest, faults=(fault("env-dev"),))
    assert await scene.board.live_counts() == {URL: 3}
    scene.see(digest, neighbours=(SHADOW,))
    assert await scene.board.live_counts() == {URL: 3}
    scene.render(CHANGED, *OTHERS)
    assert await scene.board.live_counts() == {URL: 3}
    scene.see(None)
    assert await scene.board.live_counts() == {URL: 0}
    scene.board.seen(AWAY)
    assert await scene.board.live_counts() == {URL: None}


def test_a_neighbour_that_goes_first_shadows_and_is_named() -> None:
    scene = Scene()
    digest = scene.render(DEV)
    scene.see(digest, neighbours=(SHADOW,))
    assert scene.live(DEV) == ("False", "shadowed")
    [(url, neighbour)] = scene.board.neighbours_of("env-dev")
    assert (url, neighbour.router.name, neighbour.winner) == (URL, "theirs@file", "theirs")
    scene.see(digest)
    assert scene.live(DEV) == ("True", "live")


async def test_what_became_live_is_an_event_a_gauge_and_a_time() -> None:
    scene = Scene()
    scene.see(scene.render(DEV, *OTHERS))
    await scene.heard()
    scene.see(scene.render(CHANGED, *OTHERS))
    [live] = await scene.heard()
    assert (live["kind"], live["environments"], live["environments_total"]) == (
        "live", ["env-dev"], 1,
    )  # fmt: skip
    assert live["seconds"] >= 0
    assert scene.metric("routebook_live") == 1
    assert scene.metric("routebook_traefik_up") == 1
    assert scene.metric("routebook_reloads_caused_total") == 1
    assert scene.metric("routebook_change_to_live_seconds_count") == 1


async def test_the_first_sight_is_no_reload_and_has_no_time() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    [live] = await scene.heard()
    assert live["seconds"] is None
    assert not scene.metric("routebook_reloads_caused_total")


async def test_losing_our_document_is_no_reload_that_we_caused() -> None:
    scene = Scene()
    scene.see(scene.render(DEV))
    scene.see(None)
    assert not scene.metric("routebook_reloads_caused_total")
    assert scene.metric("routebook_live") == 0


async def test_a_router_at_fault_is_announced_once_until_it_was_in_order(logs: Any) -> None:
    scene = Scene()
    digest = scene.render(DEV)
    for faults in ((fault("env-dev"),), (fault("env-dev"),), (), (fault("env-dev"),)):
        scene.see(digest, faults=faults)
    refused = [each for each in await scene.heard() if each["kind"] == "refused"]
    assert [each["reason"] for each in refused] == ["router_disabled"] * 2
    assert refused[0]["environments"] == ["env-dev"]
    assert [line["event"] for line in logs].count("router_refused") == 2


async def test_of_very_many_faults_the_first_are_told_and_the_rest_counted(logs: Any) -> None:
    scene = Scene()
    scene.see(scene.render(DEV), faults=tuple(fault(f"env-{n}") for n in range(5000)))
    refused = [each for each in await scene.heard() if each["kind"] == "refused"]
    assert len(refused) == NAMED_MAX
    assert {"routers": 5000, "named": NAMED_MAX}.items() <= next(
        line for line in logs if line["event"] == "routers_refused"
    ).items()


class Refusing:
    """A Traefik that was given a document eleven seconds ago and runs the one before."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.old = self.scene.render(DEV)
        self.scene.see(self.old)
        self.new = self.scene.render(CHANGED)
        self.scene.polls.known = (poller(self.new, self.scene.clock()),)
        self.scene.clock.move(seconds=11)
        self.scene.see(self.old)

    def codes(self) -> list[str | None]:
        """The problems."""
        return [each["code"] for each in self.scene.board.problems()]


async def test_a_refused_document_is_an_alarm_until_it_is_taken(logs: Any) -> None:
    stage = Refusing()
    scene = stage.scene
    assert scene.live(CHANGED) == ("False", "document_refused")
    assert stage.codes() == ["document_refused"]
    assert scene.metric("routebook_document_refused") == 1
    assert scene.board.refused_by == {URL: NOON + timedelta(seconds=10)}
    scene.see(stage.old)
    refused = [each for each in await scene.heard() if each["kind"] == "refused"]
    assert [each["environments"] for each in refused] == [["env-dev"]], "once"
    scene.see(stage.new)
    assert stage.codes() == []
    assert scene.metric("routebook_document_refused") == 0
    assert [line["event"] for line in logs].count("document_taken") == 1


def test_what_was_sure_stays_so_when_somebody_else_begins_to_poll() -> None:
    stage = Refusing()
    newcomer = poller(stage.old, stage.scene.clock())
    stage.scene.polls.known = (*stage.scene.polls.known, newcomer)
    stage.scene.see(stage.old)
    assert stage.codes() == ["document_refused"]


@pytest.mark.parametrize("how", ["a newer document", "away", "started anew"])
def test_an_alarm_ends_with_what_it_is_about_and_is_not_said_to_be_mended(
    how: str, logs: Any
) -> None:
    stage = Refusing()
    scene = stage.scene
    if how == "a newer document":
        scene.render(DEV, *OTHERS)
        scene.see(stage.old)
    elif how == "away":
        scene.board.seen(AWAY)
    else:
        scene.see(stage.old, started_at="later")
    assert stage.codes() == []
    assert scene.metric("routebook_document_refused") == 0
    assert "document_taken" not in [line["event"] for line in logs]
