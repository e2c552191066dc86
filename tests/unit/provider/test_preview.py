"""What a write would change in the document: the pure part."""

from __future__ import annotations

import json

from provider.preview import difference, incumbents
from provider.render.compile import Rules, compile_record
from provider.render.conflicts import resolve
from provider.render.document import Document, assemble
from provider.render.fragment import Claim, Fragment
from registry.schema import Environment
from tests.records import NEW, OLD, routed


def documents(*environments: Environment) -> Document:
    """The document of these environments."""
    compiled = (compile_record(each, Rules(), None) for each in environments)
    return assemble(each for each in compiled if each is not None)


def claiming(slug: str, created_at: str = OLD, *hosts: str) -> Environment:
    """An environment that claims hosts on `websecure`."""
    return routed(slug, created_at, hostnames=list(hosts))


A, B = claiming("a", OLD, "a.test"), claiming("b", OLD, "b.test")


def test_the_same_document_has_no_difference_and_the_marker_is_none() -> None:
    found = difference(documents(A, B), documents(B, A), {"env-a"})
    assert (found.document, found.won, found.lost, found.conflicts) == ((), (), (), ())
    grown = difference(documents(A), documents(A, B), {"env-b"})
    assert not any("routebook-" in each["pointer"] for each in grown.document)


def test_each_place_of_the_document_that_differs_is_named() -> None:
    found = difference(documents(A), documents(A, B), {"env-b"})
    whole = json.loads(documents(A, B).body)["http"]
    assert {each["pointer"]: each["after"] for each in found.document} == {
        "/http/routers/env-b.exact.websecure": whole["routers"]["env-b.exact.websecure"],
        "/http/services/env-b": whole["services"]["env-b"],
    }
    moved = difference(documents(A), documents(claiming("a", OLD, "c.test")), {"env-a"})
    assert [each["pointer"] for each in moved.document] == [
        "/http/routers/env-a.exact.websecure/rule"
    ]


def test_a_route_is_won_and_lost_by_environment() -> None:
    younger = claiming("y", NEW, "a.test", "y.test")
    found = difference(documents(A, younger), documents(younger), {"env-a"})
    assert [(r.claim.host, r.fragment.slug) for r in found.won] == [("a.test", "y")]
    assert [(r.claim.host, r.fragment.slug) for r in found.lost] == [("a.test", "a")]


def test_a_conflict_is_told_when_it_is_new_or_of_who_is_written() -> None:
    younger = claiming("y", NEW, "a.test")
    standing = documents(A, B, younger)
    for written, told in (("env-a", 1), ("env-y", 1), ("env-b", 0)):
        assert len(difference(standing, standing, {written}).conflicts) == told
    assert len(difference(documents(A, B), standing, set()).conflicts) == 1


def test_whoever_has_a_claim_keeps_it_from_a_refused_one_that_is_older() -> None:
    before = documents(A, claiming("y", NEW, "y.test"))
    older = claiming("a", OLD, "a.test", "y.test")
    after = documents(older, claiming("y", NEW, "y.test"))
    keeps = incumbents(before, after, {"env-a"})
    assert keeps == {Claim("y.test", "/", "websecure"): "env-y"}
    conflict, *others = resolve(after.fragments, keeps)
    assert (conflict.loser, conflict.holder, others) == ("env-a", "env-y", [])
    assert "which has it already" in conflict.message


def test_a_refused_one_keeps_what_it_had_before_and_wins_what_is_free() -> None:
    loser = claiming("z", NEW, "a.test")
    before = documents(A, B, loser)
    after = documents(claiming("a", OLD, "a.test", "b.test", "free.test"), B, loser)
    keeps = incumbents(before, after, {"env-a"})
    assert keeps == {Claim("b.test", "/", "websecure"): "env-b"}
    lost = {(each.loser, each.claim.host) for each in resolve(after.fragments, keeps)}
    assert lost == {("env-a", "b.test"), ("env-z", "a.test")}


def test_of_several_holders_the_oldest_is_the_incumbent() -> None:
    several = claiming("n", NEW, "x.test"), claiming("o", OLD, "x.test")
    before = documents(*several)
    after = documents(*several, claiming("a", "2020-01-01T00:00:00Z", "x.test"))
    assert set(incumbents(before, after, {"env-a"}).values()) == {"env-o"}


def test_a_fragment_is_what_routes_are_shown_with() -> None:
    found = difference(documents(), documents(A), {"env-a"})
    assert isinstance(found.won[0].fragment, Fragment)
    assert found.won[0].fragment.upstreams
