"""Which requests reach an environment by entrypoint and path, and what its upstream then sees."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.e2e.asking import ask
from tests.e2e.stage import Stage

pytestmark = [
    pytest.mark.traefik,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("e2e-paths"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def below(stage: Stage) -> str:
    """The host of an environment below /app."""
    await stage.expose("below", path_prefix="/app")
    return "below.test"


async def test_both_kinds_of_entrypoint_serve_http_on_web_and_https_on_websecure(
    stage: Stage,
) -> None:
    await stage.expose("both", entrypoints=["web", "websecure"])

    assert (await stage.http("both.test")).upstream == "blue"
    assert (await stage.https("both.test")).upstream == "blue"


async def test_neither_entrypoint_serves_the_other_kind(stage: Stage) -> None:
    await stage.expose("swapped", entrypoints=["web", "websecure"])

    assert (await ask(stage.proxy.websecure, "swapped.test")).status == 404
    assert (await ask(stage.proxy.web, "swapped.test", tls=True)).status == 404


@pytest.mark.parametrize("entrypoints", [None, []], ids=["omitted", "empty"])
async def test_an_environment_that_names_no_entrypoint_is_on_websecure_alone(
    stage: Stage, entrypoints: list[str] | None
) -> None:
    slug = "unsaid" if entrypoints is None else "empty-list"
    await stage.expose(slug, entrypoints=entrypoints)

    assert (await stage.https(f"{slug}.test")).upstream == "blue"
    assert (await stage.http(f"{slug}.test")).status == 404


async def test_an_entrypoint_that_traefik_has_not_leaves_the_others_served(stage: Stage) -> None:
    environment_id = await stage.expose("partly", entrypoints=["web", "web2", "nowhere"])

    assert (await stage.http("partly.test")).upstream == "blue"
    assert await stage.router_states(environment_id) == {"warning"}


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/app", "/"),
        ("/app/", "/"),
        ("/app/x", "/x"),
        ("/app/x/?q=/app", "/x/?q=/app"),
        ("/app/a%2Fb%20c", "/a%2Fb%20c"),
        ("//app//x", "/x"),
        ("/%61pp/x", "/x"),
        ("/other/../app/x", "/x"),
    ],
)
async def test_a_path_prefix_serves_what_lies_below_it_and_is_taken_off(
    stage: Stage, below: str, target: str, seen: str
) -> None:
    answer = await stage.http(below, target)

    assert answer.path == seen
    assert answer.seen["prefix"] == "/app"


@pytest.mark.parametrize(
    "target",
    ["/", "/application", "/app%2Fx", "/app;v=1", "/app.html", "/App", "/app/../x", "/x/app"],
)
async def test_a_path_prefix_never_catches_its_neighbours(
    stage: Stage, below: str, target: str
) -> None:
    assert (await stage.http(below, target)).status == 404


async def test_strip_prefix_false_lets_the_upstream_see_the_prefix(stage: Stage) -> None:
    await stage.expose("kept", path_prefix="/app", strip_prefix=False)

    assert (await stage.http("kept.test", "/app/x")).path == "/app/x"
    assert (await stage.http("kept.test", "/app")).path == "/app"
    assert (await stage.http("kept.test", "/application")).status == 404


@pytest.mark.parametrize(("slug", "prefix"), [("trail", "/app/"), ("many", "//app///")])
async def test_superfluous_slashes_of_a_prefix_change_nothing(
    stage: Stage, slug: str, prefix: str
) -> None:
    await stage.expose(slug, path_prefix=prefix)

    assert (await stage.http(f"{slug}.test", "/app")).path == "/"
    assert (await stage.http(f"{slug}.test", "/app/x")).path == "/x"
    assert (await stage.http(f"{slug}.test", "/application")).status == 404


async def test_a_service_url_with_a_path_is_asked_below_that_path(stage: Stage) -> None:
    await stage.expose("based", service_url=f"{stage.upstreams.blue}/base/")

    assert (await stage.http("based.test", "/x?q=1")).path == "/base/x?q=1"


async def test_a_prefix_is_taken_off_before_the_base_path_is_added(stage: Stage) -> None:
    await stage.expose("moved", path_prefix="/app", service_url=f"{stage.upstreams.blue}/base")

    assert (await stage.http("moved.test", "/app/x")).path == "/base/x"
    assert (await stage.http("moved.test", "/app")).path == "/base"
    assert (await stage.http("moved.test", "/app/")).path == "/base/"
