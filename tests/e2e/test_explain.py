"""What is foretold for a URL, against what the real Traefik does, over generated catalogues."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from provider.explain.explaining import explain
from provider.explain.target import target_of
from provider.explain.values import Answer as Foretold
from provider.explain.values import Contender, Knowledge
from provider.explain.verdict import compare
from provider.explain.views import explanation_view
from provider.observe.probe import Door, probe
from registry.errors import InvalidRecord
from tests.e2e.asking import Answer
from tests.e2e.explain_cases import PLAIN, Case, case
from tests.e2e.scene import Scene, scene_in

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-explain"),
]

SEED = 20261124
CATALOGUES, URLS, CERTAIN_MIN = 14, 220, 2000
_AT_ONCE = 16


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One Traefik for all; each test shows it something new."""
    async with scene_in(tmp_path_factory.mktemp("scene")) as made:
        yield made


async def test_the_answer_agrees_with_the_real_traefik(scene: Scene) -> None:
    random = Random(SEED)
    certain, differing, answered = 0, [], {"ours": 0, "theirs": 0, "nobody": 0}
    for number in range(CATALOGUES):
        knowledge = await scene.next(random)
        cases = [case(random) for _ in range(URLS)]
        for one, answer in zip(cases, await _all_answers(scene, cases), strict=True):
            view = _explained(one, knowledge)
            certain += not _unless(view)
            who, path = scene.seen(answer)
            answered["nobody" if not who else "theirs" if "@" in who else "ours"] += 1
            wrong = _difference(one, view, who, path, answer)
            if wrong:
                differing.append(f"seed {SEED}, catalogue {number}: {one}: {wrong}")
    assert not differing, "\n".join(differing[:10])
    assert certain >= CERTAIN_MIN
    assert min(answered.values()) > 200, answered


async def test_a_probe_agrees_with_what_is_foretold_and_with_nothing_else(scene: Scene) -> None:
    random = Random(SEED)
    knowledge = await scene.next(random)
    fragment = knowledge.document.fragments[0]
    some = Contender(fragment, fragment.claims[0], 1)
    agreeing, contrary = [], []
    for one in (case(random) for _ in range(60)):
        target = target_of(one.url)
        door = Door("127.0.0.1", scene.entrypoints[one.entrypoint], one.tls)
        came = await probe(door, target.host, target.host_header, target.raw)
        for foretold in explain(target, one.entrypoint, knowledge).answers:
            if not foretold.unless:
                agreeing.append(compare(foretold, came).agrees)
                contrary.append(compare(_contrary(foretold, some), came).agrees)
    assert len(agreeing) > 20
    assert set(agreeing) == {True}
    assert set(contrary) == {False}


@pytest.mark.parametrize("path", ["/a%", "/a%2", "/a%zz", "/%g0/x"])
async def test_what_traefik_answers_with_400_is_no_url_here(scene: Scene, path: str) -> None:
    with pytest.raises(InvalidRecord):
        target_of(f"http://a.test{path}")
    answer = await scene.ask(Case("", "a.test", path, PLAIN[0], False))
    assert answer.status == 400


def _explained(one: Case, knowledge: Knowledge) -> dict[str, Any]:
    target = target_of(one.url)
    view = explanation_view(target, explain(target, one.entrypoint, knowledge), knowledge)
    assert len(view["answers"]) <= 1
    return view


def _unless(view: dict[str, Any]) -> list[str]:
    return view["answers"][0]["unless"] if view["answers"] else []


def _difference(
    one: Case, view: dict[str, Any], who: str | None, path: str | None, answer: Answer
) -> str | None:
    foretold = view["answer"] or {}
    if who in _unless(view):
        return None
    name = foretold.get("environment") or foretold.get("router")
    if name != who:
        return f"{name} was foretold, {who} answered"
    if name and view["candidates"][0]["reason"] not in ("answers", "neighbour"):
        return f"the first candidate is {view['candidates'][0]}"
    if path is None:
        return None
    if path != foretold["upstream_path"]:
        return f"the upstream saw {path}, not {foretold['upstream_path']}"
    # What a client spells its own way goes through as it is.
    passed = foretold["host_header"] == target_of(one.url).host_header
    host = one.host if passed else foretold["host_header"]
    if answer.seen["host"] != host:
        return f"the upstream saw the host {answer.seen['host']}, not {host}"
    return None


async def _all_answers(scene: Scene, cases: Sequence[Case]) -> list[Answer]:
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(case: Case) -> Answer:
        async with turns:
            return await scene.ask(case)

    return await asyncio.gather(*map(one, cases))


def _contrary(foretold: Foretold, some: Contender) -> Foretold:
    return replace(foretold, winner=some if foretold.winner is None else None)
