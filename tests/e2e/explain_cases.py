"""Catalogues, neighbours and URLs at random: near each other, so that they meet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.records import record

PLAIN, SECURE = ("web", "web2"), ("websecure", "secure2")
RECORDS, NEIGHBOURS = 24, 10
ECHOES = 10  # upstreams for records without a base path; one more for those with, one for others
_HOSTS = ("a.test", "b.test", "api.a.test", "x.api.a.test", "*.test", "*.a.test", "a_1.test")
_ASKED = (*(host for host in _HOSTS if "*" not in host), "c.test", "y.a.test", "x.y.a.test",
          "test", "xn--bcher-kva.test", "127.0.0.1")  # fmt: skip
_PATHS = ("/", "/app", "/app/v1", "/application", "/app/v1/deep", "/app-2", "/App", "/a.b")
_TAILS = (
    "", "", "", "/", "/x", "/x/", "//x", "/../b", "/./x", "/%2e%2e/x", "%2Fx", "/%2fx", "lication",
    ";v=1", ".html", "/a%20b", '/"q', "/[b", "/%C3%A9", "/%c3%a9", "%25", "/..", "/.", "//",
    "/%7Ex", '/a%2Fb"c', "/v1", "/v1/deep/y", "/v1x", "/!'()*", "/|", "/a:b@c,d",
)  # fmt: skip
_QUERIES = ("", "", "", "?q=1", "?", "?a;b=1", "?/../x", "?x=%2F&y=%zz", "?app//v1")


@dataclass(frozen=True)
class Case:
    """One request: the URL as people write it, and the entrypoint that is asked."""

    url: str
    host: str
    target: str
    entrypoint: str
    tls: bool


def catalogue(random: Random, ports: Sequence[int]) -> list[dict[str, Any]]:
    """Records of which some are routed, some conflict, some claim nothing."""
    return [_record(random, number, ports) for number in range(RECORDS)]


def upstream_of(record: dict[str, Any], ports: Sequence[int]) -> tuple[str, str]:
    """The name of a record's upstream and the base path: together they tell which answered."""
    url = record["metadata"]["router"]["service_url"]
    port, _, base = url.removeprefix("http://127.0.0.1:").partition("/")
    return str(ports.index(int(port))), f"/{base}" if base else ""


def _record(random: Random, number: int, ports: Sequence[int]) -> dict[str, Any]:
    own = number < ECHOES
    url = f"http://127.0.0.1:{ports[number if own else ECHOES]}"
    section: dict[str, Any] = {
        "hostnames": random.sample(_HOSTS, random.choice((1, 1, 2, 3))),
        "entrypoints": random.sample(PLAIN + SECURE, random.choice((1, 2, 2, 4))),
        "service_url": url if own else f"{url}/env-{number}{random.choice(('', '/', '/deep'))}",
        "path_prefix": random.choice(_PATHS),
        "pass_host_header": random.choice((True, False)),
    }
    if random.random() < 0.4:
        section["strip_prefix"] = random.choice((True, False))
    state = random.choice(("active",) * 6 + ("maintenance", "planned", "retired"))
    month = random.choice(("01", "02", "03"))
    return record(
        slug=f"e{number}",
        lifecycle={"state": state},
        metadata={"router": section},
        created_at=f"2026-{month}-01T00:00:00Z",
    )


def neighbours(random: Random, generation: int, port: int) -> dict[str, Any]:
    """A file provider's dynamic configuration; each router adds its own name to the path."""
    routers, middlewares = {}, {f"generation-{generation}": _add("/generation")}
    for number in range(NEIGHBOURS):
        name = f"n{number}"
        secure = random.random() < 0.5
        router: dict[str, Any] = {
            "rule": _rule(random),
            "service": "theirs",
            "middlewares": [f"add-{name}"],
            "entryPoints": random.sample(SECURE if secure else PLAIN, random.choice((1, 2))),
        }
        priority = random.choice((None, 3, 9_000, 10_004, 15_000, 20_001, 20_006, 30_000))
        if priority is not None:
            router["priority"] = priority
        if secure is not (random.random() < 0.15):  # some of the wrong kind, which catch nothing
            router["tls"] = {}
        routers[name], middlewares[f"add-{name}"] = router, _add(f"/neighbour-{name}")
    service = {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{port}"}]}}
    return {"http": {"routers": routers, "middlewares": middlewares,
                     "services": {"theirs": service}}}  # fmt: skip


def _add(prefix: str) -> dict[str, Any]:
    return {"addPrefix": {"prefix": prefix}}


def _rule(random: Random) -> str:
    host = random.choice(_ASKED)
    path = random.choice((*_PATHS[1:], "/a", "/app/", "/app/a%2Fb"))
    exact, below = f"Host(`{host.upper()}.`)", f"PathPrefix(`{path}`)"
    return random.choice(
        (
            f"{exact} && {below}",
            exact,
            f"Host({json.dumps(host)}) && Path({json.dumps(path)})",
            f"({exact} || Host(`b.test`)) && !{below}",
            f"{exact} && Method(`GET`)",
            f"{exact} && Method(`POST`)",
            f"{exact} || {exact} && {below}",
            f"HostRegexp(`^{host.replace('.', '[.]')}$`) && {below}",
            f"{exact} && PathRegexp(`^/app/v[0-9]`)",
            f"{exact} && Header(`X-Canary`, `1`)",
            f"HostRegexp(`^.+$`) && {below} && !Host(`c.test`)",
            f"{below} && Host(`*.a.test`)",
        )
    )


def case(random: Random) -> Case:
    """A request that may meet something."""
    entrypoint = random.choice(PLAIN + SECURE)
    tls = entrypoint in SECURE
    host = random.choice(_ASKED)
    host = random.choice((host, host, host, host.upper(), host.title(), f"{host}."))
    host += random.choice(("", "", "", ":443", ":8080"))
    path = random.choice(_PATHS).removesuffix("/") + random.choice(_TAILS)
    path = _disguised(random, path) if random.random() < 0.2 else path
    if random.random() < 0.1:
        path = random.choice(("/", "/./", "/x/../", "/%2e/")) + path
    target = path + random.choice(_QUERIES) if path.startswith("/") else f"/{path}"
    url = f"{'https' if tls else 'http'}://{host}{target}"
    return Case(url, host, target, entrypoint, tls)


def _disguised(random: Random, path: str) -> str:
    """One letter as an escape."""
    places = [at for at, character in enumerate(path) if character.isalpha() and "%" not in path]
    if not places:
        return path
    at = random.choice(places)
    return f"{path[:at]}%{ord(path[at]):02{random.choice('xX')}}{path[at + 1 :]}"
