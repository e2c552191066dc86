"""How much of a claim of ours a router of another provider catches, and who goes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.neighbours.conditions import Catch, catches
from provider.neighbours.index import Neighbour, NeighbourIndex, overlaps
from provider.observe.facts import RouterFact
from provider.render.fragment import Claim
from provider.render.rules import priority

ROOT, APP = Claim("app.test", "/", "web"), Claim("app.test", "/app", "web")
WILD = Claim("*.test", "/app", "web")


def router(rule: str, rank: int = 10, name: str = "other@file") -> RouterFact:
    """A plain router on `web`."""
    return RouterFact(name, rule, rank, "enabled", ("web",))


def met(rule: str, claim: Claim, rank: int = 10) -> Neighbour | None:
    """What the one router is to the claim."""
    found = overlaps(claim, priority(claim.host, claim.path), False, [router(rule, rank)])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("rule", "claim", "how"),
    [
        ("Host(`app.test`)", ROOT, "all"),
        ("Host(`APP.TEST.`)", APP, "all"),
        ("PathPrefix(`/`)", WILD, "all"),
        ("PathPrefix(`/ap`)", APP, "all"),
        ("PathPrefix(`/app/`)", APP, "part"),
        ("Path(`/app`) || PathPrefix(`/app/`)", APP, "all"),
        ("Host(`app.test`) && (Path(`/app`) || PathPrefix(`/app/`))", APP, "all"),
        ("Path(`/app`)", APP, "part"),
        ("Path(`/app/x`)", APP, "part"),
        ("PathPrefix(`/application`)", APP, None),
        ("Host(`b.test`)", ROOT, None),
        ("Host(`app.test`) && PathPrefix(`/x`)", ROOT, "part"),
        ("Host(`app.test`) && PathPrefix(`/x`)", APP, None),
        ("PathPrefix(`/app/a`) && PathPrefix(`/app/b`)", APP, None),
        ("PathPrefix(`/app/a`) && !Path(`/app/a`)", APP, "part"),
        ("PathPrefix(`/app/a`) && !PathPrefix(`/app/a`)", APP, None),
        ("!PathPrefix(`/app`)", APP, None),
        ("!PathPrefix(`/app/x`)", APP, "part"),
        ("Host(`b.test`)", WILD, "part"),
        ("!Host(`b.test`)", WILD, "part"),
        ("!Host(`b.c.test`)", WILD, "all"),
        ("Host(`a.b.test`)", WILD, None),
        ("Host(`*.test`)", WILD, "may"),
        ("Host(`*.app.test`)", WILD, None),
        ("Host(`*.test`)", APP, "may"),
        ("HostRegexp(`^.+$`)", WILD, "all"),
        ("HostRegexp(`^a`)", APP, "may"),
        ("HostRegexp(`^a`) && PathPrefix(`/x`)", APP, None),
        ("Host(`app.test`) && Method(`POST`)", APP, "part"),
        ("Host(`app.test`) && !Method(`GET`)", APP, "part"),
        ("Host(`app.test`) && Header(`X`, `1`)", APP, "may"),
        ("Host(`app.test`) && Path(`/app`) && Header(`X`, `1`)", APP, "may"),
        ("Host(`app.test`", APP, "may"),
        ("HostSNI(`app.test`)", APP, None),
    ],
)
def test_how_much_of_a_claim_is_caught(rule: str, claim: Claim, how: str | None) -> None:
    found = met(rule, claim)
    assert (found.how if found else None) == how


@pytest.mark.parametrize(
    ("rank", "winner"), [(20_003, "ours"), (20_004, "unknown"), (20_005, "theirs")]
)
def test_the_higher_priority_goes_first_and_of_equals_nobody_knows(rank: int, winner: str) -> None:
    found = met("Host(`app.test`)", APP, rank)
    assert found is not None
    assert found.winner == winner


def test_the_message_has_both_rules_both_priorities_and_the_winner() -> None:
    found = met("Host(`app.test`)", APP, 30_000)
    assert found is not None
    assert found.message == (
        "other@file (Host(`app.test`), priority 30000) catches every request of app.test/app on "
        'web (Host("app.test") && (Path("/app") || PathPrefix("/app/")), priority 20004): theirs '
        "goes first"
    )


def test_a_redirection_of_the_entrypoint_is_marked() -> None:
    redirecting = router("HostRegexp(`^.+$`)", 2**63 - 2, "web-to-websecure@internal")
    [found] = overlaps(APP, 20_004, False, [redirecting])
    assert (found.how, found.winner, found.redirect) == ("all", "theirs", True)


def test_other_entrypoints_and_kinds_are_no_neighbours() -> None:
    index = NeighbourIndex([router("Host(`app.test`)")])
    assert index.overlaps(APP, 20_004, True) == ()
    assert index.overlaps(APP._replace(entrypoint="web2"), 20_004, False) == ()


def test_a_rule_of_very_many_alternatives_is_no_more_than_may() -> None:
    some = " || ".join(f"PathPrefix(`/app/{number}`)" for number in range(60))
    found = met(f"({some}) && ({some})", APP)
    assert found is not None
    assert found.how == "may"


_HOSTS = ("app.test", "b.test", "x.app.test", "*.test", "*.app.test")
_PATHS = ("/", "/app", "/app/", "/app/v1", "/application", "/b")
_matcher = st.one_of(
    st.sampled_from([f"Host(`{host}`)" for host in _HOSTS]),
    st.sampled_from([f"{name}(`{path}`)" for name in ("Path", "PathPrefix") for path in _PATHS]),
    st.sampled_from(["HostRegexp(`x`)", "HostRegexp(`.+`)", "Method(`GET`)", "Method(`POST`)"]),
)
_rule = st.recursive(
    _matcher,
    lambda inner: st.one_of(
        inner.map("!({})".format),
        st.tuples(inner, st.sampled_from(("&&", "||")), inner).map(lambda p: f"({' '.join(p)})"),
    ),
    max_leaves=6,
)
_claims = st.builds(
    Claim,
    st.sampled_from(("app.test", "x.app.test", "*.test", "*.app.test")),
    st.sampled_from(("/", "/app", "/b")),
    st.just("web"),
)


@given(rule=_rule, claim=_claims)
def test_what_is_said_of_a_claim_holds_for_each_of_its_requests(rule: str, claim: Claim) -> None:
    found = met(rule, claim)
    label = claim.host.replace("*", "app") if claim.host != "*.app.test" else "x.app.test"
    hosts = {label, claim.host.replace("*", "b"), claim.host.replace("*", "zz")}
    below = claim.path.rstrip("/")
    paths = {claim.path, f"{below}/", f"{below}/v1", f"{below}/zz", f"{below}/app/v1/zz"}
    each = {
        catches(router(rule), "web", False, host, path, method)
        for host in hosts
        for path in paths
        for method in ("GET", "POST", "PUT")
    }
    if found is None:
        assert each == {Catch.NO}
    elif found.how == "all":
        assert each == {Catch.YES}
    elif found.how == "may":
        assert Catch.YES not in each


def test_an_index_made_from_another_is_as_if_made_anew() -> None:
    one, two, three = (router(f"Host(`{name}.test`)") for name in ("app", "other", "third"))
    after = NeighbourIndex([two, three, one], NeighbourIndex([one, two]))
    for host in ("app.test", "other.test", "third.test"):
        claim = Claim(host, "/", "web")
        anew = NeighbourIndex([two, three, one]).overlaps(claim, 20_000, False)
        assert after.overlaps(claim, 20_000, False) == anew
        assert len(anew) == 1
