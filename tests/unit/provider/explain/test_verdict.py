"""What came back through Traefik, against what was foretold."""

from __future__ import annotations

import pytest

from provider.explain.explaining import explain
from provider.explain.target import target_of
from provider.explain.values import Answer
from provider.explain.verdict import compare
from provider.observe.facts import RouterFact
from provider.observe.probe import Probed
from tests.records import routed
from tests.unit.provider.explain.knowing import knowledge, other, seen

UNMATCHED = Probed(404, "text/plain; charset=utf-8", None, b"404 page not found\n")
OWN_404 = Probed(404, "text/html", None, b"<h1>404 page not found</h1>")


def foretold(path: str = "/app", *routers: RouterFact) -> Answer:
    """The answer for a path of dev.test, which has /app."""
    dev = routed("dev", path_prefix="/app")
    known = knowledge(dev, traefiks=[seen(knowledge(dev), *routers)])
    return explain(target_of(f"https://dev.test{path}"), "websecure", known).answers[0]


@pytest.mark.parametrize(
    ("came", "agrees"),
    [
        (Probed(200), True),
        (OWN_404, True),
        (Probed(502), True),
        (Probed(301, location="/x"), True),
        (UNMATCHED, False),
        (Probed(error="refused"), None),
    ],
)
def test_where_ours_was_foretold_only_traefiks_own_404_disagrees(
    came: Probed, agrees: bool | None
) -> None:
    assert compare(foretold(), came).agrees is agrees


@pytest.mark.parametrize(
    ("came", "agrees"), [(UNMATCHED, True), (Probed(200), False), (OWN_404, False)]
)
def test_where_nobody_was_foretold_only_traefiks_own_404_agrees(came: Probed, agrees: bool) -> None:
    assert compare(foretold("/nothing"), came).agrees is agrees
    assert compare(None, came).agrees is agrees


def test_where_somebody_may_catch_it_an_answer_proves_nothing() -> None:
    answer = foretold("/nothing", other("HostRegexp(`dev`)"))
    verdict = compare(answer, Probed(200))
    assert (verdict.agrees, "other@file" in verdict.note) == (None, True)


def test_a_redirection_has_to_redirect() -> None:
    redirecting = other("HostRegexp(`^.+$`)", name="websecure-to-web@internal")
    answer = foretold("/app", redirecting)
    assert compare(answer, Probed(308, location="https://x.test/")).agrees is True
    assert compare(answer, Probed(200)).agrees is False


def test_a_failing_upstream_is_said_to_be_one() -> None:
    assert "upstream" in compare(foretold(), Probed(503)).note
