"""Whether one Traefik serves an environment as it is now: every reason, and never on hope."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from provider.document_log import DocumentLog
from provider.neighbours.index import Neighbour
from provider.routing.live import LOOKED_AT_MAX, SURVEYED_AT_MAX, live_on
from provider.routing.values import Condition, LiveOn
from tests.unit.fakes import NOON
from tests.unit.provider.logs import add
from tests.unit.provider.routing.scene import AWAY, fault, here, watched

PUBLISHED = Condition("True", "published", "")
RETIRED = Condition("False", "lifecycle_state", "a retired environment claims no route")


def log_of(*documents: tuple[str, dict[str, str]]) -> DocumentLog:
    """A log of these documents."""
    log = DocumentLog()
    for digest, shares in documents:
        add(log, digest, shares)
    return log


# In B one is as in A, two is another, three came, and gone went.
LOG = log_of(
    ("A", {"env-one": "1", "env-two": "1", "env-gone": "1"}),
    ("B", {"env-one": "1", "env-two": "2", "env-three": "1"}),
)


def neighbour(how: str, winner: str, *, redirect: bool = False) -> Neighbour:
    """A router of others that meets a claim."""
    return Neighbour(fault("x"), how, winner, "theirs@file catches it", redirect)  # type: ignore[arg-type]


def live(
    facts: Any,
    environment_id: str = "env-one",
    neighbours: Any = (),
    published: Condition = PUBLISHED,
    log: DocumentLog = LOG,
    **changes: Any,
) -> LiveOn:
    """What is said of an environment."""
    return live_on(watched(log, facts, **changes), environment_id, neighbours, published)


def said(one: LiveOn) -> tuple[str, str, bool]:
    """Status, reason, and whether there is nothing to wait for."""
    return one.condition.status, one.condition.reason, one.settled


def test_it_is_live_when_the_document_that_runs_has_the_very_same_of_it() -> None:
    assert said(live(here("B"))) == ("True", "live", True)
    assert said(live(here("A"))) == ("True", "live", True), "others changed, it did not"


@pytest.mark.parametrize("environment_id", ["env-two", "env-three"])
def test_it_is_pending_while_an_earlier_version_runs_or_none(environment_id: str) -> None:
    assert said(live(here("A"), environment_id)) == ("False", "pending", False)
    assert said(live(here("B"), environment_id)) == ("True", "live", True)


def test_a_refused_document_is_told_of_those_that_changed_with_it_alone() -> None:
    two = live(here("A"), "env-two", refused_since=NOON)
    assert said(two) == ("False", "document_refused", False)
    assert said(live(here("A"), "env-one", refused_since=NOON)) == ("True", "live", True)
    none = live(here(None), "env-one", refused_since=NOON)
    assert said(none) == ("False", "document_refused", False)


def test_it_is_not_fetched_while_none_of_our_documents_runs() -> None:
    assert said(live(here(None))) == ("False", "not_fetched", False)


@pytest.mark.parametrize("environment_id", ["env-one", "env-two", "env-gone"])
def test_an_unknown_digest_is_unknown(environment_id: str) -> None:
    """One that is forgotten, or one of another Routebook."""
    published = RETIRED if environment_id == "env-gone" else PUBLISHED
    assert said(live(here("C"), environment_id, published=published)) == (
        "Unknown", "unknown_digest", False,
    )  # fmt: skip


def test_one_that_is_away_is_unknown_whatever_it_ran() -> None:
    for facts in (AWAY, replace(here("B"), problem="nothing answers at its API")):
        one = live(facts)
        assert said(one) == ("Unknown", "traefik_unreachable", False)
        assert one.condition.digest is None
        assert one.condition.message == facts.problem


@pytest.mark.parametrize("now", [NOON + LOOKED_AT_MAX, NOON - LOOKED_AT_MAX])
def test_an_old_look_is_no_look_even_after_the_clock_was_set_back(now: Any) -> None:
    second = timedelta(seconds=1)
    beyond = now + second if now > NOON else now - second
    assert said(live(here("B"), now=now)) == ("True", "live", True)
    assert said(live(here("B"), now=beyond)) == ("Unknown", "not_looked_at", False)


def test_without_a_survey_nobody_knows_who_goes_first() -> None:
    for changes in ({"surveyed_at": None}, {"surveyed_at": NOON - SURVEYED_AT_MAX * 2}):
        one = live(here("B", survey_problem="its API answers with status 500", **changes))
        assert said(one) == ("Unknown", "not_surveyed", False)
        assert "status 500" in one.condition.message


def test_what_is_not_rendered_is_unknown_even_if_its_share_is_the_same() -> None:
    not_rendered = Condition("Unknown", "not_rendered", "")
    assert said(live(here("B"), published=not_rendered)) == ("Unknown", "not_rendered", False)
    assert said(live(here("B"), log=DocumentLog())) == ("Unknown", "not_rendered", False)


def test_what_is_to_go_and_is_still_in_the_document_is_unknown() -> None:
    assert said(live(here("B"), "env-one", published=RETIRED)) == (
        "Unknown", "not_rendered", False,
    )  # fmt: skip


def test_what_went_is_awaited_until_no_earlier_version_is_served() -> None:
    still = live(here("A"), "env-gone", published=RETIRED)
    assert said(still) == ("False", "withdrawing", False)
    assert "still served" in still.condition.message
    assert said(live(here("B"), "env-gone", published=RETIRED)) == (
        "False", "lifecycle_state", True,
    )  # fmt: skip
    assert said(live(here(None), "env-gone", published=RETIRED))[2] is True


@pytest.mark.parametrize("status", ["disabled", "warning"])
def test_a_router_at_fault_is_told_in_traefiks_words(status: str) -> None:
    faults = (fault("env-one", status), fault("env-two"))
    one = live(here("B", faults=faults, middlewares=frozenset({"auth@file", "own@http"})))
    assert said(one) == ("False", f"router_{status}", True)
    assert 'middleware "auht@file" does not exist' in one.condition.message
    assert "middlewares that exist: auth@file" in one.condition.message
    assert "own@http" not in one.condition.message


def test_of_two_faults_the_worse_counts_and_of_others_none() -> None:
    faults = (fault("env-one", "warning"), fault("env-one", name="websecure-x@http"))
    assert said(live(here("B", faults=faults)))[1] == "router_disabled"
    assert said(live(here("B", faults=faults), "env-two")) == ("True", "live", True)
    assert said(live(here("B", faults=(fault("env-one-b"),)))) == ("True", "live", True)


@pytest.mark.parametrize(
    ("how", "winner", "status", "reason"),
    [
        ("all", "theirs", "False", "shadowed"),
        ("all", "unknown", "Unknown", "may_be_shadowed"),
        ("may", "theirs", "Unknown", "may_be_shadowed"),
        ("may", "unknown", "Unknown", "may_be_shadowed"),
        ("all", "ours", "True", "live"),
        ("may", "ours", "True", "live"),
        ("part", "theirs", "True", "live"),
    ],
)
def test_a_neighbour_that_goes_first_shadows(
    how: str, winner: str, status: str, reason: str
) -> None:
    one = live(here("B"), neighbours=[neighbour(how, winner)])
    assert said(one) == (status, reason, True)


def test_a_redirection_of_the_whole_entrypoint_is_wanted() -> None:
    redirect = neighbour("all", "theirs", redirect=True)
    assert said(live(here("B"), neighbours=[redirect])) == ("True", "live", True)


def test_each_condition_names_the_digest_that_was_seen_and_a_time() -> None:
    for facts in (here("A"), here("B"), here(None), here("C")):
        condition = live(facts).condition
        assert condition.digest == facts.live_digest
        assert condition.since is not None
    assert live(here("B")).condition.since == NOON


@pytest.mark.parametrize(
    ("shares", "published", "settled_as"),
    [
        ({"env-one": "1"}, PUBLISHED, ("True", "live", True)),
        ({}, RETIRED, ("False", "lifecycle_state", True)),
    ],
)
def test_of_a_document_that_came_back_a_look_from_before_proves_nothing(
    shares: dict[str, str], published: Condition, settled_as: Any
) -> None:
    log = log_of(("A", shares), ("B", {"env-one": "2"}))
    later = NOON + timedelta(seconds=1)
    add(log, "A", shares, later)  # Traefik may run B meanwhile: nobody looked
    before = live(here("A"), published=published, log=log, now=later)
    assert said(before) == ("Unknown", "not_looked_at", False)
    after = live(
        here("A", looked_at=later, surveyed_at=later), published=published, log=log, now=later
    )
    assert said(after) == settled_as
