"""Who keeps a claim that two records make."""

from __future__ import annotations

import itertools

import pytest

from provider.render.compile import Rules, compile_record
from provider.render.conflicts import Conflict, lost_by, resolve
from provider.render.fragment import Claim, Fragment
from registry.schema import Environment
from tests.records import NEW, OLD, routed


def fragment(environment: Environment) -> Fragment:
    """The fragment of a routed environment."""
    compiled = compile_record(environment, Rules(), None)
    assert isinstance(compiled, Fragment)
    return compiled


def claiming(
    slug: str, created_at: str | None = OLD, *hosts: str, path: str | None = None
) -> Fragment:
    """A fragment that claims hosts on `websecure`; `app.test` unless they are given."""
    hostnames = list(hosts or ("app.test",))
    return fragment(routed(slug, created_at, hostnames=hostnames, path_prefix=path))


def losers(*fragments: Fragment) -> list[tuple[str, str, str]]:
    """Loser, host and holder of each conflict, the same in every order of the input."""
    outcomes = {resolve(order) for order in itertools.permutations(fragments)}
    assert len(outcomes) == 1
    return [(each.loser, each.claim.host, each.holder) for each in outcomes.pop()]


def test_without_shared_claims_there_is_no_conflict() -> None:
    assert losers(claiming("a", OLD, "a.test"), claiming("b", OLD, "b.test")) == []


def test_the_oldest_keeps_a_claim_whatever_the_order() -> None:
    assert losers(claiming("a", NEW), claiming("z", OLD)) == [("env-a", "app.test", "env-z")]


def test_of_one_age_the_smallest_id_keeps_it() -> None:
    assert losers(claiming("b"), claiming("a")) == [("env-b", "app.test", "env-a")]


def test_a_missing_created_at_counts_as_newest() -> None:
    far = "9999-12-30T00:00:00Z"
    assert losers(claiming("a", None), claiming("z", far)) == [("env-a", "app.test", "env-z")]
    assert losers(claiming("b", None), claiming("a", None)) == [("env-b", "app.test", "env-a")]


def test_of_three_two_lose_to_one() -> None:
    three = claiming("a", NEW), claiming("b", OLD), claiming("c", None)
    assert losers(*three) == [("env-a", "app.test", "env-b"), ("env-c", "app.test", "env-b")]


def test_only_what_is_contested_is_lost() -> None:
    old, young = claiming("a", OLD, "a.test", "b.test"), claiming("b", NEW, "b.test", "c.test")
    assert losers(old, young) == [("env-b", "b.test", "env-a")]
    assert lost_by(resolve([old, young])) == {
        "env-b": frozenset({Claim("b.test", "/", "websecure")})
    }


def test_two_may_lose_to_each_other() -> None:
    assert losers(
        claiming("a", OLD, "a.test"),
        claiming("b", OLD, "b.test"),
        claiming("c", NEW, "a.test", "b.test"),
    ) == [("env-c", "a.test", "env-a"), ("env-c", "b.test", "env-b")]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (claiming("a", OLD, "app.test"), claiming("b", OLD, "*.test")),
        (claiming("a", OLD, "*.test"), claiming("b", OLD, "*.app.test")),
        (claiming("a"), claiming("b", path="/app")),
        (claiming("a", path="/app"), claiming("b", path="/application")),
        (claiming("a", path="/app"), claiming("b", path="/app/x")),
    ],
)
def test_claims_that_only_overlap_are_no_conflict(one: Fragment, two: Fragment) -> None:
    assert losers(one, two) == []


def test_the_same_host_on_another_entrypoint_is_another_claim() -> None:
    plain = fragment(routed("a", hostnames=["app.test"], entrypoints=["web"]))
    assert losers(plain, claiming("b")) == []
    both = fragment(routed("b", hostnames=["app.test"], entrypoints=["web", "websecure"]))
    (conflict,) = resolve([plain, both])
    assert conflict.claim == Claim("app.test", "/", "web")


def only(*fragments: Fragment) -> Conflict:
    """The one conflict of these."""
    (conflict,) = resolve(fragments)
    return conflict


def test_the_message_says_what_is_lost_and_who_holds_it() -> None:
    message = only(claiming("a"), claiming("b", NEW)).message
    assert "app.test/ on websecure is held by env-a (a)" in message
    assert "hostnames" not in message


def test_two_that_stand_for_one_machine_are_told_to_name_their_hosts() -> None:
    machine = {"host": {"hostname": "devbox.test"}}
    one, two = (
        fragment(Environment.model_validate(routed(slug).document | machine)) for slug in "ab"
    )
    assert "neither gives router.hostnames" in only(one, two).message
    assert "hostnames" not in only(one, claiming("c", NEW, "devbox.test")).message


def test_the_message_does_not_call_the_holder_older_when_it_is_not() -> None:
    assert "older" not in only(claiming("a"), claiming("b")).message
