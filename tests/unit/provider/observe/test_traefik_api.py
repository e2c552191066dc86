"""Asking a Traefik's API, and what comes of APIs that are away, wrong or hostile."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from provider.observe import traefik_api
from provider.observe.facts import TraefikFacts
from provider.observe.traefik_api import TraefikApi, without_user
from tests.fake_traefik import DIGEST, FakeTraefik, marker, router
from tests.unit.fakes import NOON

OTHER = "f" * 16


@pytest.fixture
async def traefik() -> AsyncIterator[FakeTraefik]:
    """A fake Traefik that serves."""
    async with FakeTraefik().serving() as fake:
        yield fake


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession(trust_env=False) as client:
        yield client


Client = aiohttp.ClientSession


def api_of(url: str, session: Client) -> TraefikApi:
    """The API at a URL, at noon."""
    return TraefikApi(url, session, lambda: NOON)


async def looked(fake: FakeTraefik, session: Client, expected: str | None = DIGEST) -> TraefikFacts:
    """What a first look gives."""
    return await api_of(fake.url, session).look(TraefikFacts(fake.url), expected)


async def surveyed(fake: FakeTraefik, session: Client) -> TraefikFacts:
    """What a first look and a survey give."""
    return await api_of(fake.url, session).survey(await looked(fake, session))


async def test_a_look_says_what_is_live_and_which_of_our_routers_are_at_fault(
    traefik: FakeTraefik, session: Client
) -> None:
    traefik.routers = [
        router(),
        router("env-a.exact@http", status="disabled", service="env-a", error=["no"]),
        router("env-b.exact@http", status="warning", service="env-b"),
        router("theirs@file", status="disabled"),
    ]
    facts = await looked(traefik, session)
    assert facts.reached
    assert (facts.version, facts.started_at) == ("3.7.15", "2026-11-24T10:00:00Z")
    assert (facts.live_digest, facts.looked_at, facts.routers) == (DIGEST, NOON, 4)
    assert [each.name for each in facts.faults] == ["env-a.exact@http", "env-b.exact@http"]


@pytest.mark.parametrize("digest", [OTHER, None])
async def test_another_document_than_the_expected_one_is_found(
    digest: str | None, traefik: FakeTraefik, session: Client
) -> None:
    traefik.digest = digest
    assert (await looked(traefik, session)).live_digest == digest


async def test_a_middleware_that_is_called_like_a_marker_and_is_none_is_passed_over(
    traefik: FakeTraefik, session: Client
) -> None:
    traefik.middlewares = [{**marker(OTHER), "addPrefix": {"prefix": "/mine"}}]
    assert (await looked(traefik, session, OTHER)).live_digest == DIGEST
    assert not await api_of(traefik.url, session).runs(OTHER)


async def test_facts_of_two_documents_are_never_mixed(
    traefik: FakeTraefik, session: Client
) -> None:
    async def reloading(_request: web.Request) -> web.Response:
        traefik.digest = OTHER
        traefik.instead.clear()
        return web.json_response([])

    traefik.instead["http/routers"] = reloading
    traefik.routers = [router(status="disabled")]
    facts = await looked(traefik, session)
    assert (facts.live_digest, len(facts.faults)) == (OTHER, 1)


async def test_one_that_reloads_without_end_is_given_up(
    traefik: FakeTraefik, session: Client
) -> None:
    async def reloading(_request: web.Request) -> web.Response:
        traefik.digest = DIGEST if traefik.digest == OTHER else OTHER
        return web.json_response({"http": {"routers": {"total": 0}}})

    traefik.instead["overview"] = reloading
    facts = await looked(traefik, session)
    assert facts.problem == "its configuration changes while it is looked at"
    assert traefik.requests.count("overview") == 3


async def test_a_survey_has_the_routers_of_others_and_the_names_that_exist(
    traefik: FakeTraefik, session: Client
) -> None:
    traefik.routers = [router(status="disabled"), router("theirs@file")]
    traefik.middlewares = [{"name": "auth@file"}]
    traefik.services = [
        {"name": "env-dev@http", "status": "disabled", "error": ["no"]},
        {"name": "theirs@file", "status": "disabled"},
    ]
    traefik.certificates = [{"certFingerprint": "AB", "sans": ["a.test"], "status": "enabled"}]
    facts = await surveyed(traefik, session)
    assert [each.name for each in facts.neighbours] == ["theirs@file"]
    assert "auth@file" in facts.middlewares
    assert [each.name for each in facts.services] == ["env-dev@http"]
    assert [each.name for each in facts.entrypoints] == ["web"]
    assert [each.fingerprint for each in facts.certificates] == ["ab"]
    assert (facts.surveyed_at, facts.survey_problem) == (NOON, None)


async def test_a_traefik_without_an_api_for_certificates_is_surveyed_all_the_same(
    traefik: FakeTraefik, session: Client
) -> None:
    traefik.instead["certificates"] = 404
    facts = await surveyed(traefik, session)
    assert (facts.certificates, facts.survey_problem) == ((), None)


async def test_a_survey_that_fails_leaves_the_look_as_it_is_and_says_so(
    traefik: FakeTraefik, session: Client
) -> None:
    traefik.instead["entrypoints"] = 500
    facts = await surveyed(traefik, session)
    assert facts.reached
    assert (facts.surveyed_at, facts.survey_problem) == (None, "its API answers with status 500")


async def test_all_pages_are_read(traefik: FakeTraefik, session: Client) -> None:
    traefik.page_max = 2
    traefik.routers = [router(f"theirs-{n}@file") for n in range(7)]
    assert len((await surveyed(traefik, session)).neighbours) == 7


@pytest.mark.parametrize("following", ["3", "1" * 5000, "²", "-1", "x"])
async def test_pages_without_an_end_are_given_up(
    following: str, traefik: FakeTraefik, session: Client
) -> None:
    async def endless(request: web.Request) -> web.Response:
        page = int(request.query["page"])
        sent = str(page + 1) if following == "3" else following
        return web.Response(text="[]", headers={"X-Next-Page": sent})

    traefik.instead["http/routers"] = endless
    await looked(traefik, session)
    assert traefik.requests.count("http/routers") <= 100


async def test_all_pages_together_are_bounded(
    traefik: FakeTraefik, session: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traefik_api, "LIST_BYTES_MAX", 1000)
    traefik.page_max, traefik.entrypoints = 1, [{"name": "x" * 300} for _ in range(9)]
    facts = await surveyed(traefik, session)
    assert facts.survey_problem is not None
    assert "longer than any answer" in facts.survey_problem
    assert traefik.requests.count("entrypoints") < 9


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "null",
        "[]",
        "5",
        "{",
        "NaN",
        '{"Version": 5}',
        '{"http": null, "name": []}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '[{"name": "a@http", "status": "disabled", "priority": 1e999}]',
        '[{"name": "a@http", "status": "enabled"}]',
        "9" * 5000,
        "\ufeff{}",
        '"' + "x" * 2_000_000 + '"',
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize(
    "path", ["version", "overview", "http/routers", f"http/middlewares/routebook-{DIGEST}@http"]
)
async def test_nonsense_is_a_fact_and_what_was_seen_before_is_not_lost(
    path: str, nonsense: str, traefik: FakeTraefik, session: Client
) -> None:
    api = api_of(traefik.url, session)
    before = await api.look(TraefikFacts(traefik.url), DIGEST)
    traefik.instead[path] = nonsense
    after = await api.look(before, DIGEST)
    if path == "http/routers" and nonsense == "[]":
        assert after.reached
        return
    assert after.problem is not None
    assert after.problem.startswith("its API gives an answer that is not Traefik's")
    assert after == replace(before, problem=after.problem)


@pytest.mark.parametrize("status", [204, 301, 302, 401, 403, 404, 500, 503])
async def test_a_status_is_a_fact_and_no_redirect_is_followed(
    status: int, traefik: FakeTraefik, session: Client
) -> None:
    traefik.instead["version"] = status
    facts = await looked(traefik, session)
    assert facts.problem is not None
    assert str(status) in facts.problem
    assert traefik.requests == ["version"]


async def test_one_that_is_away_is_a_fact(session: Client) -> None:
    async with FakeTraefik().serving() as gone:
        pass
    facts = await looked(gone, session)
    assert facts.problem == "nothing answers at its API"
    assert not await api_of(gone.url, session).runs(DIGEST)


async def test_an_answer_that_drips_is_given_up(
    traefik: FakeTraefik, session: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traefik_api, "LOOK_S", 0.1)
    ended = asyncio.Event()

    async def dripping(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.01)
        finally:
            ended.set()

    traefik.instead["version"] = dripping
    assert (await looked(traefik, session)).problem == "its API does not answer in time"
    await ended.wait()


@pytest.mark.parametrize(
    ("user", "sent"),
    [("ann:s%40cret", "ann:s@cret"), ("ann", "ann:"), (":token", ":token")],
)
async def test_user_information_is_sent_and_never_shown(
    user: str, sent: str, traefik: FakeTraefik, session: Client
) -> None:
    api = api_of(traefik.url.replace("//", f"//{user}@"), session)
    traefik.instead["overview"] = 401
    facts = await api.look(TraefikFacts(api.url), DIGEST)
    basic = base64.b64encode(sent.encode()).decode()
    assert traefik.authorizations == {f"Basic {basic}"}
    assert api.url == traefik.url
    assert user not in repr(facts)


@pytest.mark.parametrize("prefix", ["", "/behind/a%20proxy"])
@pytest.mark.parametrize("end", ["", "/", "//"])
async def test_a_path_prefix_and_a_trailing_slash_are_understood(
    end: str, prefix: str, session: Client
) -> None:
    async with FakeTraefik(prefix=prefix.replace("%20", " ")).serving() as fake:
        api = api_of(f"http://127.0.0.1:{fake.port}{prefix}{end}", session)
        facts: Any = await api.look(TraefikFacts(api.url), DIGEST)
        assert facts.reached, facts.problem
        assert await api.runs(DIGEST)


def test_one_api_has_one_name() -> None:
    names = {
        without_user(url)
        for url in (
            "http://traefik.test:8080",
            "http://traefik.test:8080/",
            "http://ann:secret@Traefik.test:8080",
            "HTTP://traefik.test:8080/?q=secret#secret",
        )
    }
    assert names == {"http://traefik.test:8080"}
