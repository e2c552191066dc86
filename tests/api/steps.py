"""Steps that many tests take: create, read, and look at a problem or at the document."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.api.bodies import body
from tests.daemons import Answer, Daemon, eventually

ALL = "/api/environments"


async def create(daemon: Daemon, slug: str = "nightshift-dev", **changes: Any) -> dict[str, Any]:
    """The environment that a POST of this body makes."""
    answer = await daemon.call("POST", ALL, json=body(slug, **changes))
    assert answer.status == 201, answer.value
    created: dict[str, Any] = answer.value
    return created


async def read(daemon: Daemon, ref: str) -> dict[str, Any]:
    """The environment with this id or slug."""
    answer = await daemon.call("GET", f"{ALL}/{ref}")
    assert answer.status == 200, answer.value
    environment: dict[str, Any] = answer.value
    return environment


async def slugs(daemon: Daemon, query: str = "") -> list[str]:
    """The slugs of a list, in its order."""
    answer = await daemon.call("GET", f"{ALL}{query}")
    assert answer.status == 200, answer.value
    return [environment["slug"] for environment in answer.value["environments"]]


async def document(daemon: Daemon) -> dict[str, Any]:
    """What Traefik would get now."""
    answer = await daemon.call("GET", "/traefik/config?hold=0")
    assert answer.status == 200, answer.value
    return dict(answer.value)


async def routed_hosts(daemon: Daemon) -> str:
    """The rules of the document in force, one a line."""
    routers = (await document(daemon))["http"].get("routers", {})
    return "\n".join(router["rule"] for router in routers.values())


async def until_routed(
    daemon: Daemon, *hosts: str, gone: bool = False, timeout_s: float = 10.0
) -> dict[str, Any]:
    """The document, once every host is in one of its rules (or, with `gone`, none is)."""

    async def shows() -> dict[str, Any]:
        rules = await routed_hosts(daemon)
        assert all((f'"{host}"' in rules) is not gone for host in hosts), rules
        return await document(daemon)

    shown: dict[str, Any] = await eventually(shows, timeout_s)
    return shown


async def until_problem(daemon: Daemon, code: str, environment: str | None) -> dict[str, Any]:
    """The problem of this code and environment, once `/api/health` shows it."""

    async def shows() -> dict[str, Any]:
        found = await problems(daemon)
        wanted = [p for p in found if (p["code"], p["environment"]) == (code, environment)]
        assert wanted, found
        return wanted[0]

    shown: dict[str, Any] = await eventually(shows)
    return shown


async def problems(daemon: Daemon, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """What `/api/health` says is wrong."""
    answer = await daemon.call("GET", "/api/health", headers=headers)
    assert answer.status == 200
    return list(answer.value["problems"])


async def metric(
    daemon: Daemon, name: str, headers: dict[str, str] | None = None, **labels: str
) -> float | None:
    """The value of one sample of `/metrics`; None when it is not there."""
    answer = await daemon.call("GET", "/metrics", headers=headers)
    assert answer.status == 200, answer.content
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer that must have this status and code."""
    assert answer.status == status, answer.content
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem: dict[str, Any] = answer.value
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert problem["detail"]
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    """The places that a problem names."""
    return [error["pointer"] for error in problem.get("errors", ())]
